#!/usr/bin/env bash
# cmake/LlamaCppSource.cmake: both roads to llama.cpp's source lead to a tree, and wrong ones are
# refused with their reason.
#
#   llama_cpp_source_test.sh TREE     TREE: the source tree of this build
. "$(dirname "$0")/../../tools/common.sh"

tree="${1:?}"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/project"
cat >"$folder/project/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(source_test LANGUAGES NONE)
set(PROJECT_SOURCE_DIR "$root")
include("$root/cmake/CacheDir.cmake")
include("$root/cmake/LlamaCppSource.cmake")
message(STATUS "id: \${LLAMA_CPP_SOURCE_ID}")
END

# configure ARGUMENT...: prints what CMake says.
configure() {
    rm -rf "$folder/build"
    cmake -S "$folder/project" -B "$folder/build" "$@" 2>&1
}
# line NAME: the value of the line that configure printed for it.
line() { sed -n "s/^-- $1: //p" <<<"$output"; }

# Road 1: a tree of the caller's. Its id follows its content, not its place.
mkdir -p "$folder/tree/include" "$folder/tree/src"
touch "$folder/tree/include/llama.h" "$folder/tree/src/llama.cpp"
output="$(configure -DMULLAMA_LLAMA_CPP_DIR="$folder/tree")" || fail "$output"
[ "$(line 'llama.cpp source')" = "$(realpath "$folder/tree")" ] || fail "$output"
id="$(line id)"
cp -r "$folder/tree" "$folder/copy"
output="$(configure -DMULLAMA_LLAMA_CPP_DIR="$folder/copy")" || fail "$output"
[ "$(line id)" = "$id" ] || fail "the id of an equal tree differs"
echo "// changed" >>"$folder/copy/src/llama.cpp"
output="$(configure -DMULLAMA_LLAMA_CPP_DIR="$folder/copy")" || fail "$output"
[ "$(line id)" != "$id" ] || fail "the id of a changed tree is the same"

if output="$(configure -DMULLAMA_LLAMA_CPP_DIR="$folder/project")"; then
    fail "a folder that isn't llama.cpp was accepted"
fi
[[ $output == *"is not a llama.cpp"* ]] || fail "$output"

# Road 2: the pin, out of a cache that has it.
package="$(sed -n 's/^set(LLAMA_CPP_PIN_NAME "\(.*\)")/\1/p' \
    "$root/third_party/llama.cpp/pin.cmake")"
mkdir -p "$folder/cache/src/$package/vendor"
ln -s "$tree" "$folder/cache/src/$package/vendor/llama.cpp"
output="$(configure -DMULLAMA_CACHE_DIR="$folder/cache")" || fail "$output"
[ "$(line id)" = "$package" ] || fail "$output"

# Road 2 with an empty cache and no way to download: the message says what else can be done.
if output="$(PIP_NO_INDEX=1 PIP_FIND_LINKS="$folder" configure \
    -DMULLAMA_CACHE_DIR="$folder/empty")"; then
    fail "the pin came from nowhere: $output"
fi
[[ $output == *MULLAMA_LLAMA_CPP_DIR* ]] || fail "$output"
[ ! -e "$folder/empty/src/$package" ] || fail "a failed download left a tree behind"

# The two files of the pin name one version.
version="${package##*-}"
grep -q "^llama-cpp-python==$version --hash=sha256:[0-9a-f]\{64\}\$" \
    "$root/third_party/llama.cpp/requirements.txt" ||
    fail "requirements.txt and pin.cmake name different versions"

#!/usr/bin/env bash
# Installs a build into an empty prefix, moves that elsewhere, and builds and runs outside/ against it
# in each of the four ways.
#
#   outside_project_test.sh BUILD
. "$(dirname "$0")/../../tools/common.sh"

build="${1:?}"
outside="$root/tests/install/outside"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
version="$(cat "$root/VERSION")"

cmake --install "$build" --prefix "$folder/first" >/dev/null
mv "$folder/first" "$folder/prefix"
prefix="$folder/prefix"

say "CMake package, shared and static"
cmake -S "$outside" -B "$folder/cmake" -DCMAKE_PREFIX_PATH="$prefix" >"$folder/log" 2>&1 ||
    { cat "$folder/log" && fail "find_package failed"; }
cmake --build "$folder/cmake" >"$folder/log" 2>&1 || { cat "$folder/log" && fail "building failed"; }
"$folder/cmake/with_mullama"
"$folder/cmake/with_mullama_static"

PKG_CONFIG_PATH="$(dirname "$(find "$prefix" -name mullama.pc)")"
export PKG_CONFIG_PATH
libdir="$(pkg-config --variable=libdir mullama)"
[ "$(pkg-config --modversion mullama)" = "$version" ] || fail "mullama.pc states another version"
for package in mullama mullama-static; do
    say "pkg-config $package"
    read -ra flags <<<"$(pkg-config --cflags --libs "$package")"
    cc -std=c99 -Wall -Wextra -Werror "-DEXPECTED_VERSION=\"$version\"" -o "$folder/$package" \
        "$outside/main.c" "${flags[@]}"
    LD_LIBRARY_PATH="$libdir" "$folder/$package"
done
# Read whole before it is searched: ldd is a script, and one that is cut off in writing has failed.
needs="$(ldd "$folder/mullama-static")"
[[ $needs != *libmullama* ]] || fail "the statically linked program needs the shared library: $needs"
needs="$(ldd "$folder/cmake/with_mullama")"
[[ $needs == *libmullama.so.0* ]] || fail "the shared library isn't used: $needs"

if [ -x "$prefix/bin/mullama" ]; then
    say "The installed program"
    "$prefix/bin/mullama" version
fi

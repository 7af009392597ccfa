#!/usr/bin/env bash
# tools/setup.sh: what it does where it may install nothing, and that a second run does nothing.
. "$(dirname "$0")/../../tools/common.sh"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

# Another system with nothing on PATH but the shell's own tools: it must name what is missing.
printf 'ID=fedora\nID_LIKE="rhel"\n' >"$folder/os-release"
mkdir "$folder/bin"
for tool in bash env dirname sed tr cat id; do
    ln -s "$(command -v "$tool")" "$folder/bin/$tool"
done
if output="$(PATH="$folder/bin" MULLAMA_OS_RELEASE="$folder/os-release" \
    bash "$root/tools/setup.sh" check 2>&1)"; then
    fail "setup.sh succeeded on a system that has nothing"
fi
for name in cmake ninja clang-tidy-19 aarch64-linux-gnu-g++; do
    [[ $output == *"$name"* ]] || fail "setup.sh didn't name $name: $output"
done

if "$root/tools/setup.sh" nonsense 2>/dev/null; then
    fail "setup.sh took a profile that doesn't exist"
fi

# Here everything is installed already, or this test wouldn't run: a second setup does nothing.
output="$("$root/tools/setup.sh" test 2>&1)" || fail "a second setup failed: $output"
[ -z "$output" ] || fail "a second setup did something: $output"

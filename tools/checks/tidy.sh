#!/usr/bin/env bash
# Runs clang-tidy, as .clang-tidy says, over our sources as a build folder compiles them.
#
#   tools/checks/tidy.sh BUILD [PATH...]   paths default to src apps
#   tools/checks/tidy.sh --self-test       see a planted bug refused
. "$(dirname "$0")/../common.sh"

tidy=(clang-tidy-19 --quiet --extra-arg=-Wno-unknown-warning-option)
command -v clang-tidy-19 >/dev/null ||
    fail "clang-tidy-19 was not found. On Debian: apt-get install clang-tidy-19"

if [ "${1:-}" = --self-test ]; then
    folder="$(mktemp -d)"
    trap 'rm -rf "$folder"' EXIT
    cp "$root/.clang-tidy" "$folder"
    printf '%s\n' '#include <string>' '#include <utility>' \
        'std::string f(std::string s) { std::string t = std::move(s); return s + t; }' \
        >"$folder/bad.cpp"
    printf '%s\n' 'int f(int a) { return a; }' >"$folder/good.cpp"
    "${tidy[@]}" "$folder/good.cpp" -- -std=c++20 >/dev/null 2>&1 ||
        fail "clang-tidy refused a good file"
    "${tidy[@]}" "$folder/bad.cpp" -- -std=c++20 >/dev/null 2>&1 &&
        fail "clang-tidy accepted a use after move"
    exit 0
fi

build="${1:?usage: tools/checks/tidy.sh BUILD [PATH...]}"
shift
paths=("$@")
[ "${#paths[@]}" -gt 0 ] || paths=(src apps)
[ -f "$build/compile_commands.json" ] || fail "$build has no compile_commands.json; build it first"
cd "$root"
python3 - "$build/compile_commands.json" "${paths[@]}" <<'END' |
import json, os, sys
database, *paths = sys.argv[1:]
prefixes = tuple(os.path.abspath(path) + os.sep for path in paths)
files = {entry["file"] for entry in json.load(open(database))}
sys.stdout.write("".join(name + "\0" for name in sorted(files) if name.startswith(prefixes)))
END
    xargs -0 -r -n 1 -P "$(nproc)" "${tidy[@]}" -p "$build" 2> >(grep -v 'warnings generated' >&2) ||
    fail "clang-tidy found something"

#!/usr/bin/env bash
# Refuses C and C++ sources that clang-format would change.
#
#   tools/checks/format.sh               check all of ours
#   tools/checks/format.sh --fix         format them
#   tools/checks/format.sh --self-test   see a badly formatted file refused
. "$(dirname "$0")/../common.sh"

command -v clang-format-19 >/dev/null ||
    fail "clang-format-19 was not found. On Debian: apt-get install clang-format-19"

# format TREE ARGUMENT...: runs clang-format over the sources of a tree.
format() {
    cd "$1"
    shift
    local folders=() folder
    for folder in include src apps tests fuzz bench examples bindings; do
        [ ! -d "$folder" ] || folders+=("$folder")
    done
    find "${folders[@]}" \( -name build -o -name node_modules \) -prune -o -type f \
        \( -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.hpp' \) -print0 |
        xargs -0 -r clang-format-19 --style="file:$root/.clang-format" "$@"
}

case "${1:-}" in
--fix)
    format "$root" -i
    ;;
--self-test)
    folder="$(mktemp -d)"
    trap 'rm -rf "$folder"' EXIT
    mkdir "$folder/src"
    printf 'int main() {\n    return 0;\n}\n' >"$folder/src/good.cpp"
    format "$folder" --dry-run -Werror || fail "a well formatted file was refused"
    printf 'int  main( ){return 0 ;}\n' >"$folder/src/bad.hpp"
    ! format "$folder" --dry-run -Werror 2>/dev/null || fail "a badly formatted file was accepted"
    ;;
*)
    format "$root" --dry-run -Werror || fail "some files aren't formatted: make format"
    ;;
esac

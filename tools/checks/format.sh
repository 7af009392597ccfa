#!/usr/bin/env bash
# Refuses C and C++ sources that clang-format would change.
#
#   tools/checks/format.sh               check all of ours
#   tools/checks/format.sh --fix         format them
#   tools/checks/format.sh --self-test   see a badly formatted file refused
. "$(dirname "$0")/../common.sh"

command -v clang-format-19 >/dev/null ||
    fail "clang-format-19 was not found. On Debian: apt-get install clang-format-19"

sources() {
    cd "$root"
    find include src apps tests fuzz bench examples bindings \
        -name build -prune -o -name node_modules -prune -o \
        -type f \( -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.hpp' \) -print0 2>/dev/null
}

case "${1:-}" in
--fix)
    sources | xargs -0 -r clang-format-19 -i
    ;;
--self-test)
    printf 'int  main( ){return 0 ;}\n' |
        clang-format-19 --dry-run -Werror --style="file:$root/.clang-format" \
            --assume-filename=bad.cpp 2>/dev/null && fail "a badly formatted file was accepted"
    printf 'int main() {\n    return 0;\n}\n' |
        clang-format-19 --dry-run -Werror --style="file:$root/.clang-format" \
            --assume-filename=good.cpp || fail "a well formatted file was refused"
    ;;
*)
    sources | xargs -0 -r clang-format-19 --dry-run -Werror ||
        fail "some files aren't formatted: make format"
    ;;
esac

#!/usr/bin/env bash
# Refuses a public function, type or parameter that isn't documented, and documentation that doesn't
# fit the declaration.
#
#   tools/checks/docs.sh               check include/mullama
#   tools/checks/docs.sh --self-test   see undocumented declarations refused
. "$(dirname "$0")/../common.sh"

# check DIR: runs doxygen over a folder; its warnings go to standard error.
check() {
    local output
    output="$(mktemp -d)"
    local status=0
    doxygen - <<END >/dev/null || status=$?
INPUT = $1
RECURSIVE = YES
FILE_PATTERNS = *.h
OPTIMIZE_OUTPUT_FOR_C = YES
OUTPUT_DIRECTORY = $output
GENERATE_HTML = YES
GENERATE_LATEX = NO
HAVE_DOT = NO
GENERATE_XML = NO
QUIET = YES
EXTRACT_ALL = NO
WARN_IF_UNDOCUMENTED = YES
WARN_IF_DOC_ERROR = YES
WARN_IF_INCOMPLETE_DOC = YES
WARN_NO_PARAMDOC = YES
WARN_AS_ERROR = FAIL_ON_WARNINGS
ENABLE_PREPROCESSING = YES
MACRO_EXPANSION = YES
EXPAND_ONLY_PREDEF = YES
PREDEFINED = MULLAMA_API=
END
    rm -rf "$output"
    return "$status"
}

# expect WANTED NAME TEXT: writes TEXT as a header and checks it.
expect() {
    local folder status=0
    folder="$(mktemp -d)"
    printf '/** @file\n * A header. */\n%s\n' "$3" >"$folder/$2.h"
    check "$folder" 2>/dev/null || status=1
    rm -rf "$folder"
    [ "$status" = "$1" ] || fail "$2: expected $1, got $status"
}

if [ "${1:-}" = --self-test ]; then
    expect 0 good '/** Adds.
 * @param a first
 * @param b second
 * @return the sum
 */
MULLAMA_API int add(int a, int b);'
    expect 1 undocumented_function 'MULLAMA_API int add(int a, int b);'
    expect 1 undocumented_parameter '/** Adds.
 * @param a first
 * @return the sum
 */
MULLAMA_API int add(int a, int b);'
    expect 1 unknown_parameter '/** Adds.
 * @param a first
 * @param c second
 * @return the sum
 */
MULLAMA_API int add(int a);'
    expect 1 undocumented_member '/** A pair. */
struct pair {
    int a; /**< first */
    int b;
};'
else
    check "$root/include/mullama"
fi

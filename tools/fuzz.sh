#!/usr/bin/env bash
# Runs every fuzzer of a build folder for a budget of seconds and prints what it covered.
#
#   tools/fuzz.sh BUILD [SECONDS] [NAME...]      default: 20 seconds each, all of them
#
# A fuzzer <name> starts from fuzz/corpus/<name>, and from the fixtures of the build when its seeds
# are GGUF files. What it finds beyond that is kept in the cache folder from run to run. A crash
# leaves its input in BUILD/fuzz/crashes and fails.
. "$(dirname "$0")/common.sh"

build="${1:?usage: tools/fuzz.sh BUILD [SECONDS] [NAME...]}"
seconds="${2:-20}"
shift $(($# < 2 ? $# : 2))

fuzzers=("$@")
if [ "${#fuzzers[@]}" -eq 0 ]; then
    for program in "$build"/fuzz/fuzz_*; do
        [ -x "$program" ] && fuzzers+=("$(basename "${program#*fuzz_}")")
    done
fi
[ "${#fuzzers[@]}" -gt 0 ] || fail "$build/fuzz has no fuzzers; build the asan preset first"

crashes="$build/fuzz/crashes"
mkdir -p "$crashes"
for name in "${fuzzers[@]}"; do
    program="$build/fuzz/fuzz_$name"
    [ -x "$program" ] || fail "there is no fuzzer $program"
    kept="$cache_dir/fuzz/$name"
    mkdir -p "$kept"
    corpus=("$kept")
    [ -d "$root/fuzz/corpus/$name" ] && corpus+=("$root/fuzz/corpus/$name")
    if [[ $name == *gguf* ]] && [ -d "$build/fixtures" ]; then
        corpus+=("$build/fixtures")
    fi
    say "Fuzzing $name for $seconds s"
    log="$build/fuzz/$name.log"
    if ! "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$crashes/$name-" "${corpus[@]}" >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        fail "fuzzer $name crashed; its input is in $crashes"
    fi
    counters="$(sed -n 's/.*(\([0-9]*\) inline 8-bit counters).*/\1/p' "$log" | head -n 1)"
    covered="$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)"
    runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    printf '    %s: %s runs, covered %s of %s branches\n' \
        "$name" "$runs" "${covered:-0}" "${counters:-?}"
done

#!/usr/bin/env bash
# Builds and runs the benchmarks, each in its own process.
. "$(dirname "$0")/common.sh"

"$root/tools/build.sh" bench
build="$root/build/bench"
"$python" "$root/models/fixtures/write.py" --out "$build/fixtures"
for program in "$build"/bin/*_bench; do
    say "$(basename "$program")"
    "$program"
done

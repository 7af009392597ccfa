#!/usr/bin/env bash
# Builds and runs the benchmarks, each in its own process. MODEL=path chooses the model; by default
# it is the story model where the workplace has one, else a fixture.
. "$(dirname "$0")/common.sh"

"$root/tools/build.sh" bench
build="$root/build/bench"
"$python" "$root/models/fixtures/write.py" --out "$build/fixtures"
model="${MODEL:-}"
if [ -z "$model" ]; then
    model="$root/../shared/models/stories260K.gguf"
    [ -f "$model" ] || model="$build/fixtures/llama.gguf"
fi
for program in "$build"/bin/*_bench; do
    say "$(basename "$program")"
    "$program" "$model"
done
say "mullama bench against llama-bench"
"$python" "$root/bench/llama_bench.py" "$build/bin/mullama" "$build/bin/llama-bench" "$model"

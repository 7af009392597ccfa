#!/usr/bin/env bash
# Generates text with the release build: from MODEL and PROMPT, else from a fixture it writes.
. "$(dirname "$0")/common.sh"

program="$root/build/release/bin/mullama"
if [ -z "${MODEL:-}" ]; then
    fixtures="$root/build/release/fixtures"
    "$python" "$root/models/fixtures/write.py" --out "$fixtures" --only llama
    MODEL="$fixtures/llama.gguf"
    say "No MODEL was given: using ${MODEL#"$root/"}, tiny and random, so its text is nonsense"
fi
# What this script was started with on standard input is not meant as a prompt.
exec "$program" run "$MODEL" "${PROMPT:-Once upon a time}" </dev/null

#!/usr/bin/env bash
# Builds the dev preset and runs all of its tests.
. "$(dirname "$0")/common.sh"

"$root/tools/build.sh" dev
say "Testing with MULLAMA_TEST_SEED=${MULLAMA_TEST_SEED:-unset}"
cd "$root"
ctest --preset dev

#!/usr/bin/env bash
# Configures and builds a preset.
#
#   tools/build.sh PRESET [TARGET...]
. "$(dirname "$0")/common.sh"

preset="${1:?usage: tools/build.sh PRESET [TARGET...]}"
shift
cd "$root"
say "Building preset $preset"
cmake --preset "$preset" --log-level=WARNING
if [ $# -gt 0 ]; then
    cmake --build --preset "$preset" --target "$@"
else
    cmake --build --preset "$preset"
fi

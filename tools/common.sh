# Sourced by the scripts of tools/: where things are, and how to speak.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# The same answer as cmake/CacheDir.cmake.
if [ -n "${MULLAMA_CACHE_DIR:-}" ]; then
    cache_dir="$MULLAMA_CACHE_DIR"
else
    cache_dir="${XDG_CACHE_HOME:-$HOME/.cache}/mullama"
fi
python="$cache_dir/venv/bin/python"

say() { printf '==> %s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

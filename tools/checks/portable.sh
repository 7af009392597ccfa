#!/usr/bin/env bash
# Builds the portable preset and sees that its libraries run where they claim to: each uses the
# registers of its own CPU level and no wider ones, the loader picks by level, and the baseline
# generates text on an emulated CPU that has nothing else.
#
#   tools/checks/portable.sh
#   tools/checks/portable.sh --self-test   see a library of a too high level refused
. "$(dirname "$0")/../common.sh"

# uses LIBRARY REGISTER: whether its code names that kind of register. grep counts rather than stops at
# the first: objdump cut off in writing would count as failed.
uses() { [ "$(objdump -d --no-show-raw-insn "$1" | grep -c "%$2[0-9]")" -gt 0 ]; }

# expect_level LIBRARY LEVEL
expect_level() {
    case "$2" in
    baseline | x86-64-v2)
        ! uses "$1" ymm || fail "$1 uses AVX registers, which $2 lacks"
        ;;
    x86-64-v3)
        uses "$1" ymm || fail "$1 doesn't use the AVX registers of $2"
        ! uses "$1" zmm || fail "$1 uses AVX-512 registers, which $2 lacks"
        ;;
    x86-64-v4)
        uses "$1" zmm || fail "$1 doesn't use the AVX-512 registers of $2"
        ;;
    esac
}

if [ "${1:-}" = --self-test ]; then
    folder="$(mktemp -d)"
    trap 'rm -rf "$folder"' EXIT
    printf 'float f(const float *a) { float s = 0; for (int i = 0; i < 64; ++i) s += a[i]; return s; }' \
        >"$folder/sum.c"
    for level in x86-64 x86-64-v3; do
        cc -O3 -ffast-math -march=$level -mprefer-vector-width=256 -shared -fPIC \
            -o "$folder/$level.so" "$folder/sum.c"
    done
    (expect_level "$folder/x86-64.so" baseline)
    (expect_level "$folder/x86-64-v3.so" x86-64-v3)
    ! (expect_level "$folder/x86-64-v3.so" baseline) 2>/dev/null || fail "AVX in a baseline passed"
    ! (expect_level "$folder/x86-64.so" x86-64-v3) 2>/dev/null || fail "a v3 without AVX passed"
    exit 0
fi

"$root/tools/build.sh" portable
build="$root/build/portable"
name=libmullama.so.0
expect_level "$build/lib/$name" baseline
for level in x86-64-v2 x86-64-v3 x86-64-v4; do
    expect_level "$build/lib/glibc-hwcaps/$level/$name" "$level"
done

# The loader, told which levels it may take, as a CPU would tell it. It takes none above this CPU's own.
loader="$(ldd "$build/bin/mullama" | sed -n 's/^[[:space:]]*\(\/[^ ]*ld-linux[^ ]*\).*/\1/p')"
picked() {
    "$loader" --glibc-hwcaps-mask "$1" --list "$build/bin/mullama" |
        sed -n "s/.*=> \(.*$name\) .*/\1/p"
}
[ "$(picked none)" = "$build/lib/$name" ] || fail "a plain CPU would load $(picked none)"
for level in $("$loader" --help | sed -n 's/^ *\(x86-64-v[0-9]\) (supported.*/\1/p'); do
    [ "$(picked "$level")" = "$build/lib/glibc-hwcaps/$level/$name" ] ||
        fail "a CPU of level $level would load $(picked "$level")"
    say "The loader picks $level"
done

"$python" "$root/models/fixtures/write.py" --out "$build/fixtures" --only llama
say "Generating on an emulated CPU without SSE3 or AVX"
qemu-x86_64 -cpu qemu64,-sse3,-ssse3,-sse4.1,-sse4.2 "$build/bin/mullama" run \
    "$build/fixtures/llama.gguf" "Once" --max-tokens 8 >/dev/null ||
    fail "the baseline library doesn't run on a baseline CPU"

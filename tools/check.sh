#!/usr/bin/env bash
# What make test leaves out because it takes longer: sanitizers, the other presets, clang-tidy and
# the fuzzers. Each part is timed; the first that fails ends the run.
. "$(dirname "$0")/common.sh"
cd "$root"

part() {
    local name="$1" start=$SECONDS
    shift
    say "$name"
    "$@"
    say "$name: passed in $((SECONDS - start)) s"
}

asan() {
    tools/build.sh asan
    ctest --preset asan
}
# Without the tests that count threads: ThreadSanitizer has one of its own. Of those that compare with
# llama.cpp, the random programs: they abort decodes from another thread.
tsan() {
    tools/build.sh tsan
    ctest --preset tsan
    build/tsan/bin/parity_tests --gtest_brief=1 --gtest_filter='Fixtures/Programs.*'
}
# Without those that watch processes, which under qemu are its own, and the slowest.
arm64() {
    tools/build.sh linux-arm64
    ctest --preset linux-arm64
}

part "Windows (mingw-w64)" tools/build.sh mingw64
part "AddressSanitizer and UBSan" asan
# As the asan preset compiles them, since that is clang and gcc's flags aren't all known to it.
part "clang-tidy" tools/checks/tidy.sh build/asan
part "Fuzzers" tools/fuzz.sh build/asan "${FUZZ_SECONDS:-20}"
part "ThreadSanitizer" tsan
part "Portable library" tools/checks/portable.sh
part "ARM64 under qemu" arm64

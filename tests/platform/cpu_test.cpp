#include "platform/cpu.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

namespace mullama::platform {
namespace {

TEST(Cpu, CountsFitTogether) {
    const CpuInfo info = cpu_info();
    EXPECT_GE(info.machine_threads, 1u);
    EXPECT_LE(info.allowed_threads, info.machine_threads);
    EXPECT_LE(info.allowed_cores, info.allowed_threads);
    EXPECT_LE(info.usable_threads, info.allowed_threads);
    EXPECT_GE(info.allowed_cores, 1u);
    EXPECT_GE(info.usable_threads, 1u);
    EXPECT_GE(info.machine_threads, std::thread::hardware_concurrency());
}

TEST(Cpu, AQuotaIsNeverOvercommitted) {
    EXPECT_EQ(threads_within(8, std::nullopt), 8u);
    EXPECT_EQ(threads_within(8, 16.0), 8u);
    EXPECT_EQ(threads_within(8, 4.0), 4u);
    EXPECT_EQ(threads_within(8, 3.9), 3u);
    EXPECT_EQ(threads_within(8, 0.5), 1u);
    EXPECT_EQ(threads_within(8, 0.0), 1u);
    EXPECT_EQ(threads_within(8, -1.0), 1u);
    EXPECT_EQ(threads_within(8, NAN), 8u);
}

#if defined(__x86_64__)
TEST(Cpu, AgreesWithTheCompiler) {
    const CpuInfo info = cpu_info();
    EXPECT_EQ(info.architecture, "x86_64");
    EXPECT_TRUE(info.has("sse2"));
    EXPECT_EQ(info.has("avx2"), __builtin_cpu_supports("avx2") != 0);
    EXPECT_EQ(info.has("fma"), __builtin_cpu_supports("fma") != 0);
    EXPECT_EQ(info.has("avx512f"), __builtin_cpu_supports("avx512f") != 0);
    const int level = __builtin_cpu_supports("x86-64-v4")   ? 4
                      : __builtin_cpu_supports("x86-64-v3") ? 3
                      : __builtin_cpu_supports("x86-64-v2") ? 2
                                                            : 1;
    EXPECT_EQ(info.x86_64_level, level);
    EXPECT_FALSE(info.model.empty());
}
#elif defined(__aarch64__)
TEST(Cpu, KnowsArm) {
    const CpuInfo info = cpu_info();
    EXPECT_EQ(info.architecture, "aarch64");
    EXPECT_EQ(info.x86_64_level, 0);
    EXPECT_TRUE(info.has("asimd"));
}
#endif

} // namespace
} // namespace mullama::platform

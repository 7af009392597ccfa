#include "platform/cpu.hpp"

#include "platform/file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

#include <sched.h>

namespace mullama::platform {
namespace {

TEST(CpuLinux, CountsOnlyWhereTheThreadMayRun) {
    cpu_set_t before;
    ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
    EXPECT_EQ(cpu_info().allowed_threads, static_cast<unsigned>(CPU_COUNT(&before)));

    int first = 0;
    while (!CPU_ISSET(first, &before))
        ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    const CpuInfo info = cpu_info();
    ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
    EXPECT_EQ(info.allowed_threads, 1u);
    EXPECT_EQ(info.allowed_cores, 1u);
    EXPECT_EQ(info.usable_threads, 1u);
}

#if defined(__x86_64__)
TEST(CpuLinux, AgreesWithTheKernel) {
    std::istringstream cpuinfo(read_whole_file("/proc/cpuinfo", 64 << 20));
    std::set<std::string> flags;
    for (std::string line; flags.empty() && std::getline(cpuinfo, line);) {
        if (!line.starts_with("flags"))
            continue;
        std::istringstream words(line.substr(line.find(':') + 1));
        for (std::string word; words >> word;)
            flags.insert(word == "pni" ? "sse3" : word);
    }
    ASSERT_FALSE(flags.empty());
    const CpuInfo info = cpu_info();
    for (const std::string &feature : info.features)
        EXPECT_TRUE(flags.contains(feature)) << feature;
    for (const char *name : {"sse4_2", "popcnt", "avx", "f16c", "fma", "bmi2", "avx2", "abm",
                             "avx512f", "avx512bw", "avx512vbmi", "avx512_vnni", "avx512_bf16",
                             "avx_vnni", "gfni", "vaes", "amx_int8", "movbe", "lahf_lm"}) {
        EXPECT_EQ(info.has(name), flags.contains(name)) << name;
    }
    EXPECT_EQ(info.model, system_cpu_model());
}
#endif

} // namespace
} // namespace mullama::platform

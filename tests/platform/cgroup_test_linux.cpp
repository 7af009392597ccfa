#include "platform/cgroup_linux.hpp"

#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace mullama::platform {
namespace {

constexpr std::uint64_t mib = 1 << 20;

TEST(Cgroup, NoneMeansNoLimit) {
    const test::TemporaryFolder root;
    const CgroupLimits limits = cgroup_limits(root.path());
    EXPECT_FALSE(limits.cpus);
    EXPECT_FALSE(limits.memory);
    EXPECT_FALSE(limits.memory_left);
}

TEST(Cgroup, Version2TakesTheNarrowestOfAllGroupsAround) {
    const test::TemporaryFolder root;
    root.write("proc/self/cgroup", "0::/outer/inner\n");
    root.write("proc/self/mountinfo",
               "22 1 0:20 / /proc rw - proc proc rw\n"
               "30 1 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
    root.write("sys/fs/cgroup/outer/cpu.max", "150000 100000\n");
    root.write("sys/fs/cgroup/outer/memory.max", "max\n");
    root.write("sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
    root.write("sys/fs/cgroup/outer/inner/memory.max", "1073741824\n");
    root.write("sys/fs/cgroup/outer/inner/memory.current", "524288000\n");
    root.write("sys/fs/cgroup/outer/inner/memory.stat",
               "anon 1\nfile 3\ninactive_file 104857600\nactive_file 2\n");
    const CgroupLimits limits = cgroup_limits(root.path());
    EXPECT_EQ(limits.cpus, 1.5);
    EXPECT_EQ(limits.memory, 1024 * mib);
    EXPECT_EQ(limits.memory_left, (1024 - 500 + 100) * mib);
}

TEST(Cgroup, InAContainerTheOwnGroupIsTheTop) {
    const test::TemporaryFolder root;
    root.write("proc/self/cgroup", "0::/\n");
    root.write("proc/self/mountinfo", "30 1 0:25 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
    root.write("sys/fs/cgroup/cpu.max", "50000 100000\n");
    root.write("sys/fs/cgroup/memory.max", "100\n");
    root.write("sys/fs/cgroup/memory.current", "200\n"); // over its limit
    const CgroupLimits limits = cgroup_limits(root.path());
    EXPECT_EQ(limits.cpus, 0.5);
    EXPECT_EQ(limits.memory, 100u);
    EXPECT_EQ(limits.memory_left, 0u);
}

TEST(Cgroup, Version1InAContainerWithTheHostsGroupNames) {
    const test::TemporaryFolder root;
    root.write("proc/self/cgroup", "12:cpuset:/docker/abc\n"
                                   "5:memory:/docker/abc\n"
                                   "4:cpu,cpuacct:/docker/abc\n"
                                   "0::/system.slice\n");
    root.write("proc/self/mountinfo",
               "40 1 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup "
               "rw,cpu,cpuacct\n"
               "41 1 0:31 /docker/abc /sys/fs/cgroup/a\\040memory ro - cgroup cgroup rw,memory\n");
    root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
    root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    root.write("sys/fs/cgroup/a memory/memory.limit_in_bytes", "2097152\n");
    root.write("sys/fs/cgroup/a memory/memory.usage_in_bytes", "1048576\n");
    root.write("sys/fs/cgroup/a memory/memory.stat", "cache 7\ntotal_inactive_file 524288\n");
    const CgroupLimits limits = cgroup_limits(root.path());
    EXPECT_EQ(limits.cpus, 2.0);
    EXPECT_EQ(limits.memory, 2 * mib);
    EXPECT_EQ(limits.memory_left, 2 * mib - mib / 2);
}

TEST(Cgroup, Version1SaysNoneWithNumbers) {
    const test::TemporaryFolder root;
    root.write("proc/self/cgroup", "2:memory:/\n1:cpu:/\n");
    root.write("proc/self/mountinfo", "40 1 0:30 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
                                      "41 1 0:31 / /cg/memory rw - cgroup cgroup rw,memory\n");
    root.write("cg/cpu/cpu.cfs_quota_us", "-1\n");
    root.write("cg/cpu/cpu.cfs_period_us", "100000\n");
    root.write("cg/memory/memory.limit_in_bytes", "9223372036854771712\n");
    root.write("cg/memory/memory.usage_in_bytes", "1048576\n");
    const CgroupLimits limits = cgroup_limits(root.path());
    EXPECT_FALSE(limits.cpus);
    EXPECT_FALSE(limits.memory);
}

TEST(Cgroup, NonsenseMeansNoLimit) {
    const test::TemporaryFolder root;
    root.write("proc/self/cgroup", "0::/a\n:\nnonsense\n0:\n\n");
    root.write("proc/self/mountinfo",
               "1 2 3\n - cgroup2\n30 1 0:25 / /cg rw - cgroup2 cgroup rw\n");
    root.write("cg/a/cpu.max", "100000\n");
    root.write("cg/a/memory.max", "\n");
    root.write("cg/cpu.max", "0 0\n");
    const CgroupLimits limits = cgroup_limits(root.path());
    EXPECT_FALSE(limits.cpus);
    EXPECT_FALSE(limits.memory);
}

} // namespace
} // namespace mullama::platform

#include "platform/memory.hpp"

#include <gtest/gtest.h>

#ifndef _WIN32
#include <unistd.h>
#endif

namespace mullama::platform {
namespace {

TEST(Memory, IsThereAndWithinTheMachines) {
    const MemoryInfo info = memory_info();
    EXPECT_GT(info.available, std::uint64_t{1} << 20);
    EXPECT_GE(info.total, info.available);
#ifndef _WIN32
    const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
    EXPECT_LE(info.total, pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
#endif
}

} // namespace
} // namespace mullama::platform

#include "platform/clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace mullama::platform {
namespace {

TEST(Clock, CountsNanosecondsAndNeverGoesBack) {
    const std::uint64_t start = monotonic_nanoseconds();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::uint64_t last = monotonic_nanoseconds();
    EXPECT_GE(last - start, 20'000'000u);
    EXPECT_LT(last - start, 20'000'000'000u);
    for (int i = 0; i < 100000; ++i) {
        const std::uint64_t now = monotonic_nanoseconds();
        ASSERT_GE(now, last);
        last = now;
    }
}

} // namespace
} // namespace mullama::platform

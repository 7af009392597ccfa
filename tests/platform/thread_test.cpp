#include "platform/thread.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <string>
#include <thread>

namespace mullama::platform {
namespace {

std::string name_after_setting(std::string_view name) {
    std::string result;
    std::thread([&] {
        set_thread_name(name);
        result = thread_name();
    }).join();
    return result;
}

TEST(Thread, HasItsNameAndOthersKeepTheirs) {
    const std::string own = thread_name();
    EXPECT_EQ(name_after_setting("decode"), "decode");
    EXPECT_EQ(thread_name(), own);
}

#ifdef __linux__
TEST(Thread, LongNamesAreCutBetweenCharacters) {
    EXPECT_EQ(name_after_setting("123456789012345678"), "123456789012345");
    EXPECT_EQ(name_after_setting("12345678901234\xC3\xA4"), "12345678901234");
}
#endif

TEST(Thread, AreCounted) {
    const std::size_t before = thread_count();
    ASSERT_GE(before, 1u);
    std::latch started(1);
    std::latch done(1);
    std::thread thread([&] {
        started.count_down();
        done.wait();
    });
    started.wait();
    EXPECT_EQ(thread_count(), before + 1);
    done.count_down();
    thread.join();
}

} // namespace
} // namespace mullama::platform

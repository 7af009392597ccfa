#include "platform/disk.hpp"

#include "base/error.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace mullama::platform {
namespace {

TEST(Disk, HasAsMuchRoomAsTheStandardLibrarySays) {
    const test::TemporaryFolder folder;
    const std::uint64_t space = free_disk_space(folder.path());
    const auto other = std::filesystem::space(folder.path()).available;
    // Others write meanwhile.
    constexpr double slack = 1 << 30;
    EXPECT_NEAR(static_cast<double>(space), static_cast<double>(other), slack);
    EXPECT_GT(space, 0u);
}

TEST(Disk, NamesAMissingFolder) {
    const test::TemporaryFolder folder;
    try {
        static_cast<void>(free_disk_space(folder.path("missing")));
        FAIL() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_NOT_FOUND);
        EXPECT_NE(error.message().find(folder.path("missing")), std::string::npos);
    }
}

} // namespace
} // namespace mullama::platform

#include "platform/location.hpp"

#include "platform/path.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace mullama::platform {
namespace {

TEST(Location, ProgramIsThisOne) {
    const std::string path = this_program_path();
    EXPECT_GT(root_size(path), 0u) << path;
    EXPECT_TRUE(std::filesystem::is_regular_file(path)) << path;
#ifdef __linux__
    EXPECT_EQ(path, std::filesystem::read_symlink("/proc/self/exe").string());
#endif
}

TEST(Location, ALibraryThatIsLinkedIntoTheProgramIsTheProgram) {
    EXPECT_EQ(this_library_path(), this_program_path());
}

} // namespace
} // namespace mullama::platform

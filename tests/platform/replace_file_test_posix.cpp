#include "platform/replace_file.hpp"

#include "base/error.hpp"
#include "platform/file.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <string>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mullama::platform {
namespace {

void replace(std::string_view path, std::string_view content) {
    replace_file(path, std::as_bytes(std::span(content)));
}

base::ErrorCode code_of(std::string_view path, std::string_view content) {
    try {
        replace(path, content);
    } catch (const base::Error &error) {
        EXPECT_EQ(error.parts().parameter, "path");
        EXPECT_NE(error.message().find(path), std::string::npos) << error.message();
        return error.code();
    }
    return MULLAMA_OK;
}

mode_t mode_of(const std::string &path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
}

// No file of this process may grow beyond a size: a write fails in its middle.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t size) {
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
        EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
        const rlimit limit{size, before_.rlim_max};
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    }
    FileSizeLimit(const FileSizeLimit &) = delete;
    FileSizeLimit &operator=(const FileSizeLimit &) = delete;
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    void (*handler_)(int) = nullptr;
    rlimit before_{};
};

TEST(ReplaceFilePosix, AWriteThatFailsHalfwayLeavesTheOldFile) {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("file", "old");
    base::ErrorCode code = MULLAMA_OK;
    {
        const FileSizeLimit limit(4096);
        code = code_of(path, std::string(100000, 'x'));
    }
    EXPECT_EQ(code, MULLAMA_ERROR_IO);
    EXPECT_EQ(read_whole_file(path, 100), "old");
    const std::filesystem::directory_iterator files(folder.path());
    EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "something is left behind";
    replace(path, std::string(100000, 'x'));
    EXPECT_EQ(read_whole_file(path, 1 << 20).size(), 100000u);
}

// Whatever the mask and the old file allow.
TEST(ReplaceFilePosix, OnlyItsUserMayReadIt) {
    const test::TemporaryFolder folder;
    const std::string path = folder.path("file");
    const mode_t mask = ::umask(0);
    replace(path, "first");
    EXPECT_EQ(mode_of(path), mode_t{0600});
    EXPECT_EQ(::chmod(path.c_str(), 0666), 0);
    replace(path, "second");
    EXPECT_EQ(mode_of(path), mode_t{0600});
    ::umask(mask);
}

TEST(ReplaceFilePosix, SaysThatAccessIsRefused) {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("file", "old");
    ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
    const uid_t user = ::geteuid();
    if (user == 0) { // who may write everywhere
        ASSERT_EQ(::seteuid(65534), 0);
    }
    EXPECT_EQ(code_of(path, "new"), MULLAMA_ERROR_PERMISSION);
    ASSERT_EQ(::seteuid(user), 0);
    ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
    EXPECT_EQ(read_whole_file(path, 100), "old");
}

TEST(ReplaceFilePosix, ADeviceAndAPipeStayWhatTheyAre) {
    EXPECT_EQ(code_of("/dev/null", "x"), MULLAMA_ERROR_IO);
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
    const test::TemporaryFolder folder;
    const std::string path = folder.path("pipe");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(code_of(path, "x"), MULLAMA_ERROR_IO);
    EXPECT_TRUE(std::filesystem::is_fifo(path));
}

// A link is replaced itself: what it names belongs to somebody else.
TEST(ReplaceFilePosix, WhatALinkNamesStaysAsItWas) {
    const test::TemporaryFolder folder;
    const std::string target = folder.write("target", "old");
    const std::string link = folder.path("link");
    std::filesystem::create_symlink(target, link);
    replace(link, "new");
    EXPECT_EQ(read_whole_file(target, 100), "old");
    EXPECT_EQ(read_whole_file(link, 100), "new");
    EXPECT_FALSE(std::filesystem::is_symlink(link));
}

} // namespace
} // namespace mullama::platform

#include "platform/file.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "platform/c_file.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mullama::platform {
namespace {

TEST(FilePosix, IsNotPassedOnToChildren) {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("file", "x");
    const File file = File::open(path);
    EXPECT_EQ(::fcntl(file.native(), F_GETFD), FD_CLOEXEC);
    const CFile c_file = open_c_file(path);
    EXPECT_EQ(::fcntl(::fileno(c_file.get()), F_GETFD), FD_CLOEXEC);
}

TEST(FilePosix, NeverTakesTheStandardStreamsPlace) {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("file", "x");
    const int input = ::dup(STDIN_FILENO);
    ::close(STDIN_FILENO);
    {
        const File file = File::open(path);
        EXPECT_GT(file.native(), 2);
        EXPECT_EQ(::fcntl(file.native(), F_GETFD), FD_CLOEXEC);
        EXPECT_EQ(::fcntl(STDIN_FILENO, F_GETFD), -1) << "still closed";
    }
    if (input >= 0) {
        ::dup2(input, STDIN_FILENO);
        ::close(input);
    }
}

TEST(FilePosix, RefusesAPipeWithoutWaitingForAWriter) {
    const test::TemporaryFolder folder;
    const std::string path = folder.path("pipe");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    try {
        static_cast<void>(File::open(path));
        FAIL() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_IO);
        EXPECT_EQ(error.parts().actual, "a pipe");
        EXPECT_EQ(error.message(), "cannot read '" + path + "': it is a pipe");
    }
}

TEST(FilePosix, RefusesADevice) {
    try {
        static_cast<void>(File::open("/dev/null"));
        FAIL() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.parts().actual, "a device");
    }
}

TEST(FilePosix, SaysThatAccessIsRefused) {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("secret", "x");
    ASSERT_EQ(::chmod(path.c_str(), 0), 0);
    const uid_t user = ::geteuid();
    if (user == 0) { // who may read everything
        ASSERT_EQ(::seteuid(65534), 0);
    }
    try {
        static_cast<void>(File::open(path));
        ADD_FAILURE() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_PERMISSION);
        EXPECT_EQ(error.message(), "cannot open '" + path + "': Permission denied");
    }
    ASSERT_EQ(::seteuid(user), 0);
}

TEST(FilePosix, TooManyOpenFilesPasses) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
    GTEST_SKIP()
        << "UBSan opens a pipe to look at an object, and takes its failure for a bad object";
#endif
#endif
    const test::TemporaryFolder folder;
    const std::string path = folder.write("file", "x");
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{0, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    try {
        static_cast<void>(File::open(path));
        ADD_FAILURE() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_IO);
        EXPECT_TRUE(error.parts().retryable);
    }
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(File::open(path).size(), 1u);
}

TEST(FilePosix, KeepsAPathThatIsNotUtf8ButMessagesAreUtf8) {
    const test::TemporaryFolder folder;
    const std::string path = folder.path() + "/\xFF\xFE";
    try {
        static_cast<void>(File::open(path));
        FAIL() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_NOT_FOUND);
        EXPECT_EQ(base::find_invalid_utf8(error.message()), std::string::npos);
    }
#ifdef __linux__ // macOS has no such file names
    std::ofstream(path) << "x";
    EXPECT_EQ(File::open(path).size(), 1u);
#endif
}

TEST(FilePosix, WholeFileReadsAPipeToItsEnd) {
    const test::TemporaryFolder folder;
    const std::string path = folder.path("pipe");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    std::thread writer([&] {
        std::ofstream pipe(path);
        pipe << "one " << std::flush;
        pipe << "two";
    });
    EXPECT_EQ(read_whole_file(path, 100), "one two");
    writer.join();
}

#ifdef __linux__
TEST(FilePosix, WholeFileReadsWhatHasNoSize) {
    EXPECT_NE(read_whole_file("/proc/self/status", 1 << 20).find("\nThreads:"), std::string::npos);
}
#endif

} // namespace
} // namespace mullama::platform

#include "platform/replace_file.hpp"

#include "base/error.hpp"
#include "platform/file.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

namespace mullama::platform {
namespace {

void replace(std::string_view path, std::string_view content) {
    replace_file(path, std::as_bytes(std::span(content)));
}

base::Error error_of(std::string_view path, std::span<const std::byte> bytes) {
    try {
        replace_file(path, bytes);
    } catch (const base::Error &error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return base::Error(MULLAMA_OK, "");
}

base::Error error_of(std::string_view path) {
    return error_of(path, {});
}

std::string content_of(const std::string &path) {
    return read_whole_file(path, std::numeric_limits<std::uint32_t>::max());
}

std::size_t count_files(const test::TemporaryFolder &folder) {
    const std::filesystem::directory_iterator files(folder.path());
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST(ReplaceFile, MakesAFileAndReplacesIt) {
    const test::TemporaryFolder folder;
    const std::string path = folder.path("gr\xC3\xBC\xC3\x9F");
    std::string large;
    for (int i = 0; i < 100000; ++i)
        large += std::to_string(i);
    for (const std::string &content : {std::string("first"), large, std::string(), large}) {
        replace(path, content);
        EXPECT_EQ(content_of(path), content);
        EXPECT_EQ(count_files(folder), 1u) << "something is left behind";
    }
}

// Until the new one is there, whoever opened the old one reads it.
TEST(ReplaceFile, LeavesTheOldFileToItsReaders) {
#ifdef _WIN32
    GTEST_SKIP() << "a file that is open for reading cannot be replaced";
#endif
    const test::TemporaryFolder folder;
    const std::string path = folder.write("file", "the old one");
    const File old = File::open(path);
    replace(path, "new");
    std::string text(11, '\0');
    EXPECT_EQ(old.read(0, std::as_writable_bytes(std::span(text))), 11u);
    EXPECT_EQ(text, "the old one");
    EXPECT_EQ(content_of(path), "new");
}

TEST(ReplaceFile, AFileNameAloneIsInTheCurrentFolder) {
    const test::TemporaryFolder folder;
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    replace("alone", "x");
    std::filesystem::current_path(before);
    EXPECT_EQ(content_of(folder.path("alone")), "x");
    EXPECT_EQ(count_files(folder), 1u);
}

// The passing name beside it may not be longer than what a folder can hold.
TEST(ReplaceFile, TakesTheLongestNames) {
    const test::TemporaryFolder folder;
    const std::string path = folder.path(std::string(255, 'n'));
    replace(path, "first");
    replace(path, "second");
    EXPECT_EQ(content_of(path), "second");
    EXPECT_EQ(count_files(folder), 1u);
}

TEST(ReplaceFile, ADiskWithTooLittleRoomIsNotWrittenTo) {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("file", "old");
    const char byte = 'x';
    // Never read: no disk has that much.
    constexpr std::size_t much = std::numeric_limits<std::size_t>::max() / 4;
    const base::Error error =
        error_of(path, std::span(reinterpret_cast<const std::byte *>(&byte), much));
    EXPECT_EQ(error.code(), MULLAMA_ERROR_NO_SPACE);
    EXPECT_EQ(error.parts().parameter, "path");
    EXPECT_EQ(error.parts().actual, std::to_string(much));
    EXPECT_NE(error.message().find(path), std::string::npos) << error.message();
    EXPECT_EQ(content_of(path), "old");
    EXPECT_EQ(count_files(folder), 1u);
}

TEST(ReplaceFile, SaysWhereAFolderIsMissing) {
    const test::TemporaryFolder folder;
    const std::string path = folder.path("none/file");
    const base::Error error = error_of(path);
    EXPECT_EQ(error.code(), MULLAMA_ERROR_NOT_FOUND);
    EXPECT_EQ(error.parts().parameter, "path");
    EXPECT_NE(error.message().find(folder.path("none")), std::string::npos) << error.message();
    const std::string below = folder.write("file", "old") + "/below";
    EXPECT_EQ(error_of(below).code(), MULLAMA_ERROR_NOT_FOUND);
    EXPECT_EQ(content_of(folder.path("file")), "old");
    EXPECT_EQ(count_files(folder), 1u);
}

TEST(ReplaceFile, AFolderIsNotReplaced) {
    const test::TemporaryFolder folder;
    const std::string inner = folder.path("inner");
    std::filesystem::create_directory(inner);
    const base::Error error = error_of(inner);
    EXPECT_TRUE(error.code() == MULLAMA_ERROR_IO || error.code() == MULLAMA_ERROR_PERMISSION)
        << error.message();
    EXPECT_EQ(error.parts().parameter, "path");
    EXPECT_TRUE(std::filesystem::is_directory(inner));
    EXPECT_EQ(count_files(folder), 1u);
}

TEST(ReplaceFile, NoPathIsRefused) {
    EXPECT_EQ(error_of("").code(), MULLAMA_ERROR_INVALID_ARGUMENT);
    const base::Error error = error_of(std::string_view("a\0b", 3));
    EXPECT_EQ(error.code(), MULLAMA_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(error.parts().offset, 1);
}

} // namespace
} // namespace mullama::platform

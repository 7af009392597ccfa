#include "platform/file.hpp"

#include "base/error.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace mullama::platform {
namespace {

base::Error error_of(const std::function<void()> &call) {
    try {
        call();
    } catch (const base::Error &error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return base::Error(MULLAMA_OK, "");
}

std::string read(const File &file, std::uint64_t offset, std::size_t size) {
    std::string text(size, '\0');
    text.resize(file.read(offset, std::as_writable_bytes(std::span(text))));
    return text;
}

TEST(File, ReadsAnywhere) {
    const test::TemporaryFolder folder;
    const File file = File::open(folder.write("digits", "0123456789"));
    EXPECT_EQ(file.size(), 10u);
    EXPECT_EQ(file.path(), folder.path("digits"));
    EXPECT_EQ(read(file, 0, 10), "0123456789");
    EXPECT_EQ(read(file, 7, 2), "78");
    EXPECT_EQ(read(file, 7, 100), "789");
    EXPECT_EQ(read(file, 10, 1), "");
    EXPECT_EQ(read(file, 1000, 1), "");
    EXPECT_EQ(read(file, std::numeric_limits<std::uint64_t>::max(), 5), "");
    EXPECT_EQ(read(file, 3, 0), "");
}

TEST(File, IsSharedByThreads) {
    const test::TemporaryFolder folder;
    std::string content;
    for (int i = 0; i < 10000; ++i)
        content += std::to_string(100000 + i);
    const File file = File::open(folder.write("numbers", content));
    std::array<int, 4> wrong{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t) {
        threads.emplace_back([&, t] {
            for (std::size_t i = 0; i < 2000; ++i) {
                const std::size_t number = (i * 7919 + t * 31) % 10000;
                if (read(file, number * 6, 6) != std::to_string(100000 + number))
                    ++wrong[t];
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_EQ(wrong, (std::array<int, 4>{}));
}

TEST(File, NamesThatAreNotAsciiWork) {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC/\xF0\x9F\x98\x80", "x");
    EXPECT_EQ(File::open(path).size(), 1u);
}

TEST(File, SaysWhatIsMissing) {
    const test::TemporaryFolder folder;
    const std::string path = folder.path("missing.gguf");
    const base::Error error = error_of([&] { static_cast<void>(File::open(path)); });
    EXPECT_EQ(error.code(), MULLAMA_ERROR_NOT_FOUND);
    EXPECT_EQ(error.parts().parameter, "path");
    EXPECT_NE(error.message().find(path), std::string::npos) << error.message();
#ifndef _WIN32
    EXPECT_EQ(error.message(), "cannot open '" + path + "': No such file or directory");
    const std::string below = folder.write("file", "x") + "/below";
    EXPECT_EQ(error_of([&] { static_cast<void>(File::open(below)); }).code(),
              MULLAMA_ERROR_NOT_FOUND);
#endif
}

TEST(File, RefusesAFolderByName) {
    const test::TemporaryFolder folder;
    const auto calls = {
        std::function<void()>([&] { static_cast<void>(File::open(folder.path())); }),
        std::function<void()>([&] { static_cast<void>(read_whole_file(folder.path(), 1)); })};
    for (const auto &call : calls) {
        const base::Error error = error_of(call);
        EXPECT_EQ(error.code(), MULLAMA_ERROR_IO);
        EXPECT_EQ(error.parts().actual, "a folder");
        EXPECT_NE(error.message().find(folder.path()), std::string::npos) << error.message();
    }
}

TEST(ReadWholeFile, ReadsAllOfItUpToTheLimit) {
    const test::TemporaryFolder folder;
    EXPECT_EQ(read_whole_file(folder.write("empty", ""), 0), "");
    for (const std::size_t size : {1u, 4095u, 4096u, 4097u, 100000u}) {
        std::string content(size, 'x');
        content.back() = 'y';
        const std::string path = folder.write("file", content);
        EXPECT_EQ(read_whole_file(path, size), content);
        const base::Error error =
            error_of([&] { static_cast<void>(read_whole_file(path, size - 1)); });
        EXPECT_EQ(error.code(), MULLAMA_ERROR_OUT_OF_RANGE);
        EXPECT_EQ(error.parts().expected, "at most " + std::to_string(size - 1) + " bytes");
    }
}

} // namespace
} // namespace mullama::platform

#include "platform/c_file.hpp"

#include "base/error.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mullama::platform {
namespace {

TEST(CFile, ReadsBytesAsTheyAre) {
    const test::TemporaryFolder folder;
    const std::string content = "a\r\nb\x1A\nc";
    const CFile file = open_c_file(folder.write("file", content));
    std::string text(100, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    EXPECT_EQ(text, content);
    ASSERT_EQ(std::fseek(file.get(), 3, SEEK_SET), 0);
    EXPECT_EQ(std::fgetc(file.get()), 'b');
}

TEST(CFile, RefusesWhatFileRefuses) {
    const test::TemporaryFolder folder;
    try {
        static_cast<void>(open_c_file(folder.path("missing")));
        FAIL() << "not refused";
    } catch (const base::Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_NOT_FOUND);
    }
}

} // namespace
} // namespace mullama::platform

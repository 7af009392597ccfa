#include "platform/mapping.hpp"

#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mullama::platform {
namespace {

std::string_view text(const Mapping &mapping) {
    return {reinterpret_cast<const char *>(mapping.bytes().data()), mapping.bytes().size()};
}

TEST(Mapping, HasTheFilesBytesAndOutlivesIt) {
    const test::TemporaryFolder folder;
    const std::string content(100000, 'x');
    std::optional<File> file(File::open(folder.write("file", content + "end")));
    const Mapping mapping(*file);
    file.reset();
    EXPECT_EQ(text(mapping), content + "end");
}

TEST(Mapping, OfAnEmptyFileIsEmpty) {
    const test::TemporaryFolder folder;
    const Mapping mapping(File::open(folder.write("empty", "")));
    EXPECT_TRUE(mapping.bytes().empty());
}

TEST(Mapping, Moves) {
    const test::TemporaryFolder folder;
    Mapping a(File::open(folder.write("a", "aaa")));
    Mapping b(File::open(folder.write("b", "bb")));
    Mapping c(std::move(a));
    EXPECT_TRUE(a.bytes().empty()); // NOLINT: that is what is tested
    EXPECT_EQ(text(c), "aaa");
    c = std::move(b);
    EXPECT_EQ(text(c), "bb");
}

} // namespace
} // namespace mullama::platform

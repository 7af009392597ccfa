#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "core/gguf/split.hpp"
#include "support/gguf_builder.hpp"

namespace {

using mullama::base::Error;
using mullama::core::gguf::check_split;
using mullama::core::gguf::File;
using mullama::core::gguf::SpanSource;
using mullama::core::gguf::split_info;
using mullama::core::gguf::split_names;
using mullama::core::gguf::SplitInfo;
using mullama::test::GgufBuilder;

GgufBuilder part(std::uint16_t number, std::uint16_t count) {
    GgufBuilder builder;
    builder.set<std::uint16_t>("split.no", number)
        .set<std::uint16_t>("split.count", count)
        .set<std::int32_t>("split.tensors.count", count)
        .tensor("tensor" + std::to_string(number), {4});
    return builder;
}

File parse(const GgufBuilder &builder) {
    const auto bytes = builder.build();
    return File::parse(SpanSource(bytes));
}

Error::Parts error_of(const std::vector<GgufBuilder> &builders) {
    std::vector<File> files;
    for (const GgufBuilder &builder : builders) {
        files.push_back(parse(builder));
    }
    std::vector<const File *> parts;
    for (const File &file : files) {
        parts.push_back(&file);
    }
    try {
        check_split(parts);
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_BAD_MODEL);
        return error.parts();
    }
    return {MULLAMA_OK, {}, {}, {}, {}, {}, -1, 0, 0, false, {}};
}

TEST(GgufSplit, AWholeModelIsNoPart) {
    EXPECT_FALSE(split_info(parse(GgufBuilder().tensor("a", {1}))).has_value());
    EXPECT_FALSE(split_info(parse(part(0, 1))).has_value());
    EXPECT_EQ(error_of({GgufBuilder().tensor("a", {1})}).code, MULLAMA_OK);
}

TEST(GgufSplit, NamesAllParts) {
    const auto info = split_info(parse(part(0, 3)));
    ASSERT_TRUE(info.has_value());
    EXPECT_EQ(info->number, 0U);
    EXPECT_EQ(info->count, 3U);
    const auto names = split_names("/models/m-00001-of-00003.gguf", *info);
    ASSERT_EQ(names.size(), 3U);
    EXPECT_EQ(names[0], "/models/m-00001-of-00003.gguf");
    EXPECT_EQ(names[1], "/models/m-00002-of-00003.gguf");
    EXPECT_EQ(names[2], "/models/m-00003-of-00003.gguf");
}

TEST(GgufSplit, SaysWhichNameItExpected) {
    const auto expected = [](std::string_view name, const SplitInfo &info) {
        try {
            static_cast<void>(split_names(name, info));
        } catch (const Error &error) {
            EXPECT_EQ(error.code(), MULLAMA_ERROR_BAD_FILE);
            return error.parts().expected;
        }
        return std::string();
    };
    EXPECT_EQ(expected("model.gguf", {0, 3}), "NAME-00001-of-00003.gguf");
    EXPECT_EQ(expected("m-00001-of-00002.gguf", {0, 3}), "NAME-00001-of-00003.gguf");
    EXPECT_EQ(expected("-00001-of-00003.gguf", {0, 3}), "NAME-00001-of-00003.gguf");
    EXPECT_EQ(expected("m-00002-of-00003.gguf", {1, 3}), "m-00001-of-00003.gguf");
}

TEST(GgufSplit, RefusesNumbersThatMakeNoSense) {
    EXPECT_THROW(static_cast<void>(split_info(parse(part(3, 3)))), Error);
    GgufBuilder other_type = part(0, 3);
    other_type.set<std::uint32_t>("split.no", 0);
    EXPECT_THROW(static_cast<void>(split_info(parse(other_type))), Error);
    GgufBuilder missing = part(0, 3);
    missing.remove("split.no");
    EXPECT_THROW(static_cast<void>(split_info(parse(missing))), Error);
}

TEST(GgufSplit, AcceptsPartsThatBelongTogether) {
    EXPECT_EQ(error_of({part(0, 3), part(1, 3), part(2, 3)}).code, MULLAMA_OK);
}

TEST(GgufSplit, RefusesPartsThatDoNot) {
    EXPECT_EQ(error_of({part(0, 3), part(1, 3)}).actual, "2");
    EXPECT_EQ(error_of({part(0, 3), part(2, 3), part(1, 3)}).parameter, "split.no");
    EXPECT_EQ(error_of({part(0, 2), part(1, 3)}).parameter, "split.count");
    GgufBuilder same = part(1, 2);
    same.tensor_at(0).name = "tensor0";
    EXPECT_EQ(error_of({part(0, 2), same}).parameter, "tensor0");
    GgufBuilder more = part(1, 2);
    more.tensor("extra", {1});
    EXPECT_EQ(error_of({part(0, 2), more}).actual, "3 tensors");
    GgufBuilder first = part(0, 2);
    first.remove("split.tensors.count");
    EXPECT_EQ(error_of({first, part(1, 2)}).parameter, "split.tensors.count");
    GgufBuilder wrong_type = part(1, 2);
    wrong_type.set<std::int32_t>("split.no", 1);
    EXPECT_EQ(error_of({part(0, 2), wrong_type}).expected, "uint16");
}

} // namespace

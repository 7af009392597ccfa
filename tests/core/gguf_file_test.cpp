#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "core/gguf/file.hpp"
#include "support/gguf_builder.hpp"

namespace {

using mullama::base::Error;
using mullama::core::gguf::File;
using mullama::core::gguf::Source;
using mullama::core::gguf::SpanSource;
using mullama::core::gguf::Value;
using mullama::core::gguf::ValueType;
using mullama::test::Bytes;
using mullama::test::GgufBuilder;

File parse(const std::vector<std::byte> &bytes) {
    return File::parse(SpanSource(bytes));
}

// The error of parsing; its code is OK when there is none.
Error::Parts error_of(const std::vector<std::byte> &bytes) {
    try {
        static_cast<void>(parse(bytes));
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_BAD_FILE) << error.message();
        EXPECT_GE(error.parts().offset, 0) << error.message();
        EXPECT_LE(error.parts().offset, static_cast<std::int64_t>(bytes.size()));
        return error.parts();
    }
    return {MULLAMA_OK, {}, {}, {}, {}, {}, -1, 0, 0, false, {}};
}

GgufBuilder small() {
    GgufBuilder builder;
    builder.set("general.architecture", "llama")
        .set<std::uint32_t>("llama.block_count", 2)
        .set("tokenizer.ggml.tokens", std::vector<std::string>{"a", "", "bcd"})
        .tensor("first", {8, 3})
        .tensor("second", {5});
    return builder;
}

TEST(GgufFile, ReadsWhatWasWritten) {
    const auto bytes = small().build();
    const File file = parse(bytes);
    EXPECT_EQ(file.version(), 3U);
    EXPECT_EQ(file.alignment(), 32U);
    EXPECT_EQ(file.size(), bytes.size());
    EXPECT_EQ(file.data_offset() % 32, 0U);
    EXPECT_TRUE(file.mappable());
    ASSERT_EQ(file.metadata().size(), 3U);
    EXPECT_EQ(file.metadata()[0].key, "general.architecture");
    EXPECT_EQ(file.find("general.architecture")->as_string(), "llama");
    EXPECT_EQ(file.find("llama.block_count")->as_int(), 2);
    EXPECT_EQ(file.find("missing"), nullptr);
    ASSERT_EQ(file.tensors().size(), 2U);
    const auto *first = file.find_tensor("first");
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(first->n_dims, 2U);
    EXPECT_EQ(first->shape(), "[8, 3]");
    EXPECT_EQ(first->elements(), 24U);
    EXPECT_EQ(first->nbytes, 96U);
    EXPECT_EQ(first->type->name, "f32");
    EXPECT_EQ(file.find_tensor("second")->offset, 96U);
    EXPECT_EQ(file.find_tensor("third"), nullptr);
}

TEST(GgufFile, ReadsVersion2AndFilesWithoutTensors) {
    EXPECT_EQ(parse(small().version(2).build()).version(), 2U);
    GgufBuilder builder;
    builder.set("general.architecture", "llama");
    const File file = parse(builder.build());
    EXPECT_TRUE(file.tensors().empty());
    EXPECT_EQ(file.data_offset(), file.size());
    EXPECT_EQ(parse(GgufBuilder().build()).metadata().size(), 0U);
}

TEST(GgufFile, ReadsEveryValueType) {
    GgufBuilder builder;
    builder.set<std::uint8_t>("u8", 200)
        .set<std::int8_t>("i8", -100)
        .set<std::uint16_t>("u16", 60000)
        .set<std::int16_t>("i16", -30000)
        .set<std::uint32_t>("u32", 4000000000U)
        .set<std::int32_t>("i32", -2000000000)
        .set<float>("f32", 1.5F)
        .set<bool>("bool", true)
        .set<std::uint64_t>("u64", 18000000000000000000U)
        .set<std::int64_t>("i64", -9000000000000000000)
        .set<double>("f64", 0.1)
        .set("string", std::string_view("a\0b", 3))
        .set("floats", std::vector<float>{1.0F, -2.5F})
        .set("bools", std::vector<bool>{true, false, true})
        .set("none", std::vector<std::int32_t>{})
        .set("strings", std::vector<std::string>{"", "x", "yz"});
    const File file = parse(builder.build());
    EXPECT_EQ(file.find("u8")->as_int(), 200);
    EXPECT_EQ(file.find("i8")->as_int(), -100);
    EXPECT_EQ(file.find("u16")->as_int(), 60000);
    EXPECT_EQ(file.find("i16")->as_int(), -30000);
    EXPECT_EQ(file.find("u32")->as_int(), 4000000000);
    EXPECT_EQ(file.find("i32")->as_int(), -2000000000);
    EXPECT_EQ(file.find("f32")->as_float(), 1.5);
    EXPECT_TRUE(file.find("bool")->as_bool());
    EXPECT_EQ(file.find("u64")->as_uint(), 18000000000000000000U);
    EXPECT_THROW(static_cast<void>(file.find("u64")->as_int()), Error);
    EXPECT_EQ(file.find("i64")->as_int(), -9000000000000000000);
    EXPECT_THROW(static_cast<void>(file.find("i64")->as_uint()), Error);
    EXPECT_EQ(file.find("f64")->as_float(), 0.1);
    EXPECT_EQ(file.find("string")->as_string(), std::string_view("a\0b", 3));
    const Value &floats = *file.find("floats");
    EXPECT_TRUE(floats.is_array());
    EXPECT_EQ(floats.type(), ValueType::array);
    EXPECT_EQ(floats.element_type(), ValueType::float32);
    EXPECT_EQ(floats.count(), 2U);
    EXPECT_EQ(floats.as_float(1), -2.5);
    EXPECT_THROW(static_cast<void>(floats.as_float(2)), Error);
    EXPECT_THROW(static_cast<void>(floats.as_int(0)), Error);
    EXPECT_THROW(static_cast<void>(floats.as_string(0)), Error);
    EXPECT_THROW(static_cast<void>(floats.as_bool(0)), Error);
    EXPECT_FALSE(file.find("bools")->as_bool(1));
    EXPECT_EQ(file.find("none")->count(), 0U);
    EXPECT_EQ(file.find("strings")->as_string(0), "");
    EXPECT_EQ(file.find("strings")->as_string(2), "yz");
    EXPECT_EQ(file.find("strings")->description(), "array of 3 string");
    EXPECT_EQ(file.find("strings")->to_text(), "[, x, yz]");
    EXPECT_EQ(file.find("strings")->to_text(1), "[, ...]");
    EXPECT_EQ(file.find("floats")->to_text(0), "[...]");
    EXPECT_EQ(file.find("none")->to_text(), "[]");
    EXPECT_EQ(file.find("f32")->to_text(), "1.5");
    EXPECT_EQ(file.find("f64")->to_text(), "0.1");
    EXPECT_EQ(file.find("bool")->to_text(), "true");
    EXPECT_EQ(file.find("u64")->to_text(), "18000000000000000000");
}

TEST(GgufFile, RefusesWhatIsNoGguf) {
    EXPECT_NE(error_of({}).message.find("too short"), std::string::npos);
    EXPECT_NE(error_of(Bytes().raw("GGUF").data()).message.find("too short"), std::string::npos);
    Bytes other;
    other.raw("GGML").put<std::uint32_t>(3).put<std::uint64_t>(0).put<std::uint64_t>(0);
    const auto error = error_of(other.data());
    EXPECT_EQ(error.expected, "GGUF");
    EXPECT_EQ(error.actual, "GGML");
    EXPECT_EQ(error.offset, 0);
}

TEST(GgufFile, RefusesOtherVersionsByName) {
    EXPECT_NE(error_of(small().version(1).build()).message.find("version 1"), std::string::npos);
    EXPECT_EQ(error_of(small().version(4).build()).actual, "4");
    EXPECT_EQ(error_of(small().version(0).build()).actual, "0");
    const auto error = error_of(small().version(0x03000000).build());
    EXPECT_NE(error.message.find("big-endian"), std::string::npos);
    EXPECT_EQ(error.offset, 4);
}

TEST(GgufFile, RefusesCountsThatTheFileCannotHold) {
    for (const std::uint64_t count :
         {std::uint64_t{100}, std::uint64_t{1} << 32, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
        EXPECT_EQ(error_of(small().claim_entries(count).build()).code, MULLAMA_ERROR_BAD_FILE);
        EXPECT_EQ(error_of(small().claim_tensors(count).build()).code, MULLAMA_ERROR_BAD_FILE);
        Bytes numbers;
        numbers.put<std::uint32_t>(9).put<std::uint32_t>(4).put(count);
        EXPECT_EQ(error_of(small().append_raw("long", numbers).build()).code,
                  MULLAMA_ERROR_BAD_FILE);
        Bytes strings;
        strings.put<std::uint32_t>(9).put<std::uint32_t>(8).put(count);
        EXPECT_EQ(error_of(small().append_raw("long", strings).build()).code,
                  MULLAMA_ERROR_BAD_FILE);
        Bytes string;
        string.put<std::uint32_t>(8).put(count).raw("abc");
        const auto error = error_of(small().append_raw("long", string).build());
        EXPECT_EQ(error.code, MULLAMA_ERROR_BAD_FILE);
        // 100 bytes are there, though they are not the text's: the mistake shows later.
        EXPECT_EQ(error.message.find("'long'") != std::string::npos, count > 100) << error.message;
    }
}

TEST(GgufFile, RefusesBadKeys) {
    const Bytes value = Bytes().put<std::uint32_t>(0).put<std::uint8_t>(1);
    EXPECT_NE(error_of(small().append_raw("", value).build()).message.find("key"),
              std::string::npos);
    EXPECT_NE(error_of(small().append_raw("a\nb", value).build()).message.find("key"),
              std::string::npos);
    EXPECT_NE(error_of(small().append_raw("a\xff", value).build()).message.find("key"),
              std::string::npos);
    EXPECT_EQ(error_of(small().append_raw(std::string(65535, 'k'), value).build()).code,
              MULLAMA_OK);
    EXPECT_EQ(error_of(small().append_raw(std::string(65536, 'k'), value).build()).actual,
              "65536 bytes");
    const auto twice = error_of(small().append_raw("llama.block_count", value).build());
    EXPECT_EQ(twice.parameter, "llama.block_count");
    EXPECT_NE(twice.message.find("twice"), std::string::npos);
}

TEST(GgufFile, RefusesBadValueTypes) {
    const auto unknown = error_of(
        small().append_raw("odd", Bytes().put<std::uint32_t>(13).put<std::uint64_t>(0)).build());
    EXPECT_EQ(unknown.parameter, "odd");
    EXPECT_EQ(unknown.actual, "type 13");
    const auto nested = error_of(
        small()
            .append_raw("odd",
                        Bytes().put<std::uint32_t>(9).put<std::uint32_t>(9).put<std::uint64_t>(0))
            .build());
    EXPECT_NE(nested.message.find("array of arrays"), std::string::npos);
}

TEST(GgufFile, RefusesBadAlignments) {
    for (const std::uint32_t alignment : {0U, 1U, 4U, 24U, 33U}) {
        GgufBuilder builder = small();
        builder.set("general.alignment", alignment);
        EXPECT_EQ(error_of(builder.build()).parameter, "general.alignment");
    }
    GgufBuilder wrong_type = small();
    wrong_type.set<std::uint64_t>("general.alignment", 32);
    EXPECT_EQ(error_of(wrong_type.build()).expected, "uint32");
}

TEST(GgufFile, KnowsWhichFilesCanBeMapped) {
    GgufBuilder builder;
    builder.alignment(8).tensor("one", {1}).tensor("two", {1});
    const File narrow = parse(builder.build());
    EXPECT_EQ(narrow.alignment(), 8U);
    EXPECT_EQ(narrow.find_tensor("two")->offset, 8U);
    EXPECT_FALSE(narrow.mappable());
    EXPECT_TRUE(parse(GgufBuilder().alignment(4096).tensor("one", {1}).build()).mappable());
}

TEST(GgufFile, RefusesBadTensors) {
    const auto change = [](const std::function<void(mullama::test::BuiltTensor &)> &how) {
        GgufBuilder builder = small();
        how(builder.tensor_at(1));
        return error_of(builder.build());
    };
    using Tensor = mullama::test::BuiltTensor;
    EXPECT_NE(change([](Tensor &t) {
                  t.name = "";
                  t.name += '\0';
              }).message.find("name"),
              std::string::npos);
    EXPECT_NE(change([](Tensor &t) { t.name = "first"; }).message.find("twice"), std::string::npos);
    EXPECT_EQ(change([](Tensor &t) { t.name = std::string(63, 'n'); }).code, MULLAMA_OK);
    EXPECT_EQ(change([](Tensor &t) { t.name = std::string(64, 'n'); }).actual, "64 bytes");
    EXPECT_EQ(change([](Tensor &t) { t.dims = {1, 1, 1, 1, 1}; }).expected, "at most 4");
    EXPECT_EQ(change([](Tensor &t) { t.dims = {0}; }).actual, "0");
    EXPECT_EQ(change([](Tensor &t) { t.dims = {~std::uint64_t{0}}; }).actual, "-1");
    EXPECT_EQ(change([](Tensor &t) { t.dims = {1ULL << 31, 1ULL << 31, 2}; }).expected,
              "less than 2^63 elements");
    EXPECT_EQ(change([](Tensor &t) { t.dims = {1ULL << 62}; }).expected, "less than 2^63 bytes");
    EXPECT_EQ(change([](Tensor &t) { t.type = 43; }).actual, "type 43");
    EXPECT_NE(change([](Tensor &t) { t.type = 31; }).message.find("q4_0_4_4"), std::string::npos);
    EXPECT_EQ(change([](Tensor &t) { t.type = 2; }).expected, "a multiple of 32 elements");
    EXPECT_NE(change([](Tensor &t) { t.offset = 64; }).message.find("overlaps"), std::string::npos);
    EXPECT_NE(change([](Tensor &t) { t.offset = 128; }).message.find("does not follow"),
              std::string::npos);
    EXPECT_NE(change([](Tensor &t) { t.offset = 97; }).message.find("not aligned"),
              std::string::npos);
    EXPECT_EQ(change([](Tensor &t) { t.offset = ~std::uint64_t{31}; }).parameter, "second");
    const auto huge = change([](Tensor &t) { t.dims = {1ULL << 60}; });
    EXPECT_NE(huge.message.find("truncated"), std::string::npos);
    EXPECT_EQ(huge.parameter, "second");
}

TEST(GgufFile, NamesTheFirstTensorThatIsCutOff) {
    auto bytes = small().build();
    bytes.pop_back();
    const auto error = error_of(bytes);
    EXPECT_EQ(error.parameter, "second");
    EXPECT_EQ(error.expected, "at least " + std::to_string(bytes.size() + 1) + " bytes");
    EXPECT_EQ(error.actual, std::to_string(bytes.size()) + " bytes");
}

TEST(GgufFile, SurvivesBeingCutAnywhere) {
    const auto whole = small().build();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::vector<std::byte> part(whole.begin(),
                                          whole.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(error_of(part).code, MULLAMA_ERROR_BAD_FILE) << size;
    }
}

TEST(GgufFile, SurvivesAnyChangedByte) {
    const auto whole = small().build();
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const unsigned value : {0x00U, 0x01U, 0x7fU, 0x80U, 0xffU}) {
            auto changed = whole;
            changed[at] = static_cast<std::byte>(value);
            static_cast<void>(error_of(changed));
        }
    }
}

// A source that claims to be larger than any memory; all but its start is zeros.
class Sparse final : public Source {
public:
    explicit Sparse(std::vector<std::byte> start) : start_(std::move(start)) {}
    [[nodiscard]] std::uint64_t size() const override { return std::uint64_t{1} << 62; }
    void read(std::uint64_t offset, std::span<std::byte> to) const override {
        for (std::byte &byte : to) {
            byte = offset < start_.size() ? start_[static_cast<std::size_t>(offset)] : std::byte{};
            ++offset;
        }
        read_ += to.size();
    }
    [[nodiscard]] std::uint64_t bytes_read() const { return read_; }

private:
    std::vector<std::byte> start_;
    mutable std::uint64_t read_ = 0;
};

TEST(GgufFile, ReadsNoTensorData) {
    GgufBuilder builder = small();
    builder.tensor("third", {1ULL << 40}, 0, 4);
    const Sparse source(builder.build());
    const File file = File::parse(source);
    EXPECT_EQ(file.find_tensor("third")->nbytes, 1ULL << 42);
    EXPECT_LE(source.bytes_read(), 256U * 1024U);
}

TEST(GgufFile, LimitsWhatALargeFileCanClaim) {
    const Sparse text(Bytes()
                          .raw("GGUF")
                          .put<std::uint32_t>(3)
                          .put<std::uint64_t>(0)
                          .put<std::uint64_t>(1)
                          .text("key")
                          .put<std::uint32_t>(8)
                          .put<std::uint64_t>(1ULL << 40)
                          .data());
    EXPECT_THROW(static_cast<void>(File::parse(text)), Error);
    const Sparse array(Bytes()
                           .raw("GGUF")
                           .put<std::uint32_t>(3)
                           .put<std::uint64_t>(0)
                           .put<std::uint64_t>(1)
                           .text("key")
                           .put<std::uint32_t>(9)
                           .put<std::uint32_t>(10)
                           .put<std::uint64_t>(1ULL << 40)
                           .data());
    EXPECT_THROW(static_cast<void>(File::parse(array)), Error);
    EXPECT_LE(text.bytes_read() + array.bytes_read(), 1024U * 1024U);
}

TEST(SpanSource, RefusesToReadPastItsEnd) {
    const std::vector<std::byte> bytes(4);
    const SpanSource source(bytes);
    std::vector<std::byte> to(3);
    source.read(1, to);
    EXPECT_THROW(source.read(2, to), Error);
    EXPECT_THROW(source.read(~std::uint64_t{0}, to), Error);
}

} // namespace

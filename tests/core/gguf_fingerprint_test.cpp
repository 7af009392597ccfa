#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/gguf/fingerprint.hpp"
#include "support/gguf_builder.hpp"

namespace {

using mullama::core::gguf::File;
using mullama::core::gguf::Part;
using mullama::core::gguf::SpanSource;
using mullama::test::GgufBuilder;

std::string fingerprint_of(const std::vector<std::vector<std::byte>> &files) {
    std::vector<std::unique_ptr<SpanSource>> sources;
    std::vector<File> parsed;
    parsed.reserve(files.size());
    std::vector<Part> parts;
    for (const auto &bytes : files) {
        sources.push_back(std::make_unique<SpanSource>(bytes));
        parsed.push_back(File::parse(*sources.back()));
        parts.push_back({&parsed.back(), sources.back().get()});
    }
    return mullama::core::gguf::fingerprint(parts);
}

GgufBuilder model() {
    GgufBuilder builder;
    builder.set("general.architecture", "llama")
        .set("tokens", std::vector<std::string>{"a", "bc"})
        .tensor("large", {5000})
        .tensor("small", {3});
    return builder;
}

TEST(GgufFingerprint, Is32HexadecimalDigitsAndStable) {
    const std::string fingerprint = fingerprint_of({model().build()});
    // Fingerprints name cache entries and saved states: this one must not change by accident.
    EXPECT_EQ(fingerprint, "98cc143b48dc60752d581d4d6095c26f");
}

TEST(GgufFingerprint, DoesNotDependOnHowTheFileIsCutOrPadded) {
    const std::string whole = fingerprint_of({model().build()});
    EXPECT_EQ(fingerprint_of({model().alignment(4096).build()}), whole);
    GgufBuilder first;
    first.set("general.architecture", "llama")
        .set("tokens", std::vector<std::string>{"a", "bc"})
        .set<std::uint16_t>("split.no", 0)
        .set<std::uint16_t>("split.count", 2)
        .tensor("large", {5000});
    GgufBuilder second;
    second.set<std::uint16_t>("split.no", 1).tensor("small", {3});
    EXPECT_EQ(fingerprint_of({first.build(), second.build()}), whole);
}

TEST(GgufFingerprint, DoesNotDependOnTheOrder) {
    GgufBuilder other;
    other.set("tokens", std::vector<std::string>{"a", "bc"})
        .set("general.architecture", "llama")
        .tensor("small", {3})
        .tensor("large", {5000});
    EXPECT_EQ(fingerprint_of({other.build()}), fingerprint_of({model().build()}));
}

TEST(GgufFingerprint, DependsOnEverythingElse) {
    const std::string whole = fingerprint_of({model().build()});
    EXPECT_NE(fingerprint_of({model().set("general.architecture", "qwen2").build()}), whole);
    EXPECT_NE(fingerprint_of({model().set("tokens", std::vector<std::string>{"ab", "c"}).build()}),
              whole);
    EXPECT_NE(fingerprint_of({model().set<std::uint32_t>("extra", 1).build()}), whole);
    EXPECT_NE(fingerprint_of({model().tensor("extra", {1}).build()}), whole);
    EXPECT_NE(fingerprint_of({model().fill("small", 1).build()}), whole);
    GgufBuilder shape = model();
    shape.tensor_at(0).dims = {50, 100};
    EXPECT_NE(fingerprint_of({shape.build()}), whole);
    GgufBuilder type = model();
    type.tensor_at(0).type = 26;
    EXPECT_NE(fingerprint_of({type.build()}), whole);
    for (const std::size_t from_end : {20U, 100U, 10000U, 20000U}) {
        auto bytes = model().build();
        bytes[bytes.size() - from_end] ^= std::byte{1};
        // 20,012 bytes of data: the first, the middle and the last 4 KiB of "large", all of
        // "small".
        EXPECT_NE(fingerprint_of({bytes}), whole) << from_end;
    }
}

} // namespace

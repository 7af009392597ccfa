// The seeds of the fuzzer fuzz/gguf.cpp: small files, one for each kind of vocabulary, value and
// tensor type. They lie in fuzz/corpus/gguf; this test writes them there when
// MULLAMA_UPDATE_SEEDS is set, and holds them against what it would write when not.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "core/gguf/file.hpp"
#include "core/gguf/tensor_type.hpp"
#include "support/gguf_models.hpp"

namespace {

using mullama::core::gguf::File;
using mullama::core::gguf::SpanSource;
using mullama::test::GgufBuilder;

struct Seed {
    std::string name;
    std::function<GgufBuilder()> make;
};

GgufBuilder vocabulary(GgufBuilder &(*add)(GgufBuilder &), const char *architecture) {
    GgufBuilder builder;
    builder.set("general.architecture", architecture);
    add(builder);
    return builder;
}

GgufBuilder values() {
    GgufBuilder builder;
    builder.set("string", "text")
        .set<bool>("bool", true)
        .set<std::uint8_t>("u8", 1)
        .set<std::int16_t>("i16", -1)
        .set<std::uint64_t>("u64", 1)
        .set<double>("f64", 0.5)
        .set("floats", std::vector<float>{1.0F, 2.0F})
        .set("strings", std::vector<std::string>{"a", ""});
    return builder;
}

// One row of each type: 256 elements are whole blocks of all of them.
GgufBuilder types() {
    constexpr std::uint64_t row = 256;
    GgufBuilder builder;
    builder.alignment(8);
    for (const auto &type : mullama::core::gguf::tensor_types()) {
        builder.tensor(std::string(type.name), {row}, type.id,
                       row / type.block_elements * type.block_bytes);
    }
    return builder;
}

// A model of one block with a vocabulary of 27 tokens.
GgufBuilder model() {
    GgufBuilder builder;
    const std::string name = "qwen2.";
    builder.set("general.architecture", "qwen2")
        .set<std::uint32_t>(name + "context_length", 64)
        .set<std::uint32_t>(name + "embedding_length", 8)
        .set<std::uint32_t>(name + "block_count", 1)
        .set(name + "attention.head_count", std::vector<std::uint32_t>{2})
        .set<std::uint32_t>(name + "attention.head_count_kv", 1)
        .set<std::uint32_t>(name + "expert_count", 4)
        .set<std::uint32_t>(name + "expert_used_count", 2)
        .set<std::uint32_t>(name + "expert_group_count", 2)
        .set<std::uint32_t>(name + "expert_group_used_count", 1)
        .set<std::uint32_t>(name + "pooling_type", 3)
        .set(name + "rope.scaling.type", "yarn")
        .set<float>(name + "attention.layer_norm_rms_epsilon", 1e-5F);
    mullama::test::add_bpe(builder);
    return builder.tensor("token_embd.weight", {8, 27})
        .tensor("blk.0.attn_q.weight", {8, 8})
        .tensor("blk.0.attn_k.weight", {8, 4})
        .tensor("blk.0.attn_norm.weight", {8});
}

GgufBuilder part() {
    GgufBuilder builder = model();
    return builder.set<std::uint16_t>("split.no", 0)
        .set<std::uint16_t>("split.count", 2)
        .set<std::int32_t>("split.tensors.count", 9);
}

std::vector<Seed> seeds() {
    using namespace mullama::test;
    return {
        {"model", model},
        {"part", part},
        {"values", values},
        {"types", types},
        {"spm", [] { return vocabulary(add_spm, "llama"); }},
        {"bpe", [] { return vocabulary(add_bpe, "gpt2"); }},
        {"wpm", [] { return vocabulary(add_wpm, "bert"); }},
        {"ugm", [] { return vocabulary(add_ugm, "t5"); }},
        {"rwkv", [] { return vocabulary(add_rwkv, "rwkv7"); }},
        {"plamo2", [] { return vocabulary(add_plamo2, "plamo2"); }},
    };
}

std::vector<std::byte> read(const std::filesystem::path &path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

TEST(GgufSeeds, AreWellFormedAndAsCommitted) {
    const std::filesystem::path folder =
        std::filesystem::path(MULLAMA_TEST_SOURCE_DIR) / "fuzz" / "corpus" / "gguf";
    for (const Seed &seed : seeds()) {
        const auto bytes = seed.make().build();
        EXPECT_NO_THROW(static_cast<void>(File::parse(SpanSource(bytes)))) << seed.name;
        const std::filesystem::path path = folder / (seed.name + ".gguf");
        if (std::getenv("MULLAMA_UPDATE_SEEDS") != nullptr) {
            std::ofstream out(path, std::ios::binary);
            out.write(reinterpret_cast<const char *>(bytes.data()),
                      static_cast<std::streamsize>(bytes.size()));
        }
        EXPECT_TRUE(read(path) == bytes) << path << ": run this test with MULLAMA_UPDATE_SEEDS=1";
    }
}

} // namespace

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "core/gguf/architecture.hpp"
#include "core/gguf/check_model.hpp"
#include "support/gguf_models.hpp"

namespace {

using mullama::base::Error;
using mullama::core::gguf::check_model;
using mullama::core::gguf::CheckOptions;
using mullama::core::gguf::File;
using mullama::core::gguf::Override;
using mullama::core::gguf::SpanSource;
using mullama::test::GgufBuilder;
using mullama::test::llama_model;

// The error of checking; its code is OK when there is none.
Error::Parts check(const GgufBuilder &builder, const CheckOptions &options = {}) {
    const auto bytes = builder.build();
    const File file = File::parse(SpanSource(bytes));
    const File *part = &file;
    try {
        check_model({&part, 1}, options);
    } catch (const Error &error) {
        return error.parts();
    }
    Error::Parts none;
    none.code = MULLAMA_OK;
    return none;
}

using Change = std::function<void(GgufBuilder &)>;

Error::Parts check_changed(const Change &change) {
    GgufBuilder builder = llama_model();
    change(builder);
    return check(builder);
}

// The parameter of the error that llama_model() gives after a change; "" when it still passes.
std::string refused(const Change &change) {
    const Error::Parts error = check_changed(change);
    if (error.code == MULLAMA_OK) {
        return {};
    }
    EXPECT_EQ(error.code, MULLAMA_ERROR_BAD_MODEL) << error.message;
    EXPECT_FALSE(error.expected.empty()) << error.message;
    EXPECT_FALSE(error.actual.empty()) << error.message;
    return error.parameter;
}

template <class Number>
std::string refused(const std::string &key, Number value) {
    return refused([&](GgufBuilder &builder) { builder.set(key, value); });
}

std::string refused_u32(const std::string &key, std::uint32_t value) {
    return refused(key, value);
}

TEST(GgufCheckModel, AcceptsAGoodModel) {
    const Error::Parts error = check(llama_model());
    EXPECT_EQ(error.code, MULLAMA_OK) << error.message;
}

TEST(GgufCheckModel, NamesUnknownArchitectures) {
    GgufBuilder unknown = llama_model();
    unknown.set("general.architecture", "nosuch");
    Error::Parts error = check(unknown);
    EXPECT_EQ(error.code, MULLAMA_ERROR_UNKNOWN_MODEL);
    EXPECT_EQ(error.actual, "nosuch");
    CheckOptions options;
    options.knows_architecture = [](std::string_view name) { return name != "llama"; };
    error = check(llama_model(), options);
    EXPECT_EQ(error.code, MULLAMA_ERROR_UNKNOWN_MODEL);
    EXPECT_EQ(error.parameter, "general.architecture");
    EXPECT_EQ(refused([](GgufBuilder &b) { b.remove("general.architecture"); }),
              "general.architecture");
    EXPECT_EQ(refused<std::uint32_t>("general.architecture", 1), "general.architecture");
}

TEST(GgufCheckModel, SaysWhenTheFileIsSomethingElse) {
    const auto code = [](const char *key, const char *value) {
        return check_changed([&](GgufBuilder &b) { b.set(key, value); }).code;
    };
    EXPECT_EQ(code("general.architecture", "clip"), MULLAMA_ERROR_UNSUPPORTED);
    EXPECT_EQ(code("general.type", "mmproj"), MULLAMA_ERROR_UNSUPPORTED);
    EXPECT_EQ(code("general.type", "adapter"), MULLAMA_ERROR_UNSUPPORTED);
    EXPECT_EQ(code("general.type", "imatrix"), MULLAMA_ERROR_UNSUPPORTED);
    EXPECT_EQ(code("general.architecture", "controlvector"), MULLAMA_ERROR_UNSUPPORTED);
    EXPECT_EQ(code("general.type", "model"), MULLAMA_OK);
}

TEST(GgufCheckModel, WantsHyperparametersAndTensorsUnlessForTheVocabularyOnly) {
    GgufBuilder vocabulary;
    vocabulary.set("general.architecture", "llama");
    mullama::test::add_spm(vocabulary);
    const Error::Parts error = check(vocabulary);
    EXPECT_EQ(error.code, MULLAMA_ERROR_BAD_MODEL);
    EXPECT_NE(error.message.find("vocabulary only"), std::string::npos);
    CheckOptions options;
    options.vocab_only = true;
    EXPECT_EQ(check(vocabulary, options).code, MULLAMA_OK);
    EXPECT_EQ(check(GgufBuilder().set("general.architecture", "llama"), options).parameter,
              "tokenizer.ggml.model");
    for (const char *key :
         {"llama.context_length", "llama.embedding_length", "llama.block_count"}) {
        EXPECT_EQ(refused([&](GgufBuilder &b) { b.remove(key); }), key);
    }
}

TEST(GgufCheckModel, WantsNumbersOfTheRightType) {
    EXPECT_EQ(refused<std::int32_t>("llama.block_count", 2), "llama.block_count");
    EXPECT_EQ(refused<std::uint64_t>("llama.context_length", 64), "llama.context_length");
    EXPECT_EQ(refused<float>("llama.attention.head_count", 4.0F), "llama.attention.head_count");
    EXPECT_EQ(refused<double>("llama.attention.layer_norm_rms_epsilon", 1e-5),
              "llama.attention.layer_norm_rms_epsilon");
    EXPECT_EQ(refused("llama.attention.head_count", std::vector<float>{4.0F, 4.0F}),
              "llama.attention.head_count");
    EXPECT_EQ(refused("llama.attention.head_count", std::vector<std::int32_t>{4, -4}),
              "llama.attention.head_count");
}

TEST(GgufCheckModel, ChecksSizes) {
    EXPECT_EQ(refused_u32("llama.context_length", 0), "llama.context_length");
    EXPECT_EQ(refused_u32("llama.context_length", 0xffffffff), "llama.context_length");
    EXPECT_EQ(refused_u32("llama.embedding_length", 0), "llama.embedding_length");
    EXPECT_EQ(refused_u32("llama.block_count", 0), "llama.block_count");
    EXPECT_EQ(refused_u32("llama.block_count", 513), "llama.block_count");
    EXPECT_EQ(refused_u32("llama.nextn_predict_layers", 3), "llama.nextn_predict_layers");
    EXPECT_EQ(refused_u32("llama.attention.sliding_window", 0xffffffff),
              "llama.attention.sliding_window");
}

TEST(GgufCheckModel, ChecksHeads) {
    EXPECT_EQ(refused_u32("llama.attention.head_count", 0), "llama.attention.head_count");
    EXPECT_EQ(refused_u32("llama.attention.head_count", 5), "llama.attention.head_count");
    EXPECT_EQ(refused_u32("llama.attention.head_count_kv", 0), "llama.attention.head_count_kv");
    EXPECT_EQ(refused_u32("llama.attention.head_count_kv", 3), "llama.attention.head_count_kv");
    EXPECT_EQ(refused_u32("llama.attention.key_length", 0), "llama.attention.key_length");
    EXPECT_EQ(refused_u32("llama.attention.key_length", 0x80000008), "llama.attention.key_length");
    EXPECT_EQ(refused_u32("llama.attention.value_length", 16), "llama.attention.value_length");
    EXPECT_EQ(refused("llama.attention.head_count_kv", std::vector<std::uint32_t>{2}),
              "llama.attention.head_count_kv");
    EXPECT_EQ(refused("llama.attention.head_count_kv", std::vector<std::uint32_t>{2, 0}),
              "llama.attention.head_count_kv");
    EXPECT_EQ(refused("llama.attention.head_count_kv", std::vector<std::uint32_t>{2, 2}), "");
    EXPECT_EQ(refused("llama.attention.head_count_kv", std::vector<std::int32_t>{2, 2}), "");
}

TEST(GgufCheckModel, ChecksRope) {
    EXPECT_EQ(refused_u32("llama.rope.dimension_count", 8), "");
    for (const std::uint32_t dims : {0U, 4U, 7U, 16U}) {
        EXPECT_EQ(refused_u32("llama.rope.dimension_count", dims), "llama.rope.dimension_count");
    }
    const auto scaling = [](const char *type) {
        return refused([&](GgufBuilder &b) { b.set("llama.rope.scaling.type", type); });
    };
    EXPECT_EQ(scaling("yarn"), "");
    EXPECT_EQ(scaling("nosuch"), "llama.rope.scaling.type");
}

TEST(GgufCheckModel, ChecksExperts) {
    const auto experts = [](std::uint32_t count, std::uint32_t used, std::uint32_t groups,
                            std::uint32_t groups_used) {
        return refused([&](GgufBuilder &b) {
            b.set<std::uint32_t>("llama.expert_count", count)
                .set<std::uint32_t>("llama.expert_used_count", used)
                .set<std::uint32_t>("llama.expert_group_count", groups)
                .set<std::uint32_t>("llama.expert_group_used_count", groups_used);
        });
    };
    EXPECT_EQ(experts(8, 2, 0, 0), "");
    EXPECT_EQ(experts(8, 2, 4, 2), "");
    EXPECT_EQ(experts(1025, 2, 0, 0), "llama.expert_count");
    EXPECT_EQ(experts(8, 9, 0, 0), "llama.expert_used_count");
    EXPECT_EQ(experts(8, 0, 0, 0), "llama.expert_used_count");
    EXPECT_EQ(experts(0, 2, 0, 0), "llama.expert_count");
    EXPECT_EQ(refused_u32("llama.expert_used_count", 2), "llama.expert_used_count");
    EXPECT_EQ(experts(8, 2, 8, 2), "llama.expert_group_count");
    EXPECT_EQ(experts(8, 2, 3, 2), "llama.expert_group_count");
    EXPECT_EQ(experts(0, 0, 2, 1), "llama.expert_group_count");
    EXPECT_EQ(experts(8, 2, 4, 0), "llama.expert_group_used_count");
    EXPECT_EQ(experts(8, 2, 4, 4), "llama.expert_group_used_count");
    EXPECT_EQ(refused_u32("llama.expert_gating_func", 5), "llama.expert_gating_func");
}

TEST(GgufCheckModel, ChecksNumbersThatMustNotBeNegativeOrInfinite) {
    for (const float epsilon : {-1.0F, std::nanf(""), std::numeric_limits<float>::infinity()}) {
        EXPECT_EQ(refused("llama.attention.layer_norm_rms_epsilon", epsilon),
                  "llama.attention.layer_norm_rms_epsilon");
    }
    EXPECT_EQ(refused_u32("llama.pooling_type", 4), "");
    EXPECT_EQ(refused_u32("llama.pooling_type", 5), "llama.pooling_type");
    EXPECT_EQ(refused_u32("llama.classifier.pooling_type", 5), "llama.classifier.pooling_type");
}

TEST(GgufCheckModel, ChecksTensorsAgainstTheMetadata) {
    EXPECT_EQ(refused_u32("llama.embedding_length", 64), "token_embd.weight");
    EXPECT_EQ(refused([](GgufBuilder &b) {
                  b.tensor_named("token_embd.weight").dims = {32, 258};
                  b.tensor_named("token_embd.weight").nbytes = 4 * 32 * 258;
              }),
              "token_embd.weight");
    EXPECT_EQ(refused_u32("llama.attention.head_count_kv", 4), "blk.0.attn_k.weight");
    EXPECT_EQ(refused_u32("llama.attention.head_count", 8), "blk.0.attn_k.weight");
    EXPECT_EQ(refused_u32("llama.block_count", 3), "blk.2.attn_norm.weight");
    EXPECT_EQ(refused_u32("llama.block_count", 1), "blk.1.attn_norm.weight");
}

TEST(GgufCheckModel, ChecksThatTensorsCanBeComputedWith) {
    const auto type = [](const std::string &name, std::uint32_t id) {
        return refused([&](GgufBuilder &b) { b.tensor_named(name).type = id; });
    };
    // The data stays as long as f32's; what is left over is padding only for the last tensor.
    EXPECT_EQ(type("blk.0.ffn_up.weight", 26), "blk.0.ffn_up.weight");
    EXPECT_EQ(type("token_embd.weight", 26), "token_embd.weight");
    const auto half = [](const std::string &name) {
        return refused([&](GgufBuilder &b) {
            b.tensor_named(name).type = 1;
            b.tensor_named(name).nbytes /= 2;
        });
    };
    EXPECT_EQ(half("blk.0.ffn_up.weight"), "");
    EXPECT_EQ(half("output_norm.weight"), "output_norm.weight");
    EXPECT_EQ(refused([](GgufBuilder &b) { b.tensor("rope_freqs.weight", {4}, 1, 8); }),
              "rope_freqs.weight");
}

TEST(GgufCheckModel, ChecksWithTheOverridesInPlace) {
    const auto with = [](std::vector<Override> overrides) {
        CheckOptions options;
        options.overrides = overrides;
        return check(llama_model(), options);
    };
    EXPECT_EQ(with({{"llama.context_length", std::int64_t{128}}}).code, MULLAMA_OK);
    EXPECT_EQ(with({{"llama.context_length", std::int64_t{0}}}).parameter, "llama.context_length");
    EXPECT_EQ(with({{"llama.context_length", std::int64_t{-1}}}).parameter, "llama.context_length");
    EXPECT_EQ(with({{"llama.expert_count", std::int64_t{8}}}).parameter, "llama.expert_used_count");
    // llama.cpp ignores an override of another kind, so the file's value counts.
    EXPECT_EQ(with({{"llama.context_length", 0.0}}).code, MULLAMA_OK);
    EXPECT_EQ(with({{"llama.rope.scaling.type", std::string("nosuch")}}).parameter,
              "llama.rope.scaling.type");
    EXPECT_EQ(with({{"llama.attention.layer_norm_rms_epsilon", -1.0}}).parameter,
              "llama.attention.layer_norm_rms_epsilon");
    EXPECT_EQ(with({{"tokenizer.ggml.add_bos_token", true}}).code, MULLAMA_OK);
}

// The hyperparameters of an architecture alone, which fail at the tensors when they are good.
struct Sketch {
    std::string name;
    GgufBuilder builder;

    explicit Sketch(std::string architecture) : name(std::move(architecture)) {
        builder.set("general.architecture", name).tensor("token_embd.weight", {1});
        builder.set("tokenizer.ggml.model", "none").tensor("output_norm.weight", {1});
        builder.tensor("enc.blk.0.attn_rel_b.weight", {1})
            .tensor("dec.blk.0.attn_rel_b.weight", {1});
        f32("attention.layer_norm_rms_epsilon", 1e-5F).f32("attention.layer_norm_epsilon", 1e-5F);
        u32("context_length", 64).u32("embedding_length", 32).u32("block_count", 4);
        u32("attention.head_count", 4).u32("attention.head_count_kv", 2);
    }
    Sketch &u32(const std::string &key, std::uint32_t value) {
        builder.set<std::uint32_t>(name + "." + key, value);
        return *this;
    }
    Sketch &f32(const std::string &key, float value) {
        builder.set<float>(name + "." + key, value);
        return *this;
    }
    template <class Number>
    Sketch &array(const std::string &key, std::vector<Number> values) {
        builder.set(name + "." + key, values);
        return *this;
    }
    // The key that is refused, without the architecture; "" when no hyperparameter is.
    [[nodiscard]] std::string refused() const {
        const Error::Parts error = check(builder);
        if (error.code == MULLAMA_OK) {
            return {};
        }
        EXPECT_EQ(error.parameter.substr(0, name.size() + 1), name + ".") << error.message;
        return error.parameter.substr(name.size() + 1);
    }
    [[nodiscard]] Sketch with(const std::string &key, std::uint32_t value) const {
        return Sketch(*this).u32(key, value);
    }
};

TEST(GgufCheckModel, ChecksSlidingWindows) {
    Sketch gemma2("gemma2");
    EXPECT_EQ(gemma2.refused(), "");
    EXPECT_EQ(gemma2.with("attention.sliding_window_pattern", 1).refused(),
              "attention.sliding_window_pattern");
    EXPECT_EQ(gemma2.with("attention.sliding_window_pattern", 0).refused(), "");
    EXPECT_EQ(Sketch(gemma2)
                  .array("attention.sliding_window_pattern",
                         std::vector<bool>{false, false, false, false})
                  .refused(),
              "attention.sliding_window_pattern");
    EXPECT_EQ(
        Sketch(gemma2).array("attention.sliding_window_pattern", std::vector<bool>{true}).refused(),
        "attention.sliding_window_pattern");
    Sketch gemma3("gemma3");
    EXPECT_EQ(gemma3.with("attention.sliding_window_pattern", 1).refused(), "");
    EXPECT_EQ(gemma3.with("attention.sliding_window_pattern", 1)
                  .with("attention.sliding_window", 8)
                  .refused(),
              "attention.sliding_window_pattern");
    Sketch maple("maple");
    EXPECT_EQ(maple.with("attention.sliding_window", 8).refused(),
              "attention.sliding_window_pattern");
}

TEST(GgufCheckModel, ChecksStateSpaces) {
    Sketch mamba2("mamba2");
    mamba2.u32("attention.head_count", 0).u32("attention.head_count_kv", 0);
    mamba2.u32("ssm.conv_kernel", 4).u32("ssm.inner_size", 64).u32("ssm.state_size", 16);
    mamba2.u32("ssm.time_step_rank", 8).u32("ssm.group_count", 2);
    EXPECT_EQ(mamba2.refused(), "");
    EXPECT_EQ(mamba2.with("ssm.group_count", 0).refused(), "ssm.group_count");
    EXPECT_EQ(mamba2.with("ssm.time_step_rank", 0).refused(), "ssm.time_step_rank");
    EXPECT_EQ(mamba2.with("ssm.time_step_rank", 7).refused(), "ssm.time_step_rank");
    EXPECT_EQ(mamba2.with("ssm.group_count", 3).refused(), "ssm.group_count");
    EXPECT_EQ(mamba2.with("ssm.group_count", 16).refused(), "ssm.group_count");
    EXPECT_EQ(mamba2.with("ssm.conv_kernel", 0).refused(), "ssm.conv_kernel");
    Sketch rwkv("rwkv7");
    rwkv.u32("attention.head_count", 0).u32("attention.head_count_kv", 0).u32("wkv.head_size", 64);
    rwkv.u32("embedding_length", 64);
    EXPECT_EQ(rwkv.refused(), "");
    EXPECT_EQ(rwkv.with("wkv.head_size", 0).refused(), "wkv.head_size");
    EXPECT_EQ(rwkv.with("wkv.head_size", 5).refused(), "wkv.head_size");
    EXPECT_EQ(rwkv.with("token_shift_count", 1).refused(), "token_shift_count");
    Sketch next("qwen3next");
    next.u32("expert_count", 4).u32("expert_used_count", 2).u32("ssm.conv_kernel", 4);
    next.u32("ssm.inner_size", 64).u32("ssm.state_size", 16).u32("ssm.time_step_rank", 4);
    next.u32("ssm.group_count", 2);
    EXPECT_EQ(next.refused(), "");
    EXPECT_EQ(next.with("full_attention_interval", 0).refused(), "full_attention_interval");
    EXPECT_EQ(next.with("ssm.group_count", 3).refused(), "ssm.group_count");
    EXPECT_EQ(next.with("ssm.state_size", 8).refused(), "ssm.inner_size");
}

TEST(GgufCheckModel, ChecksWhatSingleArchitecturesInsistOn) {
    EXPECT_EQ(Sketch("ernie4_5-moe").with("interleave_moe_layer_step", 0).refused(),
              "interleave_moe_layer_step");
    EXPECT_EQ(Sketch("qwen2vl").refused(), "rope.dimension_sections");
    EXPECT_EQ(Sketch("qwen2vl")
                  .array("rope.dimension_sections", std::vector<std::int32_t>{2, 1, 1, 0})
                  .refused(),
              "");
    EXPECT_EQ(Sketch("qwen2vl")
                  .array("rope.dimension_sections", std::vector<std::int32_t>{0, 0, 0, 4})
                  .refused(),
              "rope.dimension_sections");
    EXPECT_EQ(Sketch("nanbeige").with("num_loops", 0).refused(), "num_loops");
    EXPECT_EQ(Sketch("nanbeige").with("num_loops", 200).refused(), "num_loops");
    EXPECT_EQ(Sketch("nanbeige").with("num_loops", 128).refused(), "");
    EXPECT_EQ(Sketch("t5").with("attention.relative_buckets_count", 32).refused(), "");
    EXPECT_EQ(Sketch("t5")
                  .with("attention.relative_buckets_count", 32)
                  .with("decoder_block_count", 5)
                  .refused(),
              "decoder_block_count");
    EXPECT_EQ(Sketch("lfm2").with("shortconv.l_cache", 1).refused(), "shortconv.l_cache");
    EXPECT_EQ(Sketch("lfm2").with("shortconv.l_cache", 3).refused(), "");
    EXPECT_EQ(Sketch("gemma-embedding").with("dense_2_feat_in", 31).refused(), "dense_2_feat_in");
    EXPECT_EQ(Sketch("dots1").with("expert_count", 4).with("expert_used_count", 2).refused(),
              "expert_gating_func");
    EXPECT_EQ(Sketch("smallthinker").refused(), "expert_count");
    Sketch gemma4("gemma4");
    gemma4.array("attention.sliding_window_pattern", std::vector<bool>{true, false, true, false});
    EXPECT_EQ(gemma4.refused(), "");
    EXPECT_EQ(gemma4.with("attention.shared_kv_layers", 2).refused(), "");
    EXPECT_EQ(gemma4.with("attention.shared_kv_layers", 1).refused(),
              "attention.sliding_window_pattern");
    EXPECT_EQ(gemma4.with("attention.shared_kv_layers", 3).refused(), "attention.shared_kv_layers");
    Sketch hrm("hrm_text");
    hrm.u32("hrm.layers_per_stack", 1).u32("hrm.h_cycles", 2).u32("hrm.l_cycles", 1);
    EXPECT_EQ(hrm.refused(), "");
    EXPECT_EQ(hrm.with("hrm.l_cycles", 2).refused(), "block_count");
    EXPECT_EQ(hrm.with("hrm.h_cycles", 0).refused(), "hrm.h_cycles");
}

TEST(GgufCheckModel, KnowsEachArchitectureOnce) {
    EXPECT_GT(mullama::core::gguf::architectures().size(), 100U);
    for (const auto &architecture : mullama::core::gguf::architectures()) {
        EXPECT_EQ(mullama::core::gguf::find_architecture(architecture.name), &architecture);
    }
    EXPECT_EQ(mullama::core::gguf::find_architecture(""), nullptr);
}

} // namespace

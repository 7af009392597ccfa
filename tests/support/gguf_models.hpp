// Small models in memory, complete enough to pass every check: what tests start from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/gguf_builder.hpp"

namespace mullama::test {

inline std::string byte_token(unsigned byte) {
    constexpr const char *digits = "0123456789ABCDEF";
    return {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
}

// <unk>, <s>, </s> and all bytes: 259 tokens.
inline GgufBuilder &add_spm(GgufBuilder &builder) {
    std::vector<std::string> tokens{"<unk>", "<s>", "</s>"};
    std::vector<std::int32_t> types{2, 3, 3};
    for (unsigned byte = 0; byte < 256; ++byte) {
        tokens.push_back(byte_token(byte));
        types.push_back(6);
    }
    return builder.set("tokenizer.ggml.model", "llama")
        .set("tokenizer.ggml.scores", std::vector<float>(tokens.size(), 0.0F))
        .set("tokenizer.ggml.token_type", types)
        .set("tokenizer.ggml.tokens", tokens);
}

inline GgufBuilder &add_bpe(GgufBuilder &builder) {
    std::vector<std::string> tokens;
    for (unsigned i = 0; i < 26; ++i) {
        tokens.emplace_back(1, static_cast<char>('a' + i));
    }
    tokens.emplace_back("ab");
    return builder.set("tokenizer.ggml.model", "gpt2")
        .set("tokenizer.ggml.pre", "gpt-2")
        .set("tokenizer.ggml.tokens", tokens)
        .set("tokenizer.ggml.token_type", std::vector<std::int32_t>(tokens.size(), 1))
        .set("tokenizer.ggml.merges", std::vector<std::string>{"a b"});
}

inline GgufBuilder &add_wpm(GgufBuilder &builder) {
    std::vector<std::string> tokens;
    for (unsigned i = 0; i < 104; ++i) {
        tokens.push_back("word" + std::to_string(i));
    }
    return builder.set("tokenizer.ggml.model", "bert")
        .set("tokenizer.ggml.tokens", tokens)
        .set("tokenizer.ggml.token_type", std::vector<std::int32_t>(tokens.size(), 1));
}

inline GgufBuilder &add_ugm(GgufBuilder &builder) {
    return builder.set("tokenizer.ggml.model", "t5")
        .set("tokenizer.ggml.tokens", std::vector<std::string>{"<pad>", "</s>", "<unk>", "a"})
        .set("tokenizer.ggml.scores", std::vector<float>{0.0F, 0.0F, 0.0F, -1.0F})
        .set("tokenizer.ggml.precompiled_charsmap",
             std::vector<std::uint8_t>{4, 0, 0, 0, 0, 0, 0, 0, 'a', 0});
}

inline GgufBuilder &add_rwkv(GgufBuilder &builder) {
    std::vector<std::string> tokens{"<s>"};
    for (unsigned byte = 0; byte < 256; ++byte) {
        constexpr const char *digits = "0123456789abcdef";
        tokens.push_back(std::string("\\x") + digits[byte >> 4] + digits[byte & 15]);
    }
    tokens.emplace_back("ab");
    return builder.set("tokenizer.ggml.model", "rwkv").set("tokenizer.ggml.tokens", tokens);
}

inline GgufBuilder &add_plamo2(GgufBuilder &builder) {
    std::vector<std::string> tokens{"<|plamo:unk|>", "<|plamo:bos|>", "<|plamo:eos|>"};
    std::vector<std::int32_t> types{2, 3, 3};
    for (unsigned byte = 0; byte < 256; ++byte) {
        tokens.push_back(byte_token(byte));
        types.push_back(6);
    }
    return builder.set("tokenizer.ggml.model", "plamo2")
        .set("tokenizer.ggml.scores", std::vector<float>(tokens.size(), 0.0F))
        .set("tokenizer.ggml.token_type", types)
        .set("tokenizer.ggml.tokens", tokens);
}

// A llama of two blocks, four heads of eight, two key heads.
inline GgufBuilder llama_model() {
    GgufBuilder builder;
    builder.set("general.architecture", "llama")
        .set<std::uint32_t>("llama.context_length", 64)
        .set<std::uint32_t>("llama.embedding_length", 32)
        .set<std::uint32_t>("llama.block_count", 2)
        .set<std::uint32_t>("llama.feed_forward_length", 48)
        .set<std::uint32_t>("llama.attention.head_count", 4)
        .set<std::uint32_t>("llama.attention.head_count_kv", 2)
        .set<float>("llama.attention.layer_norm_rms_epsilon", 1e-5F);
    add_spm(builder);
    builder.tensor("token_embd.weight", {32, 259});
    for (int block = 0; block < 2; ++block) {
        const std::string prefix = "blk." + std::to_string(block) + ".";
        builder.tensor(prefix + "attn_norm.weight", {32})
            .tensor(prefix + "attn_q.weight", {32, 32})
            .tensor(prefix + "attn_k.weight", {32, 16})
            .tensor(prefix + "attn_v.weight", {32, 16})
            .tensor(prefix + "attn_output.weight", {32, 32})
            .tensor(prefix + "ffn_norm.weight", {32})
            .tensor(prefix + "ffn_gate.weight", {32, 48})
            .tensor(prefix + "ffn_up.weight", {32, 48})
            .tensor(prefix + "ffn_down.weight", {48, 32});
    }
    builder.tensor("output_norm.weight", {32});
    return builder;
}

} // namespace mullama::test

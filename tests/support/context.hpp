// Handles and shorthands of the low road: contexts, batches, samplers, generation.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "support/capi.hpp"

namespace mullama::test {

using ContextHandle = std::unique_ptr<mullama_context_t, Deleter<mullama_context_free>>;
using BatchHandle = std::unique_ptr<mullama_batch_t, Deleter<mullama_batch_free>>;
using SamplerHandle = std::unique_ptr<mullama_sampler_t, Deleter<mullama_sampler_free>>;

// The defaults, with nothing left to be measured.
inline mullama_context_options_t one_thread() {
    mullama_context_options_t options;
    mullama_context_options_init(&options, sizeof options);
    options.n_threads = 1;
    options.n_threads_batch = 1;
    return options;
}

inline ContextHandle new_context(mullama_model_t *model,
                                 const mullama_context_options_t &options = one_thread()) {
    mullama_context_t *context = nullptr;
    EXPECT_OK(mullama_context_new(model, &options, &context));
    return ContextHandle(context);
}

inline BatchHandle new_batch() {
    mullama_batch_t *batch = nullptr;
    EXPECT_OK(mullama_batch_new(&batch));
    return BatchHandle(batch);
}

inline mullama_error_t *add(mullama_batch_t *batch, mullama_token_t token, mullama_pos_t position,
                            std::initializer_list<mullama_seq_id_t> sequences, bool output) {
    return mullama_batch_add(batch, token, position, sequences.begin(), sequences.size(), output);
}

inline SamplerHandle new_sampler() {
    mullama_sampler_t *sampler = nullptr;
    EXPECT_OK(mullama_sampler_new(&sampler));
    return SamplerHandle(sampler);
}

inline std::size_t add_stage(mullama_sampler_t *sampler, std::string_view name) {
    std::size_t stage = 0;
    EXPECT_OK(mullama_sampler_add(sampler, name.data(), name.size(), &stage));
    return stage;
}

inline void set_int(mullama_sampler_t *sampler, std::size_t stage, std::string_view parameter,
                    std::int64_t value) {
    EXPECT_OK(mullama_sampler_set_int(sampler, stage, parameter.data(), parameter.size(), value));
}

inline void set_float(mullama_sampler_t *sampler, std::size_t stage, std::string_view parameter,
                      double value) {
    EXPECT_OK(mullama_sampler_set_float(sampler, stage, parameter.data(), parameter.size(), value));
}

inline mullama_token_t sample(mullama_sampler_t *sampler, const std::vector<float> &logits) {
    mullama_token_t token = -1;
    EXPECT_OK(mullama_sampler_sample(sampler, logits.data(), logits.size(), &token));
    return token;
}

inline std::vector<mullama_token_t> tokenize(const mullama_model_t *model, std::string_view text,
                                             bool add_special = true) {
    mullama_tokenize_options_t options;
    mullama_tokenize_options_init(&options, sizeof options);
    options.add_special = add_special;
    mullama_tokens_t *tokens = nullptr;
    EXPECT_OK(mullama_model_tokenize(model, text.data(), text.size(), &options, &tokens));
    const TokensHandle owned(tokens);
    std::size_t count = 0;
    const mullama_token_t *data = mullama_tokens_data(tokens, &count);
    return {data, data + count};
}

// Tokens that exist in every vocabulary, the same ones for the same seed.
inline std::vector<mullama_token_t> prompt_of(std::size_t size, std::int32_t n_vocab,
                                              std::uint32_t seed) {
    std::vector<mullama_token_t> prompt;
    for (std::size_t i = 0; i < size; ++i) {
        seed = seed * 1664525 + 1013904223;
        prompt.push_back(
            static_cast<mullama_token_t>((seed >> 8) % static_cast<std::uint32_t>(n_vocab)));
    }
    return prompt;
}

inline mullama_generate_options_t generate_options() {
    mullama_generate_options_t options;
    mullama_generate_options_init(&options, sizeof options);
    return options;
}

inline mullama_generate_stats_t generate_stats() {
    mullama_generate_stats_t stats;
    mullama_generate_stats_init(&stats, sizeof stats);
    return stats;
}

// Of a sequence, or of MULLAMA_SEQUENCE_ALL.
inline std::string save_state(mullama_context_t *context, mullama_seq_id_t sequence) {
    mullama_text_t *text = nullptr;
    EXPECT_OK(mullama_context_save_state(context, sequence, &text));
    const TextHandle owned(text);
    return text == nullptr ? std::string() : text_of(text);
}

inline mullama_error_t *load_state(mullama_context_t *context, mullama_seq_id_t sequence,
                                   const std::string &state) {
    return mullama_context_load_state(context, sequence, state.data(), state.size());
}

// The tokens that a sequence holds.
inline std::vector<mullama_token_t> tokens_of(mullama_context_t *context,
                                              mullama_seq_id_t sequence) {
    mullama_tokens_t *tokens = nullptr;
    EXPECT_OK(mullama_context_sequence_tokens(context, sequence, &tokens));
    const TokensHandle owned(tokens);
    std::size_t count = 0;
    const mullama_token_t *data = mullama_tokens_data(tokens, &count);
    return {data, data + count};
}

} // namespace mullama::test

// Generation: prefill a prompt, sample until something says stop, hand out each piece of text.
#pragma once

#include "backend/port.hpp"
#include "core/context.hpp"
#include "core/sampling/chain.hpp"
#include "mullama/generate.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::core {

struct GenerateOptions {
    backend::SequenceId sequence = 0;
    // -1: no limit.
    std::int64_t max_tokens = -1;
    // None is empty; they outlive the generation.
    std::vector<std::string_view> stop;
    bool ignore_end = false;
    bool unparse_special = false;
    bool add_special = true;
    bool parse_special = false;
    // -1: no log-probabilities.
    std::int32_t top_logprobs = -1;
    mullama_token_fn on_token = nullptr;
    mullama_progress_fn on_prefill = nullptr;
    void *user_data = nullptr;
};

struct GenerateResult {
    std::string text;
    mullama_stop_reason_t stop_reason = MULLAMA_STOP_NONE;
    std::int32_t stop_index = -1;
    std::size_t prompt_tokens = 0;
    std::size_t generated_tokens = 0;
    std::uint64_t tokenize_ns = 0;
    std::uint64_t prefill_ns = 0;
    std::uint64_t generate_ns = 0;
};

// Without a chain the likeliest token is taken each time. On failure in the prefill the sequence is
// as Context::prefill() leaves it; later, it holds what was decoded before.
[[nodiscard]] GenerateResult generate(Context &context, sampling::Chain *chain,
                                      std::string_view prompt, const GenerateOptions &options);
[[nodiscard]] GenerateResult generate(Context &context, sampling::Chain *chain,
                                      std::span<const backend::Token> prompt,
                                      const GenerateOptions &options);

} // namespace mullama::core

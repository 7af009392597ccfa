// How well a model foresees a text.
#pragma once

#include "core/context.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace mullama::core {

// Appends tokens to a sequence, as Context::prefill() does with MULLAMA_OUTPUT_LAST, and tells the
// natural logarithm of each token's probability after all before it, from tokens[first] on. With
// first == 0 the sequence has to end in logits that were kept.
[[nodiscard]] std::vector<float> prefill_logprobs(Context &context, backend::SequenceId sequence,
                                                  std::span<const backend::Token> tokens,
                                                  std::size_t first);

// Refuses to tell of tokens from beyond the end on.
void require_first(std::size_t first, std::size_t count);

struct PerplexityOptions {
    // Tokens of a window; 0: as many as a sequence holds.
    std::size_t window = 0;
    // From one window's beginning to the next one's, and how many tokens count in each; 0: windows
    // do not overlap, and what counts is the second half of each.
    std::size_t stride = 0;
    // The most windows; 0: all.
    std::size_t max_windows = 0;
    // Hears of each window: its number from 0, how many there are, the perplexity so far. False
    // stops. May be empty.
    std::function<bool(std::size_t index, std::size_t count, double perplexity)> on_window;
};

struct Perplexity {
    double perplexity = 0;
    double error = 0;
    double mean_logprob = 0;
    std::size_t n_windows = 0;
    std::size_t n_scored = 0;
};

// In a sequence that is empty, and empty again afterwards.
[[nodiscard]] Perplexity perplexity(Context &context, std::span<const backend::Token> tokens,
                                    const PerplexityOptions &options);

} // namespace mullama::core

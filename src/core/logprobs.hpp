// Log-probabilities of a row of logits: the model's own distribution, before any sampler.
#pragma once

#include "core/sampling/candidates.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace mullama::core {

// Keeps its memory: nothing is allocated from the second row on.
class Logprobs {
public:
    // Reads a row; `top_count` of its likeliest tokens are kept, fewer where there are fewer.
    // Throws as sampling::Candidates::assign(). The row must stay until the last call of of().
    void read(std::span<const float> logits, std::size_t top_count);

    [[nodiscard]] float of(backend::Token token) const noexcept;
    // The likeliest tokens, best first, and their log-probabilities.
    [[nodiscard]] std::span<const backend::Token> top_tokens() const noexcept { return tokens_; }
    [[nodiscard]] std::span<const float> top_values() const noexcept { return values_; }

private:
    [[nodiscard]] float normalized(float logit) const noexcept;

    sampling::Candidates candidates_;
    std::span<const float> logits_;
    double log_sum_ = 0;
    std::vector<backend::Token> tokens_;
    std::vector<float> values_;
};

} // namespace mullama::core

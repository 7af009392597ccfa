#include "core/logprobs.hpp"

#include <cmath>

namespace mullama::core {

void Logprobs::read(std::span<const float> logits, std::size_t top_count) {
    candidates_.assign(logits);
    logits_ = logits;
    const float max = candidates_.max_logit();
    // Together, all tokens below this would not change the last bit of the sum.
    const float negligible = max - 50;
    double sum = 0;
    for (const float logit : logits) {
        if (logit > negligible) {
            sum += std::exp(logit - max);
        }
    }
    log_sum_ = max + std::log(sum);

    tokens_.clear();
    values_.clear();
    if (top_count == 0) {
        return;
    }
    candidates_.keep_top(top_count);
    for (const sampling::Candidate &candidate : candidates_.list()) {
        tokens_.push_back(candidate.id);
        values_.push_back(normalized(candidate.logit));
    }
}

float Logprobs::normalized(float logit) const noexcept {
    return static_cast<float>(logit - log_sum_);
}

float Logprobs::of(backend::Token token) const noexcept {
    return normalized(logits_[static_cast<std::size_t>(token)]);
}

} // namespace mullama::core

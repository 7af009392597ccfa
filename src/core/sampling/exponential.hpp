// e to the power of many numbers at once.
#pragma once

#include <span>

namespace mullama::core::sampling {

// e^(logit - max), to the last bit what std::exp gives, for logits that are no greater than max.
// Penalties and temperatures at their limits can push logits out of the range of float: where max
// is infinite, a logit that equals it weighs 1 and any other 0.
class Exponential {
public:
    explicit Exponential(float max) noexcept;

    [[nodiscard]] float operator()(float logit) const noexcept;
    // One for each of `logits`, several at a time; `weights` may be the same memory.
    void operator()(std::span<const float> logits, float *weights) const noexcept;
    // The same for logits in falling order, among which there may be many alike.
    void falling(std::span<const float> logits, float *weights) const noexcept;

private:
    float max_;
    bool finite_;
    // Whether std::exp's own results can be had faster here than from std::exp.
    bool fast_;
};

} // namespace mullama::core::sampling

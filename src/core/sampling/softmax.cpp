#include "core/sampling/softmax.hpp"

#include <cmath>

namespace mullama::core::sampling {

namespace {

// e^(logit - max), where the greatest logit is in the range of float or not: penalties and
// temperatures at their limits can push logits out of it.
class Exponential {
public:
    explicit Exponential(float max) noexcept : max_(max), finite_(std::isfinite(max)) {}

    [[nodiscard]] float operator()(float logit) const noexcept {
        if (!finite_) {
            return logit == max_ ? 1.0F : 0.0F;
        }
        return std::exp(logit - max_);
    }

private:
    float max_;
    bool finite_;
};

} // namespace

template <class Sum>
Sum exponentials(Candidates &candidates) {
    const Exponential exponential(candidates.max_logit());
    Sum sum = 0;
    for (Candidate &candidate : candidates.anonymous_list()) {
        candidate.p = exponential(candidate.logit);
        sum += candidate.p;
    }
    return sum;
}

template float exponentials<float>(Candidates &);
template double exponentials<double>(Candidates &);

template <class Sum>
Sum exponentials(Candidates &candidates, std::vector<float> &weights) {
    const Exponential exponential(candidates.max_logit());
    if (weights.size() < candidates.size()) {
        weights.resize(candidates.size());
    }
    Sum sum = 0;
    std::size_t place = 0;
    // Neighbours are often equal where logits have few bits and are sorted.
    float last = candidates.max_logit();
    float weight = 1;
    const auto add = [&](float logit) {
        if (logit != last) {
            last = logit;
            weight = exponential(logit);
        }
        weights[place++] = weight;
        sum += weight;
    };
    if (candidates.is_row()) {
        for (const float logit : candidates.row()) {
            add(logit);
        }
    } else {
        for (const Candidate &candidate : candidates.anonymous_list()) {
            add(candidate.logit);
        }
    }
    return sum;
}

template float exponentials<float>(Candidates &, std::vector<float> &);
template double exponentials<double>(Candidates &, std::vector<float> &);

void softmax(Candidates &candidates) {
    const float sum = exponentials<float>(candidates);
    for (Candidate &candidate : candidates.anonymous_list()) {
        candidate.p /= sum;
    }
}

} // namespace mullama::core::sampling

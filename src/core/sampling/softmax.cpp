#include "core/sampling/softmax.hpp"

#include <cmath>

namespace mullama::core::sampling {

template <class Sum>
Sum exponentials(Candidates &candidates) {
    const float max = candidates.max_logit();
    Sum sum = 0;
    if (!std::isfinite(max)) {
        // Penalties and temperatures at their limits can push logits out of the range of float.
        for (Candidate &candidate : candidates.list()) {
            candidate.p = candidate.logit == max ? 1.0F : 0.0F;
            sum += candidate.p;
        }
        return sum;
    }
    for (Candidate &candidate : candidates.list()) {
        candidate.p = std::exp(candidate.logit - max);
        sum += candidate.p;
    }
    return sum;
}

template float exponentials<float>(Candidates &);
template double exponentials<double>(Candidates &);

void softmax(Candidates &candidates) {
    const float sum = exponentials<float>(candidates);
    for (Candidate &candidate : candidates.list()) {
        candidate.p /= sum;
    }
}

} // namespace mullama::core::sampling

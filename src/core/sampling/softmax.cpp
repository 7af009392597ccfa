#include "core/sampling/softmax.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <span>

#include "core/sampling/exponential.hpp"

namespace mullama::core::sampling {

namespace {

// As many exponentials at a time as the processor works out while it still adds those before.
constexpr std::size_t block = 32;

// The weight of a logit below this leaves the sum as it is: it is less than half of the distance to
// the next float. The margins are many times what exponents and powers can be off.
float negligible_below(float sum, float max) {
    constexpr float margin = 0.001F;
    constexpr float rounding = 4 * std::numeric_limits<float>::epsilon();
    if (!(sum > 0)) {
        return -std::numeric_limits<float>::infinity();
    }
    const int half_a_step = std::ilogb(sum) - std::numeric_limits<float>::digits;
    const float exponent = static_cast<float>(half_a_step) * std::numbers::ln2_v<float>;
    return max + exponent - margin - rounding * (std::fabs(max) + std::fabs(exponent));
}

template <class Sum>
Sum add_exponentials(std::span<Candidate> all, float max) {
    const Exponential exponential(max);
    std::array<float, block> weights;
    Sum sum = 0;
    for (std::size_t begin = 0; begin < all.size(); begin += block) {
        const std::size_t size = std::min(block, all.size() - begin);
        for (std::size_t i = 0; i < size; ++i) {
            weights[i] = all[begin + i].logit;
        }
        exponential(std::span(weights).first(size), weights.data());
        for (std::size_t i = 0; i < size; ++i) {
            all[begin + i].p = weights[i];
            sum += weights[i];
        }
    }
    return sum;
}

} // namespace

template <class Sum>
Sum exponentials(Candidates &candidates) {
    return add_exponentials<Sum>(candidates.anonymous_list(), candidates.max_logit());
}

template float exponentials<float>(Candidates &);
template double exponentials<double>(Candidates &);

double exponentials(std::span<Candidate> candidates, float max) {
    return add_exponentials<double>(candidates, max);
}

double exponentials(Candidates &row, std::vector<float> &weights) {
    const Exponential exponential(row.max_logit());
    const std::span<const float> logits = row.row();
    if (weights.size() < logits.size()) {
        weights.resize(logits.size());
    }
    double sum = 0;
    for (std::size_t begin = 0; begin < logits.size(); begin += block) {
        const std::size_t size = std::min(block, logits.size() - begin);
        exponential(logits.subspan(begin, size), &weights[begin]);
        for (std::size_t i = 0; i < size; ++i) {
            sum += weights[begin + i];
        }
    }
    return sum;
}

float sum_of_exponentials(Candidates &candidates) {
    const float max = candidates.max_logit();
    const Exponential exponential(max);
    float sum = 0;
    // Logits that count, waiting for enough others.
    std::array<float, 2 * block> waiting;
    std::size_t count = 0;
    const auto add_waiting = [&] {
        exponential(std::span(waiting).first(count), waiting.data());
        for (std::size_t i = 0; i < count; ++i) {
            sum += waiting[i];
        }
        count = 0;
    };
    const auto add_all = [&](std::size_t size, auto logit_at) {
        float negligible = negligible_below(sum, max);
        for (std::size_t begin = 0; begin < size; begin += block) {
            const std::size_t end = std::min(begin + block, size);
            for (std::size_t i = begin; i < end; ++i) {
                const float logit = logit_at(i);
                waiting[count] = logit;
                count += static_cast<std::size_t>(!(logit < negligible));
            }
            if (count >= block) {
                add_waiting();
                negligible = negligible_below(sum, max);
            }
        }
        add_waiting();
    };
    if (candidates.is_row()) {
        const std::span<const float> row = candidates.row();
        add_all(row.size(), [row](std::size_t i) { return row[i]; });
    } else {
        const std::span<const Candidate> list = candidates.anonymous_list();
        add_all(list.size(), [list](std::size_t i) { return list[i].logit; });
    }
    return sum;
}

void softmax(Candidates &candidates) {
    const float sum = exponentials<float>(candidates);
    for (Candidate &candidate : candidates.anonymous_list()) {
        candidate.p /= sum;
    }
}

} // namespace mullama::core::sampling

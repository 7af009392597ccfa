#include <algorithm>
#include <cmath>
#include <limits>

#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

class TopNSigma final : public Stage {
public:
    void set(std::string_view /*parameter*/, double value) override {
        n_ = static_cast<float>(value);
    }

    void apply(Candidates &candidates) override {
        if (n_ <= 0 || candidates.size() <= 1) {
            return;
        }
        // Ruled out rather than taken away, so that what follows meets equal logits in the order
        // that llama.cpp has them in.
        if (candidates.is_row()) {
            rule_out(candidates.edit_row(), [](float &logit) -> float & { return logit; });
        } else {
            rule_out(candidates.list(), [](Candidate &c) -> float & { return c.logit; });
        }
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<TopNSigma>(*this);
    }

private:
    template <class Items, class LogitOf>
    void rule_out(Items items, LogitOf logit_of) const {
        float max = logit_of(items[0]);
        float sum = 0;
        std::size_t count = 0;
        for (auto &item : items) {
            if (logit_of(item) != minus_infinity) {
                max = std::max(max, logit_of(item));
                sum += logit_of(item);
                ++count;
            }
        }
        if (count == 0) {
            return;
        }
        const float mean = sum / static_cast<float>(count);
        float squares = 0;
        for (auto &item : items) {
            if (logit_of(item) != minus_infinity) {
                const auto distance = static_cast<double>(logit_of(item) - mean);
                squares = static_cast<float>(squares + distance * distance);
            }
        }
        const float least = max - n_ * std::sqrt(squares / static_cast<float>(count));
        for (auto &item : items) {
            if (logit_of(item) < least) {
                logit_of(item) = minus_infinity;
            }
        }
    }

    float n_ = 0;
};

} // namespace

std::unique_ptr<Stage> make_top_n_sigma() {
    return std::make_unique<TopNSigma>();
}

} // namespace mullama::core::sampling

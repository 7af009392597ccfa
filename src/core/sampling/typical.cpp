#include <cmath>
#include <vector>

#include "core/sampling/exponential.hpp"
#include "core/sampling/lazy_sort.hpp"
#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

class Typical final : public Stage {
public:
    void set(std::string_view parameter, double value) override {
        if (parameter == "p") {
            p_ = static_cast<float>(value);
        } else {
            min_keep_ = static_cast<std::size_t>(value);
        }
    }

    void apply(Candidates &candidates) override {
        if (p_ >= 1) {
            return;
        }
        candidates.keep_top(candidates.size());
        const float total = weigh(candidates);
        const std::size_t possible = rank_by_surprise(candidates.size(), total);
        const std::span<Ranked> ranked = std::span(ranked_).first(possible);
        LazySort order;
        order.start(ranked);
        std::size_t in_order = 0;
        std::size_t kept = 0;
        float sum = 0;
        while (kept < possible) {
            if (kept == in_order) {
                in_order = order.next();
            }
            sum += weights_[ranked[kept++].place] / total;
            if (sum > p_ && kept >= min_keep_) {
                break;
            }
        }
        candidates.keep(ranked.first(kept));
        const std::span<Candidate> left = candidates.anonymous_list();
        for (std::size_t i = 0; i < kept; ++i) {
            left[i].p = weights_[ranked[i].place] / total;
        }
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Typical>(*this);
    }

private:
    float weigh(Candidates &candidates) {
        const Exponential exponential(candidates.max_logit());
        const std::span<const Candidate> all = candidates.anonymous_list();
        if (weights_.size() < all.size()) weights_.resize(all.size());
        for (std::size_t i = 0; i < all.size(); ++i) weights_[i] = all[i].logit;
        exponential(std::span(weights_).first(all.size()), weights_.data());
        float sum = 0;
        for (std::size_t i = 0; i < all.size(); ++i) sum += weights_[i];
        return sum;
    }

    // By how far a token's surprise is from what is to be expected, the entropy; the nearest first.
    // Returns how many are ranked: what has no probability has no surprise either, and is never
    // typical.
    std::size_t rank_by_surprise(std::size_t size, float total) {
        if (ranked_.size() < size) {
            ranked_.resize(size);
        }
        float entropy = 0;
        float last = 0;
        float logarithm = 0;
        std::size_t possible = 0;
        for (; possible < size; ++possible) {
            const float p = weights_[possible] / total;
            if (!(p > 0)) {
                break;
            }
            if (p != last) {
                last = p;
                logarithm = std::log(p);
            }
            entropy += -p * logarithm;
            ranked_[possible].value = logarithm;
        }
        for (std::size_t i = 0; i < possible; ++i) {
            ranked_[i] = {-std::fabs(-ranked_[i].value - entropy), static_cast<std::uint32_t>(i)};
        }
        return possible;
    }

    float p_ = 1;
    std::size_t min_keep_ = 0;
    std::vector<float> weights_;
    std::vector<Ranked> ranked_;
};

} // namespace

std::unique_ptr<Stage> make_typical() {
    return std::make_unique<Typical>();
}

} // namespace mullama::core::sampling

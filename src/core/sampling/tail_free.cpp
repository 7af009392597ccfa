#include <algorithm>
#include <cmath>
#include <vector>

#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

class TailFree final : public Stage {
public:
    void set(std::string_view parameter, double value) override {
        if (parameter == "z") {
            z_ = static_cast<float>(value);
        } else {
            min_keep_ = static_cast<std::size_t>(value);
        }
    }

    void apply(Candidates &candidates) override {
        if (z_ >= 1 || candidates.size() <= 2) {
            return;
        }
        candidates.keep_top(candidates.size());
        softmax(candidates);
        const std::span<const Candidate> all = candidates.anonymous_list();
        curvature_.clear();
        float sum = 0;
        for (std::size_t i = 0; i + 2 < all.size(); ++i) {
            const float first = all[i].p - all[i + 1].p;
            const float second = all[i + 1].p - all[i + 2].p;
            curvature_.push_back(std::fabs(first - second));
            sum += curvature_.back();
        }
        // A line has no tail.
        if (!(sum > 0)) {
            return;
        }
        float running = 0;
        std::size_t kept = 0;
        while (kept < curvature_.size()) {
            running += curvature_[kept] / sum;
            if (running > z_ && kept >= min_keep_) {
                break;
            }
            ++kept;
        }
        candidates.truncate(kept == curvature_.size() ? all.size()
                                                      : std::max<std::size_t>(kept, 1));
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<TailFree>(*this);
    }

private:
    float z_ = 1;
    std::size_t min_keep_ = 0;
    std::vector<float> curvature_;
};

} // namespace

std::unique_ptr<Stage> make_tail_free() {
    return std::make_unique<TailFree>();
}

} // namespace mullama::core::sampling

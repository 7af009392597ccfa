#include <algorithm>
#include <cmath>
#include <limits>

#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

// Dividing by less would leave the range of float.
constexpr float least_temperature = 1e-20F;

class Temperature final : public Stage {
public:
    void set(std::string_view parameter, double value) override {
        if (parameter == "t") {
            t_ = static_cast<float>(value);
        } else if (parameter == "range") {
            range_ = static_cast<float>(value);
        } else {
            exponent_ = static_cast<float>(value);
        }
    }

    void apply(Candidates &candidates) override {
        if (range_ <= 0 && t_ < least_temperature) {
            candidates.keep_best();
        } else if (range_ <= 0) {
            divide(candidates, t_);
        } else if (candidates.size() > 1) {
            const float t = dynamic(candidates);
            if (t <= 0) {
                rule_out_the_rest(candidates);
            } else {
                divide(candidates, t);
            }
        }
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Temperature>(*this);
    }

private:
    static void divide(Candidates &candidates, float t) {
        if (t == 1) {
            return;
        }
        if (candidates.is_row()) {
            for (float &logit : candidates.edit_row()) {
                logit /= t;
            }
            return;
        }
        for (Candidate &candidate : candidates.unordered_list()) {
            candidate.logit /= t;
        }
    }

    // Where the temperature is 0 for some tokens only, those that follow must draw as they do for
    // the others: none is taken away.
    static void rule_out_the_rest(Candidates &candidates) {
        for (Candidate &candidate : candidates.anonymous_list().subspan(1)) {
            candidate.logit = -std::numeric_limits<float>::infinity();
        }
    }

    // Between t - range and t + range, higher where the model is less certain.
    [[nodiscard]] float dynamic(Candidates &candidates) const {
        candidates.keep_top(candidates.size());
        softmax(candidates);
        const std::span<const Candidate> all = candidates.anonymous_list();
        const float greatest = -std::log(1.0F / static_cast<float>(all.size()));
        float entropy = 0;
        for (const Candidate &candidate : all) {
            if (candidate.p > 0) {
                entropy -= candidate.p * std::log(candidate.p);
            }
        }
        const float low = std::max(0.0F, t_ - range_);
        const float high = t_ + range_;
        return low + (high - low) * std::pow(entropy / greatest, exponent_);
    }

    float t_ = 1;
    float range_ = 0;
    float exponent_ = 1;
};

} // namespace

std::unique_ptr<Stage> make_temperature() {
    return std::make_unique<Temperature>();
}

} // namespace mullama::core::sampling

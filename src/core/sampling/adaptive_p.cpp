#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/sampling/random.hpp"
#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

// The shape of the hill around the target, as llama.cpp has it: quadratic near the top, linear in
// the tails.
constexpr float inverse_width = 1.0F / 0.3F;
constexpr float peak = 5;
constexpr float sharpness = 10;

class AdaptiveP final : public Stage {
public:
    void set(std::string_view parameter, double value) override {
        if (parameter == "target") {
            target_ = static_cast<float>(value);
        } else if (parameter == "decay") {
            decay_ = static_cast<float>(value);
        } else {
            seed_ = static_cast<std::int64_t>(value);
        }
    }

    void apply(Candidates &candidates) override {
        softmax(candidates);
        if (target_ < 0) {
            candidates.select(draw_place(candidates.list(), engine_));
            return;
        }
        const std::span<Candidate> all = candidates.list();
        probabilities_.clear();
        for (const Candidate &candidate : all) {
            probabilities_.push_back(candidate.p);
        }
        const float aim = std::clamp(2 * target_ - sum_ / weight_, 0.0F, 1.0F);
        for (Candidate &candidate : all) {
            if (candidate.logit != -std::numeric_limits<float>::infinity()) {
                const float distance = std::abs((candidate.p - aim) * inverse_width);
                candidate.logit = peak - sharpness * distance * distance / (1 + distance);
            }
        }
        // llama.cpp goes on to take the first of a sorted list for the greatest.
        softmax(candidates);
        const std::size_t place = draw_place(all, engine_);
        candidates.select(place);
        pending_ = all[place].id;
        pending_p_ = probabilities_[place];
    }

    void accept(Token token) override {
        if (token == pending_) {
            sum_ = pending_p_ + decay_ * sum_;
            weight_ = 1 + decay_ * weight_;
        }
        pending_ = MULLAMA_TOKEN_NONE;
    }

    void reset() override {
        sum_ = target_ / (1 - decay_);
        weight_ = 1 / (1 - decay_);
        pending_ = MULLAMA_TOKEN_NONE;
        seed_engine(engine_, seed_);
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<AdaptiveP>(*this);
    }

private:
    float target_ = -1;
    float decay_ = 0;
    // The probabilities of the tokens selected so far, added up, older ones less; and their weight.
    float sum_ = 0;
    float weight_ = 1;
    // The token that was selected last, until it is accepted, and how likely it was.
    Token pending_ = MULLAMA_TOKEN_NONE;
    float pending_p_ = 0;
    std::int64_t seed_ = -1;
    std::mt19937 engine_;
    std::vector<float> probabilities_;
};

} // namespace

std::unique_ptr<Stage> make_adaptive_p() {
    return std::make_unique<AdaptiveP>();
}

} // namespace mullama::core::sampling

#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

// Dividing by less would leave the range of float.
constexpr float least_temperature = 1e-20F;

class Temperature final : public Stage {
public:
    void set(std::string_view /*parameter*/, double value) override {
        t_ = static_cast<float>(value);
    }

    void apply(Candidates &candidates) override {
        if (t_ < least_temperature) {
            candidates.keep_best();
            return;
        }
        if (t_ == 1) {
            return;
        }
        for (Candidate &candidate : candidates.list()) {
            candidate.logit /= t_;
        }
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Temperature>(*this);
    }

private:
    float t_ = 1;
};

} // namespace

std::unique_ptr<Stage> make_temperature() {
    return std::make_unique<Temperature>();
}

} // namespace mullama::core::sampling

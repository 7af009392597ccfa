#include <cmath>

#include "core/sampling/random.hpp"
#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

class MirostatV2 final : public Stage {
public:
    void set(std::string_view parameter, double value) override {
        if (parameter == "tau") {
            tau_ = static_cast<float>(value);
        } else if (parameter == "eta") {
            eta_ = static_cast<float>(value);
        } else {
            seed_ = static_cast<std::int64_t>(value);
        }
    }

    void apply(Candidates &candidates) override {
        candidates.keep_top(candidates.size());
        softmax(candidates);
        const std::span<const Candidate> all = candidates.list();
        std::size_t kept = 1;
        while (kept < all.size() && !(-std::log2(all[kept].p) > mu_)) {
            ++kept;
        }
        candidates.truncate(-std::log2(all[0].p) > mu_ ? 1 : kept);
        softmax(candidates);
        const std::size_t place = draw_place(candidates.list(), engine_);
        candidates.select(place);
        mu_ -= eta_ * (-std::log2(candidates.list()[place].p) - tau_);
    }

    void reset() override {
        mu_ = 2 * tau_;
        seed_engine(engine_, seed_);
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<MirostatV2>(*this);
    }

private:
    float tau_ = 0;
    float eta_ = 0;
    // The greatest surprise allowed, in bits.
    float mu_ = 0;
    std::int64_t seed_ = -1;
    std::mt19937 engine_;
};

} // namespace

std::unique_ptr<Stage> make_mirostat_v2() {
    return std::make_unique<MirostatV2>();
}

} // namespace mullama::core::sampling

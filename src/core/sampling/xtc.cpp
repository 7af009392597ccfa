#include "core/sampling/random.hpp"
#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

// No two tokens can be likelier than this.
constexpr float greatest_threshold = 0.5F;

class Xtc final : public Stage {
public:
    void set(std::string_view parameter, double value) override {
        if (parameter == "probability") {
            probability_ = static_cast<float>(value);
        } else if (parameter == "threshold") {
            threshold_ = static_cast<float>(value);
        } else if (parameter == "min_keep") {
            min_keep_ = static_cast<std::size_t>(value);
        } else {
            seed_ = static_cast<std::int64_t>(value);
        }
    }

    void apply(Candidates &candidates) override {
        if (probability_ <= 0 || threshold_ > greatest_threshold || candidates.size() < 2) {
            return;
        }
        if (draw_uniform_float(engine_) > probability_) {
            return;
        }
        candidates.keep_top(candidates.size());
        softmax(candidates);
        const std::span<const Candidate> all = candidates.anonymous_list();
        std::size_t likely = 0;
        while (likely < all.size() && all[likely].p >= threshold_) {
            ++likely;
        }
        // The least likely of those stays.
        if (likely < 2 || all.size() - (likely - 1) < min_keep_) {
            return;
        }
        candidates.drop(likely - 1);
    }

    void reset() override { seed_engine(engine_, seed_); }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Xtc>(*this);
    }

private:
    float probability_ = 0;
    float threshold_ = 1;
    std::size_t min_keep_ = 0;
    std::int64_t seed_ = -1;
    std::mt19937 engine_;
};

} // namespace

std::unique_ptr<Stage> make_xtc() {
    return std::make_unique<Xtc>();
}

} // namespace mullama::core::sampling

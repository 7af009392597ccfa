#include <vector>

#include "core/sampling/random.hpp"
#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

class Dist final : public Stage {
public:
    void set(std::string_view /*parameter*/, double value) override {
        seed_ = static_cast<std::int64_t>(value);
    }

    void apply(Candidates &candidates) override {
        // One draw for each token, needed or not: what is cut before does not shift what follows.
        const double drawn = draw_uniform(engine_);
        if (candidates.size() == 1) {
            candidates.anonymous_list()[0].p = 1;
            candidates.select(0);
            return;
        }
        if (candidates.is_row()) {
            // Nobody reads the probabilities of candidates that were never listed.
            const double sum = exponentials(candidates, weights_);
            candidates.select(find(candidates.size(), sum * drawn,
                                   [this](std::size_t i) { return weights_[i]; }));
            return;
        }
        const double sum = exponentials<double>(candidates);
        const std::span<Candidate> all = candidates.anonymous_list();
        candidates.select(find(all.size(), sum * drawn, [all](std::size_t i) { return all[i].p; }));
        for (Candidate &candidate : all) {
            candidate.p = static_cast<float>(candidate.p / sum);
        }
    }

    void reset() override { seed_engine(engine_, seed_); }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Dist>(*this);
    }

private:
    // The first possible place where the weights, added up, reach the target.
    template <class Weight>
    static std::size_t find(std::size_t size, double target, Weight weight) {
        double running = 0;
        std::size_t last_possible = 0;
        for (std::size_t place = 0; place < size; ++place) {
            running += weight(place);
            if (weight(place) > 0) {
                last_possible = place;
                if (running >= target) {
                    break;
                }
            }
        }
        return last_possible;
    }

    std::int64_t seed_ = -1;
    std::mt19937 engine_;
    std::vector<float> weights_;
};

} // namespace

std::unique_ptr<Stage> make_dist() {
    return std::make_unique<Dist>();
}

} // namespace mullama::core::sampling

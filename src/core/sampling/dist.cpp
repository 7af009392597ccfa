#include <algorithm>
#include <cmath>
#include <limits>
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
            candidates.unordered_list()[0].p = 1;
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
        const float max = candidates.max_logit();
        std::span<Candidate> all = candidates.unordered_list();
        double sum = exponentials(all, max);
        if (candidates.order().open() && !adds_exactly(all, sum)) {
            all = candidates.anonymous_list();
            sum = exponentials(all, max);
        }
        const auto find_drawn = [&] {
            return find(all.size(), sum * drawn, [all](std::size_t i) { return all[i].p; });
        };
        std::size_t place = find_drawn();
        if (candidates.order().open() && candidates.order().mixed(all, place)) {
            all = candidates.anonymous_list();
            place = find_drawn();
        }
        candidates.select(place);
        for (Candidate &candidate : all) {
            candidate.p = static_cast<float>(candidate.p / sum);
        }
    }

    void reset() override { seed_engine(engine_, seed_); }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Dist>(*this);
    }

private:
    // Whether no sum of some of these is ever rounded, whatever their order: the last bit of the
    // smallest is not below the last of a number above all sums.
    static bool adds_exactly(std::span<const Candidate> all, double sum) {
        constexpr int spare_bits =
            std::numeric_limits<double>::digits - std::numeric_limits<float>::digits;
        float least = 1;
        for (const Candidate &candidate : all) {
            if (candidate.p > 0) {
                least = std::min(least, candidate.p);
            }
        }
        return std::ilogb(least) >= std::ilogb(sum) + 1 - spare_bits;
    }

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

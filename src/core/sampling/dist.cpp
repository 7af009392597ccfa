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
            candidates.list()[0].p = 1;
            candidates.select(0);
            return;
        }
        const double sum = exponentials<double>(candidates);
        const double target = sum * drawn;
        const std::span<Candidate> all = candidates.list();
        double running = 0;
        std::size_t place = 0;
        std::size_t last_possible = 0;
        for (; place < all.size(); ++place) {
            running += all[place].p;
            if (all[place].p > 0) {
                last_possible = place;
                if (running >= target) {
                    break;
                }
            }
        }
        candidates.select(last_possible);
        for (Candidate &candidate : all) {
            candidate.p = static_cast<float>(candidate.p / sum);
        }
    }

    void reset() override { seed_engine(engine_, seed_); }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Dist>(*this);
    }

private:
    std::int64_t seed_ = -1;
    std::mt19937 engine_;
};

} // namespace

std::unique_ptr<Stage> make_dist() {
    return std::make_unique<Dist>();
}

} // namespace mullama::core::sampling

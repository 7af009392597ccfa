#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

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
        softmax(candidates);
        drop_impossible(candidates);
        const std::span<const Candidate> all = candidates.list();
        order_by_surprise(all);
        std::size_t kept = 0;
        float sum = 0;
        kept_.clear();
        while (kept < all.size()) {
            kept_.push_back(all[order_[kept++]]);
            sum += kept_.back().p;
            if (sum > p_ && kept >= min_keep_) {
                break;
            }
        }
        candidates.replace_sorted(kept_);
        candidates.unsort();
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Typical>(*this);
    }

private:
    // What has no probability has no surprise either, and is never typical.
    static void drop_impossible(Candidates &candidates) {
        const std::span<const Candidate> all = candidates.list();
        std::size_t possible = all.size();
        while (possible > 1 && !(all[possible - 1].p > 0)) {
            --possible;
        }
        candidates.truncate(possible);
    }

    // By how far a token's surprise is from what is to be expected, the entropy.
    void order_by_surprise(std::span<const Candidate> all) {
        float entropy = 0;
        for (const Candidate &candidate : all) {
            entropy += -candidate.p * std::log(candidate.p);
        }
        distance_.clear();
        for (const Candidate &candidate : all) {
            distance_.push_back(std::fabs(-std::log(candidate.p) - entropy));
        }
        order_.resize(all.size());
        std::iota(order_.begin(), order_.end(), 0);
        std::sort(order_.begin(), order_.end(),
                  [this](std::size_t a, std::size_t b) { return distance_[a] < distance_[b]; });
    }

    float p_ = 1;
    std::size_t min_keep_ = 0;
    std::vector<float> distance_;
    std::vector<std::size_t> order_;
    std::vector<Candidate> kept_;
};

} // namespace

std::unique_ptr<Stage> make_typical() {
    return std::make_unique<Typical>();
}

} // namespace mullama::core::sampling

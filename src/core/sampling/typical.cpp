#include <cmath>
#include <vector>

#include "core/sampling/lazy_sort.hpp"
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
        rank_by_surprise(all);
        LazySort order;
        order.start(ranked_);
        std::size_t in_order = 0;
        std::size_t kept = 0;
        float sum = 0;
        while (kept < all.size()) {
            if (kept == in_order) {
                in_order = order.next();
            }
            sum += all[ranked_[kept++].place].p;
            if (sum > p_ && kept >= min_keep_) {
                break;
            }
        }
        candidates.keep(std::span(ranked_).first(kept));
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

    // By how far a token's surprise is from what is to be expected, the entropy; the nearest first.
    void rank_by_surprise(std::span<const Candidate> all) {
        ranked_.resize(all.size());
        float entropy = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const float logarithm = std::log(all[i].p);
            entropy += -all[i].p * logarithm;
            ranked_[i].value = -logarithm;
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            ranked_[i] = {-std::fabs(ranked_[i].value - entropy), static_cast<std::uint32_t>(i)};
        }
    }

    float p_ = 1;
    std::size_t min_keep_ = 0;
    std::vector<Ranked> ranked_;
};

} // namespace

std::unique_ptr<Stage> make_typical() {
    return std::make_unique<Typical>();
}

} // namespace mullama::core::sampling

#include <cmath>

#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

class MinP final : public Stage {
public:
    void set(std::string_view parameter, double value) override {
        if (parameter == "p") {
            p_ = static_cast<float>(value);
        } else {
            min_keep_ = static_cast<std::size_t>(value);
        }
    }

    void apply(Candidates &candidates) override {
        if (p_ <= 0) {
            return;
        }
        // p_i >= p * p_max, without working out any p_i.
        const float least = candidates.max_logit() + std::log(p_);
        if (!candidates.sorted()) {
            if (candidates.keep_at_least(least, min_keep_)) {
                return;
            }
            candidates.keep_top(candidates.size());
        }
        const std::span<const Candidate> all = candidates.anonymous_list();
        std::size_t kept = 1;
        while (kept < all.size() && (all[kept].logit >= least || kept < min_keep_)) {
            ++kept;
        }
        candidates.truncate(kept);
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<MinP>(*this);
    }

private:
    float p_ = 0;
    std::size_t min_keep_ = 0;
};

} // namespace

std::unique_ptr<Stage> make_min_p() {
    return std::make_unique<MinP>();
}

} // namespace mullama::core::sampling

#include <cmath>

#include "core/sampling/mirostat_control.hpp"
#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

class MirostatV2 final : public Stage {
public:
    void set(std::string_view parameter, double value) override { control_.set(parameter, value); }

    void apply(Candidates &candidates) override {
        candidates.keep_top(candidates.size());
        softmax(candidates);
        const std::span<const Candidate> all = candidates.anonymous_list();
        const float mu = control_.mu();
        std::size_t kept = 1;
        while (kept < all.size() && !(-std::log2(all[kept].p) > mu)) {
            ++kept;
        }
        candidates.truncate(-std::log2(all[0].p) > mu ? 1 : kept);
        control_.select(candidates);
    }

    void reset() override { control_.reset(); }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<MirostatV2>(*this);
    }

private:
    MirostatControl control_;
};

} // namespace

std::unique_ptr<Stage> make_mirostat_v2() {
    return std::make_unique<MirostatV2>();
}

} // namespace mullama::core::sampling

#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

class Greedy final : public Stage {
public:
    void set(std::string_view /*parameter*/, double /*value*/) override {}

    void apply(Candidates &candidates) override { candidates.select(candidates.best()); }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Greedy>(*this);
    }
};

} // namespace

std::unique_ptr<Stage> make_greedy() {
    return std::make_unique<Greedy>();
}

} // namespace mullama::core::sampling

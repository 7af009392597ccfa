#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

class TopK final : public Stage {
public:
    void set(std::string_view /*parameter*/, double value) override {
        k_ = static_cast<std::int32_t>(value);
    }

    void apply(Candidates &candidates) override {
        if (k_ > 0) {
            candidates.keep_top(static_cast<std::size_t>(k_));
        }
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<TopK>(*this);
    }

private:
    std::int32_t k_ = 0;
};

} // namespace

std::unique_ptr<Stage> make_top_k() {
    return std::make_unique<TopK>();
}

} // namespace mullama::core::sampling

#include <algorithm>
#include <cmath>

#include "core/sampling/mirostat_control.hpp"
#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

class Mirostat final : public Stage {
public:
    void set(std::string_view parameter, double value) override {
        if (parameter == "m") {
            m_ = static_cast<std::size_t>(value);
        } else {
            control_.set(parameter, value);
        }
    }

    void apply(Candidates &candidates) override {
        candidates.keep_top(candidates.size());
        softmax(candidates);
        candidates.truncate(how_many(candidates.anonymous_list(), candidates.vocabulary_size()));
        control_.select(candidates);
    }

    void reset() override { control_.reset(); }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Mirostat>(*this);
    }

private:
    // The k whose surprise, under Zipf's law with the exponent that the likeliest tokens suggest,
    // is mu.
    [[nodiscard]] std::size_t how_many(std::span<const Candidate> all,
                                       std::size_t vocabulary_size) const {
        float products = 0;
        float squares = 0;
        for (std::size_t i = 0; i + 1 < m_ && i + 1 < all.size(); ++i) {
            const float t = std::log(static_cast<float>(i + 2) / static_cast<float>(i + 1));
            const float b = std::log(all[i].p / all[i + 1].p);
            products += t * b;
            squares += t * t;
        }
        const float exponent = products / squares;
        const float epsilon = exponent - 1;
        const float k = std::pow((epsilon * std::pow(2.0F, control_.mu())) /
                                     (1 - std::pow(static_cast<float>(vocabulary_size), -epsilon)),
                                 1 / exponent);
        // A number that is none, or too large for an int, is 1 in llama.cpp on x86.
        constexpr float too_large = 2147483648.0F;
        return k >= 1 && k < too_large ? static_cast<std::size_t>(k) : 1;
    }

    std::size_t m_ = 0;
    MirostatControl control_;
};

} // namespace

std::unique_ptr<Stage> make_mirostat() {
    return std::make_unique<Mirostat>();
}

} // namespace mullama::core::sampling

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

class LogitBias final : public Stage {
public:
    void set_biases(std::string_view /*parameter*/, std::span<const Bias> biases) override {
        std::vector<Bias> sorted(biases.begin(), biases.end());
        std::stable_sort(sorted.begin(), sorted.end(),
                         [](const Bias &a, const Bias &b) { return a.token < b.token; });
        biases_.swap(sorted);
        rules_out_ = std::any_of(biases_.begin(), biases_.end(),
                                 [](const Bias &bias) { return bias.value == -infinity; });
    }

    void apply(Candidates &candidates) override {
        if (biases_.empty()) {
            return;
        }
        if (candidates.is_row()) {
            require_vocabulary(candidates.row().size());
            const std::span<float> row = candidates.edit_row();
            for (const Bias &bias : biases_) {
                row[static_cast<std::size_t>(bias.token)] += bias.value;
            }
        } else {
            add_to_list(candidates.list());
            candidates.unsort();
        }
        if (rules_out_ && candidates.max_logit() == -infinity) {
            throw base::Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                              "the logit biases rule out every token that could be selected")
                .parameter("biases");
        }
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<LogitBias>(*this);
    }

private:
    void require_vocabulary(std::size_t size) const {
        const Token greatest = biases_.back().token;
        if (static_cast<std::size_t>(greatest) >= size) {
            throw base::Error(MULLAMA_ERROR_OUT_OF_RANGE,
                              "a logit bias is for a token that the vocabulary does not have")
                .parameter("biases")
                .expected("0 to " + std::to_string(size - 1))
                .actual(greatest);
        }
    }

    void add_to_list(std::span<Candidate> list) const {
        for (Candidate &candidate : list) {
            auto bias = std::lower_bound(
                biases_.begin(), biases_.end(), candidate.id,
                [](const Bias &entry, Token token) { return entry.token < token; });
            for (; bias != biases_.end() && bias->token == candidate.id; ++bias) {
                candidate.logit += bias->value;
            }
        }
    }

    // By token.
    std::vector<Bias> biases_;
    bool rules_out_ = false;
};

} // namespace

std::unique_ptr<Stage> make_logit_bias() {
    return std::make_unique<LogitBias>();
}

} // namespace mullama::core::sampling

#include <cstdint>
#include <vector>

#include "core/sampling/stage.hpp"
#include "core/sampling/token_counts.hpp"

namespace mullama::core::sampling {

namespace {

class Penalties final : public Stage {
public:
    void set(std::string_view parameter, double value) override {
        if (parameter == "last_n") {
            last_n_ = static_cast<std::int32_t>(value);
        } else if (parameter == "repeat") {
            repeat_ = static_cast<float>(value);
        } else if (parameter == "frequency") {
            frequency_ = static_cast<float>(value);
        } else {
            presence_ = static_cast<float>(value);
        }
    }

    void apply(Candidates &candidates) override {
        if (!active()) {
            return;
        }
        if (candidates.is_row()) {
            if (counts_.size() == 0) {
                return;
            }
            const std::span<float> row = candidates.edit_row();
            counts_.for_each([&](Token token, std::uint32_t count) {
                if (static_cast<std::size_t>(token) < row.size()) {
                    float &logit = row[static_cast<std::size_t>(token)];
                    logit = penalize(logit, count);
                }
            });
            return;
        }
        const std::span<Candidate> list = candidates.list();
        if (candidates.dense()) {
            counts_.for_each([&](Token token, std::uint32_t count) {
                if (static_cast<std::size_t>(token) < list.size()) {
                    Candidate &candidate = list[static_cast<std::size_t>(token)];
                    candidate.logit = penalize(candidate.logit, count);
                }
            });
        } else {
            for (Candidate &candidate : list) {
                const std::uint32_t count = counts_.count(candidate.id);
                if (count > 0) {
                    candidate.logit = penalize(candidate.logit, count);
                }
            }
        }
        candidates.unsort();
    }

    void accept(Token token) override {
        if (!active()) {
            return;
        }
        counts_.add(token);
        if (last_n_ < 0) {
            return;
        }
        const auto limit = static_cast<std::size_t>(last_n_);
        if (history_.size() < limit) {
            history_.push_back(token);
            return;
        }
        counts_.remove(history_[oldest_]);
        history_[oldest_] = token;
        oldest_ = oldest_ + 1 == limit ? 0 : oldest_ + 1;
    }

    void accept_prompt(Token token) override { accept(token); }

    void reset() override {
        counts_.clear();
        history_.clear();
        oldest_ = 0;
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Penalties>(*this);
    }

private:
    [[nodiscard]] bool active() const noexcept {
        return last_n_ != 0 && (repeat_ != 1 || frequency_ != 0 || presence_ != 0);
    }

    [[nodiscard]] float penalize(float logit, std::uint32_t count) const noexcept {
        // Dividing a logit below 0 would make its token likelier.
        logit = logit <= 0 ? logit * repeat_ : logit / repeat_;
        return logit - (static_cast<float>(count) * frequency_ + presence_);
    }

    std::int32_t last_n_ = 0;
    float repeat_ = 1;
    float frequency_ = 0;
    float presence_ = 0;
    TokenCounts counts_;
    // The last tokens, a ring once there are last_n of them; unused where all tokens count.
    std::vector<Token> history_;
    std::size_t oldest_ = 0;
};

} // namespace

std::unique_ptr<Stage> make_penalties() {
    return std::make_unique<Penalties>();
}

} // namespace mullama::core::sampling

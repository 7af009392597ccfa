#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/sampling/sequence_breakers.hpp"
#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

namespace {

// The logarithm of the greatest float.
constexpr float log_of_greatest = 88.7228391F;

class Dry final : public Stage {
public:
    void set(std::string_view parameter, double value) override {
        if (parameter == "multiplier") {
            multiplier_ = static_cast<float>(value);
        } else if (parameter == "base") {
            base_ = static_cast<float>(value);
        } else if (parameter == "allowed_length") {
            allowed_length_ = static_cast<std::size_t>(value);
        } else {
            last_n_ = static_cast<std::int32_t>(value);
        }
        find_breakers();
    }

    void set_texts(std::string_view /*parameter*/, std::span<const std::string> texts) override {
        std::vector<std::string> copy(texts.begin(), texts.end());
        breaker_texts_.swap(copy);
        breakers_.reset();
        find_breakers();
    }

    void bind(const Vocab *vocab) override {
        vocab_ = vocab;
        breakers_.reset();
        find_breakers();
    }

    void apply(Candidates &candidates) override {
        if (!active()) {
            return;
        }
        const std::span<const Token> window = recent();
        if (window.size() <= allowed_length_) {
            return;
        }
        const std::size_t limit = longest_repeat(window);
        if (limit < allowed_length_) {
            return;
        }
        measure_repeats(window, limit);
        find_continuations(window);
        if (!continuations_.empty()) {
            penalize(candidates);
        }
    }

    void accept(Token token) override {
        if (!active()) {
            return;
        }
        history_.push_back(token);
        // Dropping old tokens now and then keeps the history in one piece.
        if (last_n_ > 0 && history_.size() >= 2 * static_cast<std::size_t>(last_n_) + 1024) {
            history_.erase(history_.begin(), history_.end() - last_n_);
        }
    }
    void accept_prompt(Token token) override { accept(token); }

    void reset() override { history_.clear(); }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Dry>(*this);
    }

private:
    [[nodiscard]] bool active() const noexcept {
        return multiplier_ != 0 && base_ >= 1 && last_n_ != 0;
    }

    // They take a look at the whole vocabulary: only where they are needed, and copies share them.
    void find_breakers() {
        if (active() && vocab_ != nullptr && breakers_ == nullptr) {
            breakers_ = std::make_shared<const SequenceBreakers>(*vocab_, breaker_texts_);
        }
    }

    [[nodiscard]] std::span<const Token> recent() const noexcept {
        const std::size_t size = last_n_ < 0
                                     ? history_.size()
                                     : std::min(history_.size(), static_cast<std::size_t>(last_n_));
        return std::span(history_).last(size);
    }

    // How many of the last tokens can be a repetition: those after the last breaker.
    [[nodiscard]] std::size_t longest_repeat(std::span<const Token> window) const {
        if (!breakers_->empty()) {
            for (std::size_t distance = 0; distance < window.size(); ++distance) {
                const std::ptrdiff_t tail = breakers_->match(window, distance);
                if (tail >= 0) {
                    return distance - static_cast<std::size_t>(tail);
                }
            }
        }
        return window.size();
    }

    // repeats_[k]: how many tokens up to the one at distance k from the last are also the last
    // tokens of all, at most `limit`. The Z-function of the window read backwards (Gusfield 1997,
    // Algorithms on Strings, Trees, and Sequences, 1.4).
    void measure_repeats(std::span<const Token> window, std::size_t limit) {
        const std::size_t size = window.size();
        const auto at = [&](std::size_t distance) { return window[size - 1 - distance]; };
        repeats_.assign(size, 0);
        // The stretch [left, right) that is known to equal a beginning.
        std::size_t left = 0;
        std::size_t right = 0;
        for (std::size_t k = 1; k < size; ++k) {
            std::size_t length = 0;
            if (k < right) {
                length = std::min(right - k, repeats_[k - left]);
            }
            while (k + length < size && at(length) == at(k + length)) {
                ++length;
            }
            if (k + length > right) {
                left = k;
                right = k + length;
            }
            repeats_[k] = length;
        }
        for (std::size_t &length : repeats_) {
            length = std::min(length, limit);
        }
    }

    // For each token that would prolong a repetition, how long the longest is so far.
    void find_continuations(std::span<const Token> window) {
        continuations_.clear();
        for (std::size_t k = 1; k < window.size(); ++k) {
            if (repeats_[k] >= allowed_length_) {
                std::size_t &longest = continuations_[window[window.size() - k]];
                longest = std::max(longest, repeats_[k]);
            }
        }
    }

    [[nodiscard]] float penalty(std::size_t length) const {
        auto exponent = static_cast<std::ptrdiff_t>(length - allowed_length_);
        // Beyond, the power would leave the range of float.
        if (base_ > 1.000001F) {
            const auto most = static_cast<std::ptrdiff_t>(log_of_greatest / std::log(base_));
            if (most > 0) {
                exponent = std::min(exponent, most);
            }
        }
        const double power = std::pow(static_cast<double>(base_), static_cast<double>(exponent));
        const double penalty = static_cast<double>(multiplier_) * power;
        return static_cast<float>(
            std::min(penalty, static_cast<double>(std::numeric_limits<float>::max())));
    }

    void penalize(Candidates &candidates) const {
        if (candidates.is_row()) {
            const std::span<float> row = candidates.edit_row();
            for (const auto &[token, length] : continuations_) {
                if (static_cast<std::size_t>(token) < row.size() &&
                    !breakers_->breaks_alone(token)) {
                    row[static_cast<std::size_t>(token)] -= penalty(length);
                }
            }
            return;
        }
        for (Candidate &candidate : candidates.list()) {
            const auto found = continuations_.find(candidate.id);
            if (found != continuations_.end() && !breakers_->breaks_alone(candidate.id)) {
                candidate.logit -= penalty(found->second);
            }
        }
        candidates.unsort();
    }

    float multiplier_ = 0;
    float base_ = 1;
    std::size_t allowed_length_ = 0;
    std::int32_t last_n_ = 0;
    std::vector<std::string> breaker_texts_;
    const Vocab *vocab_ = nullptr;
    std::shared_ptr<const SequenceBreakers> breakers_;
    std::vector<Token> history_;
    // Work space.
    std::vector<std::size_t> repeats_;
    std::unordered_map<Token, std::size_t> continuations_;
};

} // namespace

std::unique_ptr<Stage> make_dry() {
    return std::make_unique<Dry>();
}

} // namespace mullama::core::sampling

#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "core/sampling/softmax.hpp"
#include "core/sampling/stage.hpp"
#include "core/vocab.hpp"

namespace mullama::core::sampling {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// Below this a token is too unlikely to be put into a gap.
constexpr float least_p = 0.2F;

class Infill final : public Stage {
public:
    void bind(const Vocab *vocab) override {
        Token end = MULLAMA_TOKEN_NONE;
        if (vocab != nullptr) {
            end = vocab->special(MULLAMA_SPECIAL_EOT);
            if (end == MULLAMA_TOKEN_NONE) {
                end = vocab->special(MULLAMA_SPECIAL_EOS);
            }
            if (end == MULLAMA_TOKEN_NONE) {
                throw base::Error(MULLAMA_ERROR_UNSUPPORTED,
                                  "the infill stage ends what it cannot fill, and this model has "
                                  "no token that ends a text")
                    .parameter("model");
            }
        }
        vocab_ = vocab;
        end_ = end;
    }

    void apply(Candidates &candidates) override {
        candidates.keep_top(candidates.size());
        softmax(candidates);
        if (prefers_the_end(candidates.list())) {
            keep(candidates, [this](const Candidate &candidate) { return ends(candidate); });
            return;
        }
        join_prefixes(candidates.list());
        keep_likely(candidates, least_p);
        const std::span<Candidate> left = candidates.list();
        const auto texts = static_cast<std::size_t>(
            std::count_if(left.begin(), left.end(),
                          [this](const Candidate &candidate) { return !ends(candidate); }));
        if (kept_.empty() || texts == 0) {
            const Candidate end{end_, 1, left.front().p};
            candidates.replace_sorted(std::span(&end, 1));
            return;
        }
        float sum = 0;
        for (const Candidate &candidate : left) {
            sum += candidate.p;
        }
        for (Candidate &candidate : left) {
            candidate.p /= sum;
        }
        keep_likely(candidates, static_cast<float>(1.0 / static_cast<double>(texts + 1)));
    }

    [[nodiscard]] std::unique_ptr<Stage> clone() const override {
        return std::make_unique<Infill>(*this);
    }

private:
    [[nodiscard]] bool ends(const Candidate &candidate) const {
        return vocab_->contains(candidate.id) && vocab_->ends_generation(candidate.id);
    }

    [[nodiscard]] bool prefers_the_end(std::span<const Candidate> all) const {
        float end_sum = 0;
        float text_sum = 0;
        for (const Candidate &candidate : all) {
            (ends(candidate) ? end_sum : text_sum) += candidate.p;
        }
        return 3 * end_sum * static_cast<float>(all.size()) > text_sum;
    }

    // Leaves those of the list that pass; with none the list stays as it is. kept_ has them.
    template <class Test>
    void keep(Candidates &candidates, Test test) {
        kept_.clear();
        for (const Candidate &candidate : candidates.list()) {
            if (test(candidate)) {
                kept_.push_back(candidate);
            }
        }
        if (!kept_.empty()) {
            candidates.replace_sorted(kept_);
        }
    }

    void keep_likely(Candidates &candidates, float least) {
        keep(candidates, [this, least](const Candidate &candidate) {
            return !(candidate.p < least) || ends(candidate);
        });
    }

    [[nodiscard]] std::string_view piece(const Candidate &candidate) const {
        return vocab_->contains(candidate.id) ? vocab_->piece(candidate.id, false)
                                              : std::string_view();
    }

    // Of two tokens one of which begins with the other, the likelier gets what both have. In the
    // order in which llama.cpp meets the pairs; those that share a beginning stand together in
    // alphabetical order, which spares most of the comparisons.
    void join_prefixes(std::span<Candidate> all) {
        by_piece_.resize(all.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            by_piece_[i] = i;
        }
        std::sort(by_piece_.begin(), by_piece_.end(),
                  [&](std::size_t a, std::size_t b) { return piece(all[a]) < piece(all[b]); });
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::string_view prefix = piece(all[i]);
            if (prefix.empty() || all[i].logit == -infinity) {
                continue;
            }
            const auto first = std::lower_bound(
                by_piece_.begin(), by_piece_.end(), prefix,
                [&](std::size_t place, std::string_view text) { return piece(all[place]) < text; });
            const auto last = std::find_if(first, by_piece_.end(), [&](std::size_t place) {
                return !piece(all[place]).starts_with(prefix);
            });
            longer_.assign(first, last);
            std::sort(longer_.begin(), longer_.end());
            join(all, i);
        }
    }

    void join(std::span<Candidate> all, std::size_t i) const {
        for (const std::size_t other : longer_) {
            if (all[i].logit == -infinity) {
                return;
            }
            if (other == i || all[other].logit == -infinity) {
                continue;
            }
            const bool to_other = all[other].p > all[i].p;
            Candidate &winner = to_other ? all[other] : all[i];
            Candidate &loser = to_other ? all[i] : all[other];
            winner.p += loser.p;
            loser.logit = -infinity;
            loser.p = 0;
        }
    }

    const Vocab *vocab_ = nullptr;
    Token end_ = MULLAMA_TOKEN_NONE;
    // Work space.
    std::vector<Candidate> kept_;
    std::vector<std::size_t> by_piece_;
    std::vector<std::size_t> longer_;
};

} // namespace

std::unique_ptr<Stage> make_infill() {
    return std::make_unique<Infill>();
}

} // namespace mullama::core::sampling

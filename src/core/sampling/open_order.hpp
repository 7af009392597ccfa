// Candidates in falling order of a score that is not their logit, ties left open.
//
// Equal scores come in the order of std::sort, as in lazy_sort.hpp. To find it out all of the
// sort's steps are taken, although most candidates have a score of their own, so that their place
// is known anyhow, and mostly one candidate is asked for: then this order is worked out as late as
// possible, and for no more than that one where that is enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/sampling/ranked.hpp"

namespace mullama::core::sampling {

class OpenOrder {
public:
    // Begins with the scores of all candidates, in the order that they are sorted from, each with
    // its own index as its place. They are taken, and some vector is given for them. `cut`: the
    // list to come ends among ties.
    void start(std::vector<Ranked> &scores, std::size_t count, bool cut) noexcept;
    void close() noexcept { open_ = false; }
    [[nodiscard]] bool open() const noexcept { return open_; }

    // In the following a list has the first of them in falling order, but for ties; each one's id
    // is its index among the scores, and of those tied with the last, all have the same logit.

    // Whether which candidate is at a place is open.
    [[nodiscard]] bool tied(std::span<const Candidate> list, std::size_t place) const noexcept;
    // Whether even the logit at a place is.
    [[nodiscard]] bool mixed(std::span<const Candidate> list, std::size_t place) const noexcept;
    // The index of the one that is at a place in truth.
    [[nodiscard]] std::uint32_t settle(std::size_t place);
    // Writes the list in its true order into `settled`, and closes.
    void settle_all(std::span<const Candidate> list, std::span<Candidate> settled);

private:
    [[nodiscard]] float score(const Candidate &candidate) const noexcept {
        return scores_[static_cast<std::size_t>(candidate.id)].value;
    }
    std::span<Ranked> copy_scores();

    std::vector<Ranked> scores_;
    std::size_t count_ = 0;
    bool open_ = false;
    bool cut_ = false;
    std::vector<Ranked> sorted_;
    std::vector<std::uint32_t> places_;
};

} // namespace mullama::core::sampling

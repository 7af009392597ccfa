// What a chain of stages works on: the tokens that can still be selected.
//
// A vocabulary has up to 262,144 tokens and most chains keep few of them, so candidates begin as
// the row of logits itself and become a list of their own only when a stage needs one. Memory is
// kept from one token to the next: after the first, sampling allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/port.hpp"
#include "core/sampling/buckets.hpp"
#include "core/sampling/candidate.hpp"
#include "core/sampling/open_order.hpp"

namespace mullama::core::sampling {

class Candidates {
public:
    // Starts over with the logits of a whole vocabulary, borrowed until the next assign(). Throws
    // base::Error where they hold a NaN or +infinity, or rule out every token.
    void assign(std::span<const float> logits);

    // Starts over with a list, copied. Throws alike, and for a negative token.
    void assign_list(std::span<const Candidate> list);
    // The list, for a caller to write anything into: check_list() comes before any other use.
    [[nodiscard]] std::span<Candidate> edit_list();
    // Throws as assign_list() for what the list holds.
    void check_list();
    // Throws where the first `count` of the list are all ruled out.
    void require_possible(std::size_t count);

    // Whether they are still a row: the logit of token i is row()[i], nothing is left out.
    [[nodiscard]] bool is_row() const noexcept { return is_row_; }
    [[nodiscard]] std::span<const float> row() const noexcept { return row_; }
    // The row as a copy that may be changed.
    [[nodiscard]] std::span<float> edit_row();

    // The candidates as a list, made from the row if they are one still.
    [[nodiscard]] std::span<Candidate> list();
    // The same for who doesn't look at ids: which of several equal logits is whose may not have
    // been worked out.
    [[nodiscard]] std::span<Candidate> anonymous_list();
    // The same for who treats all alike: some may be in each other's place. See order().
    [[nodiscard]] std::span<Candidate> unordered_list();
    [[nodiscard]] std::size_t size() const noexcept { return is_row_ ? row_.size() : size_; }
    // How many tokens there were before any stage took some away.
    [[nodiscard]] std::size_t vocabulary_size() const noexcept { return vocabulary_size_; }
    // Whether the list is in falling order of logits.
    [[nodiscard]] bool sorted() const noexcept { return sorted_; }
    // Whether the list has every token at its own index.
    [[nodiscard]] bool dense() const noexcept { return dense_; }
    // A stage changed logits in place, and the list is not known to be in order any more.
    void unsort() noexcept { sorted_ = false; }

    // Leaves the first `count` of the list.
    void truncate(std::size_t count);
    // Leaves the `count` likeliest, in falling order. Equal logits come in the order, and are cut
    // at the place, that llama.cpp's top-k gives them.
    void keep_top(std::size_t count);
    // Leaves those whose logit is at least `least`, in the order they have; false, with nothing
    // changed, where that leaves fewer than `min_keep`.
    bool keep_at_least(float least, std::size_t min_keep);
    // Leaves the tokens whose bit is set, in the order they have; bit i of words[k] is that of
    // token 64 * k + i. False, with nothing changed, where that leaves none.
    bool keep_tokens(std::span<const std::uint64_t> words);
    // Leaves the likeliest alone: the first of those with the greatest logit.
    void keep_best();
    // Leaves the first `count` of the buckets, in their order; they are sorted that far.
    void keep_sorted(std::size_t count);
    // Leaves some of the buckets, ties open: those whose number there is the id of `chosen`.
    void keep_anonymous(std::span<const Candidate> chosen);
    // What is open about the order of the list.
    [[nodiscard]] OpenOrder &order() noexcept { return order_; }
    // Leaves those at the places chosen, in the order chosen.
    void keep(std::span<const Ranked> chosen);
    // Leaves all but the first `count` of the list.
    void drop(std::size_t count);
    // Puts other candidates, in falling order, in place of the list.
    void replace_sorted(std::span<const Candidate> candidates);

    // The greatest logit, and the first place that has it.
    [[nodiscard]] float max_logit();
    [[nodiscard]] std::size_t best();

    // Which place a stage selected.
    void select(std::size_t place) noexcept { selected_ = place; }
    [[nodiscard]] bool has_selected() const noexcept { return selected_ != none; }
    // Of one that is selected.
    [[nodiscard]] std::size_t selected() const noexcept { return selected_; }
    void select_none() noexcept { selected_ = none; }
    // The selected token, or the likeliest where no stage selected one.
    [[nodiscard]] Token token();

    // For stages that need falling order without sorting everything: takes the `count` likeliest
    // into the buckets, with their places here.
    void fill_buckets(std::size_t count);
    // Takes those whose logit is at least `least` into the buckets, sorted and ties open. False
    // where this is no row, or they are more than `most`.
    [[nodiscard]] bool fill_buckets_from(float least, std::size_t most);
    [[nodiscard]] Buckets &buckets() noexcept { return buckets_; }
    // Whether their ties will be open.
    [[nodiscard]] bool buckets_open() const noexcept;

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    void become_list(std::size_t size, bool sorted) noexcept;
    void settle_order();
    [[nodiscard]] Token id_at(std::size_t place);
    void reserve(std::size_t count);

    std::span<const float> row_;
    std::size_t vocabulary_size_ = 0;
    std::vector<float> edited_row_;
    float row_max_ = 0;
    bool row_max_known_ = false;

    std::vector<Candidate> storage_;
    std::vector<Candidate> spare_;
    std::size_t size_ = 0;
    std::size_t selected_ = none;
    bool is_row_ = true;
    bool sorted_ = false;
    bool dense_ = false;
    // Whether each id is the number of an item in the buckets, whose ties are open, not a token's.
    bool anonymous_ = false;
    Buckets buckets_;
    OpenOrder order_;
};

} // namespace mullama::core::sampling

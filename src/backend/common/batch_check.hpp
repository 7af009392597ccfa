// The rules that a batch must keep, the same for every engine. They are llama.cpp's own, a little
// stricter: it asserts on some breaches, and answers others with a line in its log.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/port.hpp"

namespace mullama::backend {

// Scratch memory for checking the batches of one context; nothing is allocated per batch once the
// largest one has been seen.
class BatchCheck {
public:
    // What the last batch that passed does to one of its sequences.
    struct Extent {
        SequenceId sequence = 0;
        // The last position it holds before and after; -1: none.
        Position before = -1;
        Position after = -1;
    };

    // `not_shared`: why no token may belong to several sequences, for the message ("which needs a
    // context with kv_unified"); nullptr where it may.
    // `n_positions`: how many there are; 0: any number.
    BatchCheck(std::int32_t n_vocab, std::uint32_t n_seq_max, const char *not_shared,
               Position n_positions = 0);

    // Batches may hold embeddings of this width in place of tokens; 0, as at first: they may not.
    void accept_embeddings(std::int32_t n_embd) noexcept { n_embd_ = n_embd; }

    // Throws base::Error, with the index in the batch as its offset, unless the batch has 1 to
    // `n_tokens_max` tokens (`limit_name` is what the caller knows that number as), every token is
    // in the vocabulary or every embedding as wide as the model's, and every token stands right
    // after the last one of each of its sequences. Asks `memory` where they end; without one, all
    // are empty.
    void check(const Batch &batch, const Context *memory, std::uint32_t n_tokens_max,
               const char *limit_name);

    // The sequences of the last batch that passed, in the order in which they appear.
    [[nodiscard]] std::span<const Extent> extents() const noexcept { return extents_; }

private:
    void check_width(const Batch &batch) const;
    void check_sequences(const Batch &batch, std::size_t index, const Context *memory);
    // Whether two sequences held the same positions before the batch.
    [[nodiscard]] bool hold_the_same(SequenceId one, SequenceId other, const Context *memory);
    Extent &extent(SequenceId sequence, const Context *memory);

    std::int32_t n_vocab_;
    std::int32_t n_embd_ = 0;
    const char *not_shared_;
    Position n_positions_;
    std::vector<Extent> extents_;
    // Where a sequence stands in extents_; -1: not yet in this batch.
    std::vector<std::int32_t> extent_of_;
};

} // namespace mullama::backend

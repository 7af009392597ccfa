#include "backend/common/batch_check.hpp"

#include <algorithm>
#include <string>

namespace mullama::backend {

using base::Error;

namespace {

std::string range(std::int64_t first, std::int64_t last) {
    return std::to_string(first) + " to " + std::to_string(last);
}

[[noreturn]] void refuse_size(std::size_t size, std::uint32_t n_tokens_max,
                              const char *limit_name) {
    if (size == 0) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "the batch has no tokens").parameter("batch");
    }
    throw Error(MULLAMA_ERROR_NO_SPACE, "the batch has " + std::to_string(size) +
                                            " tokens, but this context takes at most " +
                                            std::to_string(n_tokens_max) + " at a time (" +
                                            limit_name + "): decode it in parts")
        .parameter("batch")
        .expected(range(1, n_tokens_max))
        .actual(size);
}

Error refusal(base::ErrorCode code, std::size_t index, const std::string &why) {
    return Error(code, "token " + std::to_string(index) + " of the batch " + why)
        .offset(static_cast<std::int64_t>(index));
}

} // namespace

BatchCheck::BatchCheck(std::int32_t n_vocab, std::uint32_t n_seq_max, const char *not_shared,
                       Position n_positions)
    : n_vocab_(n_vocab), not_shared_(not_shared), n_positions_(n_positions),
      extent_of_(n_seq_max, -1) {
    extents_.reserve(n_seq_max);
}

void BatchCheck::check(const Batch &batch, const Context *memory, std::uint32_t n_tokens_max,
                       const char *limit_name) {
    for (const Extent &old : extents_) {
        extent_of_[static_cast<std::size_t>(old.sequence)] = -1;
    }
    extents_.clear();

    const std::size_t size = batch.size();
    if (size == 0 || size > n_tokens_max) {
        refuse_size(size, n_tokens_max, limit_name);
    }
    check_width(batch);
    for (std::size_t i = 0; i < size; ++i) {
        if (batch.n_embd == 0 && (batch.tokens[i] < 0 || batch.tokens[i] >= n_vocab_)) {
            throw refusal(MULLAMA_ERROR_OUT_OF_RANGE, i, "is outside the vocabulary")
                .parameter("token")
                .expected(range(0, n_vocab_ - 1))
                .actual(batch.tokens[i]);
        }
        check_sequences(batch, i, memory);
    }
}

void BatchCheck::check_width(const Batch &batch) const {
    if (batch.n_embd == 0 || batch.n_embd == static_cast<std::size_t>(n_embd_)) {
        return;
    }
    if (n_embd_ == 0) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "this model takes tokens and no embeddings: its n_embd_inp is 0")
            .parameter("batch");
    }
    throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the model's embeddings have another width")
        .parameter("embedding_count")
        .expected(std::to_string(n_embd_))
        .actual(batch.n_embd);
}

void BatchCheck::check_sequences(const Batch &batch, std::size_t index, const Context *memory) {
    const std::uint32_t begin = batch.sequence_begin[index];
    const std::uint32_t end = batch.sequence_begin[index + 1];
    if (begin == end) {
        throw refusal(MULLAMA_ERROR_INVALID_ARGUMENT, index, "belongs to no sequence")
            .parameter("sequences");
    }
    if (end - begin > 1 && not_shared_ != nullptr) {
        throw refusal(MULLAMA_ERROR_INVALID_ARGUMENT, index,
                      std::string("belongs to several sequences, ") + not_shared_)
            .parameter("sequences")
            .expected("1")
            .actual(end - begin);
    }
    const Position position = batch.positions[index];
    if (n_positions_ != 0 && position >= n_positions_) {
        throw refusal(
            MULLAMA_ERROR_OUT_OF_RANGE, index,
            "stands beyond the positions that the model was trained with, and it knows no "
            "others")
            .parameter("position")
            .expected(range(0, n_positions_ - 1))
            .actual(position);
    }
    for (std::uint32_t i = begin; i < end; ++i) {
        const SequenceId sequence = batch.sequence_ids[i];
        if (sequence < 0 || static_cast<std::size_t>(sequence) >= extent_of_.size()) {
            throw refusal(MULLAMA_ERROR_OUT_OF_RANGE, index,
                          "belongs to a sequence that this context does not have (n_seq_max)")
                .parameter("sequences")
                .expected(range(0, static_cast<std::int64_t>(extent_of_.size()) - 1))
                .actual(sequence);
        }
        const auto first = batch.sequence_ids.begin() + begin;
        if (std::find(first, first + (i - begin), sequence) != first + (i - begin)) {
            throw refusal(MULLAMA_ERROR_INVALID_ARGUMENT, index,
                          "names sequence " + std::to_string(sequence) + " twice")
                .parameter("sequences");
        }
        Extent &its = extent(sequence, memory);
        if (position != its.after + 1) {
            throw refusal(MULLAMA_ERROR_OUT_OF_RANGE, index,
                          "does not stand right after the last one of sequence " +
                              std::to_string(sequence))
                .parameter("position")
                .expected(std::to_string(its.after + 1))
                .actual(position);
        }
        its.after = position;
        if (i > begin && !hold_the_same(sequence, *first, memory)) {
            throw refusal(MULLAMA_ERROR_INVALID_ARGUMENT, index,
                          "belongs to sequences " + std::to_string(*first) + " and " +
                              std::to_string(sequence) + ", which do not hold the same positions")
                .parameter("sequences");
        }
    }
}

bool BatchCheck::hold_the_same(SequenceId one, SequenceId other, const Context *memory) {
    return extent(one, memory).before == extent(other, memory).before &&
           (memory == nullptr || memory->first_position(one) == memory->first_position(other));
}

BatchCheck::Extent &BatchCheck::extent(SequenceId sequence, const Context *memory) {
    std::int32_t &place = extent_of_[static_cast<std::size_t>(sequence)];
    if (place < 0) {
        place = static_cast<std::int32_t>(extents_.size());
        const Position last = memory == nullptr ? -1 : memory->last_position(sequence);
        extents_.push_back({sequence, last, last});
    }
    return extents_[static_cast<std::size_t>(place)];
}

} // namespace mullama::backend

// What each sequence of a context holds: which token stands at which position, and which of them
// are one cell of the memory, shared by several sequences.
//
// Engines know only the first and the last position of a sequence. This tells a caller what an
// aborted or reloaded context really holds, and tells sharing apart from likeness: positions of a
// shared cell cannot be moved for one sequence alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/port.hpp"

namespace mullama::core {

// Thread safety: one thread at a time.
class SequenceHistory {
public:
    struct Entry {
        backend::Position position;
        backend::Token token;
        // Equal for the entries of several sequences that are one cell.
        std::uint32_t cell;
    };

    explicit SequenceHistory(std::uint32_t n_seq_max) : sequences_(n_seq_max) {}

    // In rising order of positions; positions are equal only after divide().
    [[nodiscard]] std::span<const Entry> entries(backend::SequenceId sequence) const;
    // How many different cells all sequences hold together.
    [[nodiscard]] std::size_t used_cells() const noexcept {
        return holders_.size() - free_cells_.size();
    }
    // Whether a cell of the range belongs to another sequence as well.
    [[nodiscard]] bool shares(backend::SequenceId sequence, backend::Position begin,
                              backend::Position end) const;
    // Whether the sequence holds a position of the range.
    [[nodiscard]] bool holds(backend::SequenceId sequence, backend::Position begin,
                             backend::Position end) const;

    // Sets memory aside for append() of the same batch, which then cannot fail.
    void reserve(const backend::Batch &batch);
    void append(const backend::Batch &batch) noexcept;

    // Ranges are [begin, end).
    void remove(backend::SequenceId sequence, backend::Position begin,
                backend::Position end) noexcept;
    // The target is empty.
    void copy(backend::SequenceId from, backend::SequenceId to, backend::Position begin,
              backend::Position end);
    void shift(backend::SequenceId sequence, backend::Position begin, backend::Position end,
               backend::Position delta) noexcept;
    void divide(backend::SequenceId sequence, backend::Position begin, backend::Position end,
                std::int32_t divisor) noexcept;
    void clear() noexcept;
    // Gives empty sequences what was saved of them: entries with the same cell, of whichever
    // sequence, are one cell. `entries[i]` are those of `sequences[i]`.
    void restore(std::span<const backend::SequenceId> sequences,
                 std::span<const std::vector<Entry>> entries);

private:
    using Sequence = std::vector<Entry>;

    [[nodiscard]] Sequence &of(backend::SequenceId sequence) {
        return sequences_[static_cast<std::size_t>(sequence)];
    }
    // The entries [first, last) whose positions lie in the range.
    struct Range {
        std::size_t first;
        std::size_t last;
    };
    [[nodiscard]] Range find(backend::SequenceId sequence, backend::Position begin,
                             backend::Position end) const;
    void release(std::uint32_t cell) noexcept;

    std::vector<Sequence> sequences_;
    // How many sequences hold each cell, and the cells that none does.
    std::vector<std::uint16_t> holders_;
    std::vector<std::uint32_t> free_cells_;
};

} // namespace mullama::core

#include "core/sequence_history.hpp"

#include <algorithm>
#include <unordered_map>

namespace mullama::core {

using backend::Position;
using backend::SequenceId;

namespace {

bool by_position(const SequenceHistory::Entry &a, const SequenceHistory::Entry &b) {
    return a.position < b.position;
}

} // namespace

std::span<const SequenceHistory::Entry> SequenceHistory::entries(SequenceId sequence) const {
    return sequences_[static_cast<std::size_t>(sequence)];
}

SequenceHistory::Range SequenceHistory::find(SequenceId sequence, Position begin,
                                             Position end) const {
    const std::span<const Entry> all = entries(sequence);
    const auto place = [&](Position position) {
        return static_cast<std::size_t>(
            std::lower_bound(all.begin(), all.end(), Entry{position, 0, 0}, by_position) -
            all.begin());
    };
    const std::size_t first = place(begin);
    return {first, std::max(first, place(end))};
}

bool SequenceHistory::shares(SequenceId sequence, Position begin, Position end) const {
    const Range range = find(sequence, begin, end);
    const std::span<const Entry> all = entries(sequence);
    return std::any_of(all.begin() + static_cast<std::ptrdiff_t>(range.first),
                       all.begin() + static_cast<std::ptrdiff_t>(range.last),
                       [this](const Entry &entry) { return holders_[entry.cell] > 1; });
}

bool SequenceHistory::holds(SequenceId sequence, Position begin, Position end) const {
    const Range range = find(sequence, begin, end);
    return range.first < range.last;
}

void SequenceHistory::reserve(const backend::Batch &batch) {
    // Room for each sequence to take all of the batch: more than needed for a batch of many
    // sequences, and cheap to know.
    for (const SequenceId id : batch.sequence_ids) {
        Sequence &its = of(id);
        const std::size_t needed = its.size() + batch.size();
        if (its.capacity() < needed) {
            its.reserve(std::max(needed, 2 * its.capacity()));
        }
    }
    const std::size_t cells = used_cells() + batch.size();
    if (holders_.size() < cells) {
        const std::size_t grown = std::max(cells, 2 * holders_.size());
        free_cells_.reserve(grown);
        const auto first = static_cast<std::uint32_t>(holders_.size());
        holders_.resize(grown);
        for (auto cell = static_cast<std::uint32_t>(grown); cell-- > first;) {
            free_cells_.push_back(cell);
        }
    }
}

void SequenceHistory::append(const backend::Batch &batch) noexcept {
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const std::uint32_t cell = free_cells_.back();
        free_cells_.pop_back();
        const std::uint32_t begin = batch.sequence_begin[i];
        const std::uint32_t end = batch.sequence_begin[i + 1];
        for (std::uint32_t s = begin; s < end; ++s) {
            of(batch.sequence_ids[s]).push_back({batch.positions[i], batch.tokens[i], cell});
        }
        holders_[cell] = static_cast<std::uint16_t>(end - begin);
    }
}

void SequenceHistory::release(std::uint32_t cell) noexcept {
    if (--holders_[cell] == 0) {
        // Never grows: its capacity is that of all cells.
        free_cells_.push_back(cell);
    }
}

void SequenceHistory::remove(SequenceId sequence, Position begin, Position end) noexcept {
    const Range range = find(sequence, begin, end);
    Sequence &its = of(sequence);
    for (std::size_t i = range.first; i < range.last; ++i) {
        release(its[i].cell);
    }
    its.erase(its.begin() + static_cast<std::ptrdiff_t>(range.first),
              its.begin() + static_cast<std::ptrdiff_t>(range.last));
}

void SequenceHistory::copy(SequenceId from, SequenceId to, Position begin, Position end) {
    const Range range = find(from, begin, end);
    const std::span<const Entry> copied =
        entries(from).subspan(range.first, range.last - range.first);
    of(to).assign(copied.begin(), copied.end());
    for (const Entry &entry : copied) {
        ++holders_[entry.cell];
    }
}

void SequenceHistory::shift(SequenceId sequence, Position begin, Position end,
                            Position delta) noexcept {
    const Range range = find(sequence, begin, end);
    Sequence &its = of(sequence);
    for (std::size_t i = range.first; i < range.last; ++i) {
        its[i].position += delta;
    }
    // The range may have moved past what it does not overlap.
    std::stable_sort(its.begin(), its.end(), by_position);
}

void SequenceHistory::divide(SequenceId sequence, Position begin, Position end,
                             std::int32_t divisor) noexcept {
    const Range range = find(sequence, begin, end);
    Sequence &its = of(sequence);
    for (std::size_t i = range.first; i < range.last; ++i) {
        its[i].position /= divisor;
    }
    std::stable_sort(its.begin(), its.end(), by_position);
}

void SequenceHistory::clear() noexcept {
    for (Sequence &its : sequences_) {
        its.clear();
    }
    free_cells_.clear();
    for (auto cell = static_cast<std::uint32_t>(holders_.size()); cell-- > 0;) {
        holders_[cell] = 0;
        free_cells_.push_back(cell);
    }
}

void SequenceHistory::restore(std::span<const SequenceId> sequences,
                              std::span<const std::vector<Entry>> entries) {
    std::unordered_map<std::uint32_t, std::uint32_t> cell_of;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        Sequence &its = of(sequences[i]);
        its = entries[i];
        for (Entry &entry : its) {
            const auto [place, is_new] = cell_of.try_emplace(entry.cell, 0);
            if (is_new) {
                if (free_cells_.empty()) {
                    free_cells_.push_back(static_cast<std::uint32_t>(holders_.size()));
                    holders_.push_back(0);
                }
                place->second = free_cells_.back();
                free_cells_.pop_back();
            }
            entry.cell = place->second;
            ++holders_[entry.cell];
        }
    }
    // release() relies on it.
    free_cells_.reserve(holders_.size());
}

} // namespace mullama::core

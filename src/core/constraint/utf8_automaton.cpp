#include "core/constraint/utf8_automaton.hpp"

#include <algorithm>

namespace mullama::core::constraint {

namespace {

// What one byte before `continuations` more ones decides between.
constexpr std::uint32_t block_size(unsigned continuations) noexcept {
    return std::uint32_t{1} << (6 * continuations);
}

std::uint64_t hash_of(const std::vector<Utf8Automaton::Edge> &edges) noexcept {
    std::uint64_t hash = edges.size();
    for (const Utf8Automaton::Edge &edge : edges) {
        hash ^= (std::uint64_t{edge.next} << 16) | (std::uint64_t{edge.first} << 8) | edge.last;
        hash *= 0x9E3779B97F4A7C15;
        hash ^= hash >> 29;
    }
    return hash;
}

struct Length {
    std::uint32_t first; // the characters that are encoded in this many bytes
    std::uint32_t last;
    unsigned continuations;
    std::uint8_t marker; // the bits that tell it by the first byte
};

constexpr std::array<Length, 4> lengths{{{0, 0x7F, 0, 0x00},
                                         {0x80, 0x7FF, 1, 0xC0},
                                         {0x800, 0xFFFF, 2, 0xE0},
                                         {0x10000, max_code_point, 3, 0xF0}}};

} // namespace

Utf8Automaton::Utf8Automaton() : begins_{0, 0} {
    for (unsigned i = 1; i < any_.size(); ++i) {
        any_[i] = intern({{0x80, 0xBF, any_[i - 1]}});
    }
}

Utf8Automaton::State Utf8Automaton::add(const CodePointSet &set) {
    std::vector<Edge> edges;
    std::vector<CodePointRange> part;
    for (const Length &length : lengths) {
        part.clear();
        for (const CodePointRange range : set.ranges()) {
            if (range.first <= length.last && range.last >= length.first) {
                part.push_back(
                    {std::max(range.first, length.first), std::min(range.last, length.last)});
            }
        }
        append_edges(part, length.continuations, length.marker, edges);
    }
    return intern(edges);
}

Utf8Automaton::State Utf8Automaton::build(std::span<const CodePointRange> ranges,
                                          unsigned continuations) {
    if (continuations == 0) {
        return complete;
    }
    if (ranges.front().first == 0 && ranges.front().last == block_size(continuations) - 1) {
        return any_[continuations];
    }
    std::vector<Edge> edges;
    append_edges(ranges, continuations - 1, 0x80, edges);
    return intern(edges);
}

void Utf8Automaton::append_edges(std::span<const CodePointRange> ranges, unsigned continuations,
                                 std::uint8_t marker, std::vector<Edge> &out) {
    const std::uint32_t size = block_size(continuations);
    std::vector<CodePointRange> inside; // what lies in one block, from its beginning
    std::size_t i = 0;
    std::uint32_t block = ranges.empty() ? 0 : ranges.front().first / size;
    while (i < ranges.size()) {
        const std::uint32_t first = block * size;
        const std::uint32_t last = first + size - 1;
        inside.clear();
        std::size_t next = i;
        for (; next < ranges.size() && ranges[next].first <= last; ++next) {
            inside.push_back({std::max(ranges[next].first, first) - first,
                              std::min(ranges[next].last, last) - first});
            if (ranges[next].last > last) {
                break;
            }
        }
        const State to = build(inside, continuations);
        const auto byte = static_cast<std::uint8_t>(marker | block);
        if (!out.empty() && out.back().next == to && out.back().last + 1 == byte) {
            out.back().last = byte;
        } else {
            out.push_back({byte, byte, to});
        }
        i = next;
        if (i < ranges.size()) {
            block = std::max(block + 1, ranges[i].first / size);
        }
    }
}

Utf8Automaton::State Utf8Automaton::intern(const std::vector<Edge> &edges) {
    const std::uint64_t hash = hash_of(edges);
    const auto [begin, end] = by_content_.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
        const auto from = edges_.begin() + begins_[it->second];
        const auto to = edges_.begin() + begins_[it->second + 1];
        if (std::equal(edges.begin(), edges.end(), from, to)) {
            return it->second;
        }
    }
    const auto state = static_cast<State>(size());
    edges_.insert(edges_.end(), edges.begin(), edges.end());
    begins_.push_back(static_cast<std::uint32_t>(edges_.size()));
    by_content_.emplace(hash, state);
    return state;
}

Utf8Automaton::State Utf8Automaton::step(State state, std::uint8_t byte) const noexcept {
    const Edge *const begin = edges_.data() + begins_[state];
    const Edge *const end = edges_.data() + begins_[state + 1];
    const Edge *const edge = std::partition_point(
        begin, end, [byte](const Edge &candidate) { return candidate.last < byte; });
    return edge != end && edge->first <= byte ? edge->next : none;
}

} // namespace mullama::core::constraint

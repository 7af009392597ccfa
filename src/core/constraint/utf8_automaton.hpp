// Sets of characters as automata over the bytes of their UTF-8 encoding.
//
// One table holds the automata of many sets; states that accept the same bytes are one. A set costs
// at most one state per distinct set of continuations: "any character" takes eight.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/constraint/code_point_set.hpp"

namespace mullama::core::constraint {

class Utf8Automaton {
public:
    using State = std::uint32_t;
    // The last byte of a character was read. Never a start.
    static constexpr State complete = 0;
    // The byte continues no character of the set.
    static constexpr State none = static_cast<State>(-1);

    struct Edge {
        std::uint8_t first = 0;
        std::uint8_t last = 0;
        State next = complete;

        bool operator==(const Edge &) const = default;
    };

    Utf8Automaton();

    // The state before the first byte of a character of the set, which is normalized and not empty.
    State add(const CodePointSet &set);

    [[nodiscard]] State step(State state, std::uint8_t byte) const noexcept;

    // How many states there are, `complete` among them.
    [[nodiscard]] std::size_t size() const noexcept { return begins_.size() - 1; }
    // Of all states; which byte leads where from any of them changes only at their ends.
    [[nodiscard]] std::span<const Edge> edges() const noexcept { return edges_; }

private:
    // The part of a set that shares a prefix: ranges of what `continuations` more bytes encode.
    State build(std::span<const CodePointRange> ranges, unsigned continuations);
    void append_edges(std::span<const CodePointRange> ranges, unsigned continuations,
                      std::uint8_t marker, std::vector<Edge> &out);
    State intern(const std::vector<Edge> &edges);

    std::vector<Edge> edges_;
    // Where each state's edges begin, and one more.
    std::vector<std::uint32_t> begins_;
    std::unordered_multimap<std::uint64_t, State> by_content_;
    // The state in which any `i` continuation bytes may follow.
    std::array<State, 4> any_{};
};

} // namespace mullama::core::constraint

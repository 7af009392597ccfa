// The tokens of a vocabulary as a tree of their bytes, to hold all of them against an automaton at
// once: what the first bytes rule out is passed over with everything that begins so.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "backend/port.hpp"

namespace mullama::core::constraint {

using backend::Token;

// Immutable. Thread safety: all of it.
class TokenTrie {
public:
    // A prefix of some tokens. Nodes stand in the order of a walk that visits a prefix before what
    // it is continued to.
    struct Node {
        // The node after all continuations.
        std::uint32_t end = 0;
        // tokens()[first_token] to the next node's first_token are spelled so; to that of `end`:
        // begin so.
        std::uint32_t first_token = 0;
        // How many bytes come before the last one.
        std::uint32_t depth = 0;
        std::uint8_t byte = 0;
    };

    // What there is in a text, roughly: one bit for each of the ASCII characters that grammars
    // treat specially, and one for each group of the others.
    using Groups = std::uint64_t;
    static constexpr unsigned group_count = 64;
    // Characters beyond ASCII, the last one maybe cut off; and bytes that are in no character.
    static constexpr unsigned characters = 0;
    static constexpr unsigned ill_formed = 1;
    // Of an ASCII character.
    [[nodiscard]] static unsigned group_of(std::uint8_t byte) noexcept;
    // The ASCII characters of a group, in order.
    [[nodiscard]] static std::span<const std::uint8_t> bytes_of(unsigned group) noexcept;

    // Token `i` has the bytes `piece(i)`, which stay where they are for the time of this call;
    // those without any are left out.
    TokenTrie(std::size_t size, const std::function<std::string_view(Token)> &piece);

    // One more than there are, so that every node's successor has a first_token.
    [[nodiscard]] std::span<const Node> nodes() const noexcept { return nodes_; }
    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size() - 1; }
    [[nodiscard]] std::span<const Token> tokens() const noexcept { return tokens_; }
    // The longest token's bytes.
    [[nodiscard]] std::size_t max_depth() const noexcept { return max_depth_; }
    // What all continuations of a node are made of.
    [[nodiscard]] Groups continuations(std::uint32_t node) const noexcept {
        return continuations_[node];
    }

private:
    std::vector<Node> nodes_;
    std::vector<Groups> continuations_;
    std::vector<Token> tokens_;
    std::size_t max_depth_ = 0;
};

} // namespace mullama::core::constraint

// A grammar, compiled: a nondeterministic automaton per rule, over the bytes of UTF-8 text and over
// whole tokens, whose automata call each other.
//
// Left recursion is refused, since a rule that calls itself before anything is read would have to
// be entered without end; calls in a rule's last place are no calls but jumps, and may go round.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/constraint/gbnf_syntax.hpp"
#include "core/constraint/utf8_automaton.hpp"

namespace mullama::core::constraint::gbnf {

// A place in an automaton.
using Position = std::uint32_t;
// The end of every rule.
inline constexpr Position accepted = 0;

// The most places that a grammar may have.
inline constexpr std::size_t max_nodes = 1'000'000;

struct Node {
    enum class Kind : std::uint8_t {
        accept, // the rule ends here; only at `accepted`
        byte,   // reads the byte `value`
        set,    // reads a character, by the state `value` of Grammar::characters()
        token,  // reads a whole token, by Grammar::tokens()[value]
        call,   // reads what rule `value` does
        split,  // reads nothing, and goes on at `value` as well as at `next`
    };

    Kind kind = Kind::accept;
    std::uint32_t value = 0;
    Position next = accepted;
};

struct CompiledRule {
    Position start = accepted;
    // Matches the empty text.
    bool nullable = false;
    // Rules that enter each other before anything is read have the same number; where one of them
    // enters another rule so, that one's number is greater.
    std::uint32_t order = 0;
};

// Immutable. Thread safety: all of it.
class Grammar {
public:
    // Throws like parse(); also MULLAMA_ERROR_INVALID_ARGUMENT where there is no rule of the name
    // `root` (the parameter is "root"), for left recursion, which names the rules that go round,
    // and for a grammar with too many places.
    [[nodiscard]] static std::shared_ptr<const Grammar> compile(std::string_view text,
                                                                std::string_view root);

    [[nodiscard]] const std::string &text() const noexcept { return text_; }
    [[nodiscard]] Index root() const noexcept { return root_; }
    [[nodiscard]] std::span<const Node> nodes() const noexcept { return nodes_; }
    [[nodiscard]] std::span<const CompiledRule> rules() const noexcept { return rules_; }
    [[nodiscard]] const Utf8Automaton &characters() const noexcept { return characters_; }
    [[nodiscard]] std::span<const TokenElement> tokens() const noexcept { return tokens_; }

    // Bytes that no place of the grammar tells apart have the same number, below byte_classes().
    [[nodiscard]] std::uint8_t byte_class(std::uint8_t byte) const noexcept {
        return byte_class_[byte];
    }
    [[nodiscard]] std::size_t byte_classes() const noexcept { return byte_classes_; }

private:
    friend class Compiler;
    Grammar() = default;

    void find_byte_classes();

    std::string text_;
    Index root_ = 0;
    std::vector<Node> nodes_;
    std::vector<CompiledRule> rules_;
    Utf8Automaton characters_;
    std::vector<TokenElement> tokens_;
    std::array<std::uint8_t, 256> byte_class_{};
    std::size_t byte_classes_ = 1;
};

} // namespace mullama::core::constraint::gbnf

// A grammar as it is written: rules, and what they are made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/constraint/code_point_set.hpp"

namespace mullama::core::constraint::gbnf {

// The number of an expression, a rule, a set or a token element.
using Index = std::uint32_t;
inline constexpr Index no_index = static_cast<Index>(-1);

struct Expression {
    enum class Kind : std::uint8_t {
        literal,      // `size` bytes of Syntax::literals from `first`
        set,          // one character of Syntax::sets[first]
        token,        // Syntax::tokens[first]
        reference,    // Syntax::rules[first]
        sequence,     // its parts; none: the empty text
        alternatives, // one of its parts
        repetition,   // `part`, at least `min` and at most `max` times
    };

    Kind kind = Kind::sequence;
    std::uint32_t first = 0;
    std::uint32_t size = 0;
    // A whole's last part, and the part before this one. Grammars are compiled from their end.
    Index part = no_index;
    Index previous = no_index;
    std::uint32_t min = 0;
    std::uint32_t max = 0;
};

// In place of a greatest number of times.
inline constexpr std::uint32_t unlimited = static_cast<std::uint32_t>(-1);

// <[17]>, <text>, and with a "!" in front: any other token.
struct TokenElement {
    std::uint32_t offset = 0;
    bool negated = false;
    // The token's text with the angle brackets; empty where its number is given.
    std::string text;
    std::uint32_t id = 0;
};

struct Rule {
    std::string name;
    // Where it is defined, or used for the first time before its definition is read.
    std::uint32_t offset = 0;
    // no_index until its definition is read.
    Index body = no_index;
};

struct Syntax {
    std::vector<Rule> rules;
    std::unordered_map<std::string, Index> rule_numbers;
    std::vector<Expression> expressions;
    std::string literals;
    std::vector<CodePointSet> sets;
    std::vector<TokenElement> tokens;
};

} // namespace mullama::core::constraint::gbnf

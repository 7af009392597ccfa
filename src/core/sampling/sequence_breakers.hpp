// Texts that end a repetition, as tokens: every way in which a vocabulary can spell them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "backend/port.hpp"

namespace mullama::core {
class Vocab;
}

namespace mullama::core::sampling {

using backend::Token;

// Immutable once made.
class SequenceBreakers {
public:
    SequenceBreakers() = default;
    // `texts`: none of them empty.
    SequenceBreakers(const Vocab &vocab, std::span<const std::string> texts);

    [[nodiscard]] bool empty() const noexcept { return tails_.empty(); }

    // Whether the token has a whole breaker in it.
    [[nodiscard]] bool breaks_alone(Token token) const;

    // The longest breaker that begins with the token at `distance` tokens before the end of the
    // history (0: the last): how many tokens it has after that one; -1 for none.
    [[nodiscard]] std::ptrdiff_t match(std::span<const Token> history, std::size_t distance) const;

private:
    void add_spelling(Token head, std::vector<Token> tail);

    // By first token, what has to follow it; nothing after a token that has the breaker in it.
    std::unordered_map<Token, std::vector<std::vector<Token>>> tails_;
};

} // namespace mullama::core::sampling

// What the pretend model says. It is a function of the sequence's own tokens and of nothing else,
// so that any way of feeding them (batches, chunks, shared prefixes, saved states) gives equal
// logits.
//
// The rule: an answer starts after the token <|sep|> or <|assistant|>. It repeats the last run of
// text tokens before that one, a token at a time, and ends with <|eos|>. Where no answer has
// started, <|sep|> comes next. Control tokens are no text and end a run; <|bos|>, <|eos|>, <|eot|>
// and their like end the answer too.
//
//     <|bos|> h i <|sep|>                                 -> h i <|eos|>
//     <|user|> h i <|eot|> <|assistant|>                  -> h i <|eos|>
//     h i                                                 -> <|sep|> h i <|eos|>
//
// The maximum of the logits follows the rule; the others are noise fixed by the tokens, so that
// seeded sampling has something to choose from: with temperature 1 and no truncation the rule's
// token has a probability of about 0.86.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/port.hpp"

namespace mullama::backend::echo {

// What one position of a sequence knows of those before it.
struct Progress {
    // The last run of text tokens, this one included: positions [run_begin, run_end).
    Position run_begin = 0;
    Position run_end = 0;
    // Where the token stands that started the answer; -1: none did. What it repeats.
    Position answer = -1;
    Position source_begin = 0;
    Position source_end = 0;
};

struct Entry {
    Token token = 0;
    // Its cell in the unified memory.
    std::uint32_t cell = 0;
    Progress progress;
};

// How a sequence that ends in `before` goes on when `token` is put at `position`.
[[nodiscard]] Progress advance(const Progress &before, Token token, Position position) noexcept;

// The token that follows the rule after the sequence's last entry; there is one.
[[nodiscard]] Token predict(std::span<const Entry> sequence) noexcept;

// Writes rows of logits. Immutable: any number of threads.
class Logits {
public:
    explicit Logits(std::int32_t n_vocab);

    // `row` has n_vocab places.
    void write(std::span<const Entry> sequence, std::span<float> row) const noexcept;

private:
    std::size_t n_vocab_;
    float peak_;
    // Twice n_vocab numbers: a row is a copy of any n_vocab of them in line.
    std::vector<float> noise_;
};

} // namespace mullama::backend::echo

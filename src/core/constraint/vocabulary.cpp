#include "core/constraint/vocabulary.hpp"

namespace mullama::core::constraint {

Vocabulary::Vocabulary(const Vocab &vocab)
    : vocab_(vocab),
      trie_(static_cast<std::size_t>(vocab.size()),
            [&vocab](Token token) {
                return vocab.ends_generation(token) ? std::string_view() : vocab.piece(token, true);
            }),
      texts_(size()), visible_(size()), ends_(size()) {
    for (const Token token : trie_.tokens()) {
        texts_.set(token);
        if (piece(token).front() != '\0') {
            visible_.set(token);
        }
    }
    for (Token token = 0; token < vocab.size(); ++token) {
        if (vocab.ends_generation(token)) {
            ends_.set(token);
        }
    }
}

} // namespace mullama::core::constraint

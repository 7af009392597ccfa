// A vocabulary as constraints see it: what each token spells, and which ones end the generation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/constraint/token_mask.hpp"
#include "core/constraint/token_trie.hpp"
#include "core/vocab.hpp"

namespace mullama::core::constraint {

// Made once for a vocabulary and shared: 262,144 tokens take about 20 MB and 0.1 s. Immutable.
// Thread safety: all of it.
class Vocabulary {
public:
    // The vocabulary must outlive this object.
    explicit Vocabulary(const Vocab &vocab);

    [[nodiscard]] const Vocab &vocab() const noexcept { return vocab_; }
    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(vocab_.size());
    }
    // Those that spell something and do not end the generation. A control token spells its own
    // name, as in llama.cpp.
    [[nodiscard]] const TokenTrie &trie() const noexcept { return trie_; }
    // The tokens of the trie.
    [[nodiscard]] const TokenMask &texts() const noexcept { return texts_; }
    // Those of them that a grammar means by "any other token": U+0000 has to be asked for by name.
    [[nodiscard]] const TokenMask &visible() const noexcept { return visible_; }
    // Those that end the generation.
    [[nodiscard]] const TokenMask &ends() const noexcept { return ends_; }
    [[nodiscard]] std::string_view piece(Token token) const { return vocab_.piece(token, true); }

private:
    const Vocab &vocab_;
    TokenTrie trie_;
    TokenMask texts_;
    TokenMask visible_;
    TokenMask ends_;
};

} // namespace mullama::core::constraint

// The vocabulary in a model's metadata, checked for all that llama.cpp's tokenizers would assert,
// loop on for ever, recurse on too deeply or index with; at loading, and at any text later.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/gguf/metadata.hpp"

namespace mullama::core::gguf {

enum class VocabularyKind : std::uint8_t {
    none,   // the model has no text: only a number of tokens, if that
    spm,    // SentencePiece BPE, with scores and byte tokens
    bpe,    // byte-level or raw BPE, with merges
    wpm,    // WordPiece
    ugm,    // SentencePiece unigram
    rwkv,   // greedy, over a trie of bytes
    plamo2, // unigram over suffixes
    test,   // llama.cpp's own, for its tests
};

struct Vocabulary {
    VocabularyKind kind = VocabularyKind::none;
    std::uint32_t size = 0; // tokens
};

// Throws MULLAMA_ERROR_UNKNOWN_MODEL for a tokenizer that llama.cpp does not have,
// MULLAMA_ERROR_BAD_MODEL for one that cannot work.
[[nodiscard]] Vocabulary check_vocabulary(const Metadata &metadata);

// The names that "tokenizer.ggml.model" and, for BPE, "tokenizer.ggml.pre" may have at the pinned
// llama.cpp. tests/backend/gguf_types_test.cpp holds them against its source.
[[nodiscard]] std::span<const std::string_view> tokenizer_models() noexcept;
[[nodiscard]] std::span<const std::string_view> pre_tokenizers() noexcept;

} // namespace mullama::core::gguf

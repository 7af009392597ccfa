// A vocabulary out of a list of pieces, for tests that need one without a model.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/port.hpp"

namespace mullama::test {

// Tokenizing takes the longest token that fits, each time; bytes that no token has are dropped.
class WordVocabulary final : public backend::Vocab {
public:
    struct Word {
        std::string piece;
        std::uint32_t attributes = MULLAMA_TOKEN_NORMAL;
    };

    explicit WordVocabulary(std::vector<Word> words) : words_(std::move(words)) {}

    [[nodiscard]] mullama_vocab_type_t type() const noexcept override { return MULLAMA_VOCAB_BPE; }
    [[nodiscard]] std::int32_t size() const noexcept override {
        return static_cast<std::int32_t>(words_.size());
    }
    void tokenize(std::string_view text, bool, bool,
                  std::vector<backend::Token> &out) const override {
        while (!text.empty()) {
            std::size_t longest = 0;
            backend::Token best = 0;
            for (std::size_t i = 0; i < words_.size(); ++i) {
                const std::string &piece = words_[i].piece;
                if (piece.size() > longest && text.starts_with(piece)) {
                    longest = piece.size();
                    best = static_cast<backend::Token>(i);
                }
            }
            if (longest > 0) {
                out.push_back(best);
            }
            text.remove_prefix(longest > 0 ? longest : 1);
        }
    }
    void detokenize(std::span<const backend::Token> tokens, bool, bool unparse_special,
                    std::string &out) const override {
        for (const backend::Token token : tokens) {
            piece(token, unparse_special, out);
        }
    }
    void piece(backend::Token token, bool special, std::string &out) const override {
        const Word &word = words_[static_cast<std::size_t>(token)];
        if (special || (word.attributes & MULLAMA_TOKEN_CONTROL) == 0) {
            out += word.piece;
        }
    }
    [[nodiscard]] std::string_view text(backend::Token token) const override {
        return words_[static_cast<std::size_t>(token)].piece;
    }
    [[nodiscard]] float score(backend::Token) const override { return 0; }
    [[nodiscard]] std::uint32_t attributes(backend::Token token) const override {
        return words_[static_cast<std::size_t>(token)].attributes;
    }
    [[nodiscard]] backend::Token special(mullama_special_token_t) const noexcept override {
        return MULLAMA_TOKEN_NONE;
    }
    [[nodiscard]] bool adds_bos() const noexcept override { return false; }
    [[nodiscard]] bool adds_eos() const noexcept override { return false; }
    [[nodiscard]] bool adds_sep() const noexcept override { return false; }

private:
    std::vector<Word> words_;
};

} // namespace mullama::test

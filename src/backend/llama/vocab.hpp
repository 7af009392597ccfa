// llama.cpp's vocabulary behind the port.
#pragma once

#include <llama.h>

#include "backend/port.hpp"

namespace mullama::backend::llama {

class LlamaVocab final : public Vocab {
public:
    // The model outlives the vocabulary.
    explicit LlamaVocab(const llama_model &model);

    [[nodiscard]] mullama_vocab_type_t type() const noexcept override { return type_; }
    [[nodiscard]] std::int32_t size() const noexcept override { return size_; }

    void tokenize(std::string_view text, bool add_special, bool parse_special,
                  std::vector<Token> &out) const override;
    void detokenize(std::span<const Token> tokens, bool remove_special, bool unparse_special,
                    std::string &out) const override;
    void piece(Token token, bool special, std::string &out) const override;

    [[nodiscard]] std::string_view text(Token token) const override;
    [[nodiscard]] float score(Token token) const override;
    [[nodiscard]] std::uint32_t attributes(Token token) const override;
    [[nodiscard]] Token special(mullama_special_token_t which) const noexcept override;
    [[nodiscard]] bool adds_bos() const noexcept override { return adds_bos_; }
    [[nodiscard]] bool adds_eos() const noexcept override { return adds_eos_; }
    [[nodiscard]] bool adds_sep() const noexcept override { return adds_sep_; }

private:
    void require_text() const;
    void require_special_tokens() const;

    const llama_vocab &vocab_;
    mullama_vocab_type_t type_;
    std::int32_t size_;
    Token decoder_start_;
    bool adds_bos_;
    bool adds_eos_;
    bool adds_sep_;
    // Whether it has any text to speak of; a model may come without.
    bool has_text_;
};

} // namespace mullama::backend::llama

// The vocabulary of the pretend engine: a token for each byte, then special ones, then as many
// unused ones as the model was asked to have.
#pragma once

#include <string>
#include <vector>

#include "backend/port.hpp"

namespace mullama::backend::echo {

inline constexpr Token token_bos = 256;
inline constexpr Token token_eos = 257;
inline constexpr Token token_eot = 258;
inline constexpr Token token_sep = 259;
inline constexpr Token token_pad = 260;
inline constexpr Token token_system = 261;
inline constexpr Token token_user = 262;
inline constexpr Token token_assistant = 263;
// User-defined: text like any other, but found in a text whether special tokens are parsed or not.
inline constexpr Token token_note = 264;
inline constexpr std::int32_t smallest_vocabulary = 265;

[[nodiscard]] constexpr bool is_control(Token token) noexcept {
    return token >= token_bos && token < token_note;
}

[[nodiscard]] constexpr bool starts_answer(Token token) noexcept {
    return token == token_sep || token == token_assistant;
}

class EchoVocab final : public Vocab {
public:
    explicit EchoVocab(std::int32_t size);

    [[nodiscard]] mullama_vocab_type_t type() const noexcept override {
        return MULLAMA_VOCAB_BYTES;
    }
    [[nodiscard]] std::int32_t size() const noexcept override {
        return static_cast<std::int32_t>(spellings_.size());
    }

    // add_special: <|bos|> before and <|sep|> after.
    void tokenize(std::string_view text, bool add_special, bool parse_special,
                  std::vector<Token> &out) const override;
    void detokenize(std::span<const Token> tokens, bool remove_special, bool unparse_special,
                    std::string &out) const override;
    void piece(Token token, bool special, std::string &out) const override;

    [[nodiscard]] std::string_view text(Token token) const override;
    [[nodiscard]] float score(Token token) const override;
    [[nodiscard]] std::uint32_t attributes(Token token) const override;
    [[nodiscard]] Token special(mullama_special_token_t which) const noexcept override;
    [[nodiscard]] bool adds_bos() const noexcept override { return true; }
    // The separator that follows the text is not the end token.
    [[nodiscard]] bool adds_eos() const noexcept override { return false; }
    [[nodiscard]] bool adds_sep() const noexcept override { return true; }

private:
    // The special token that `text` starts with, or MULLAMA_TOKEN_NONE.
    [[nodiscard]] Token match(std::string_view text, bool parse_special) const;

    std::vector<std::string> spellings_;
};

} // namespace mullama::backend::echo

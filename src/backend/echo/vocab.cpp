#include "backend/echo/vocab.hpp"

#include <array>

namespace mullama::backend::echo {

namespace {

constexpr std::array<std::string_view, smallest_vocabulary - token_bos> special_spellings{
    "<|bos|>",    "<|eos|>",  "<|eot|>",       "<|sep|>", "<|pad|>",
    "<|system|>", "<|user|>", "<|assistant|>", "<|note|>"};

constexpr bool is_byte(Token token) noexcept {
    return token < token_bos;
}

constexpr bool is_printable(Token token) noexcept {
    return token >= 0x20 && token < 0x7F;
}

std::string byte_spelling(Token token) {
    if (is_printable(token)) {
        return {static_cast<char>(token)};
    }
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<std::size_t>(token);
    return {'<', '0', 'x', digits[byte / 16], digits[byte % 16], '>'};
}

} // namespace

EchoVocab::EchoVocab(std::int32_t size) {
    spellings_.reserve(static_cast<std::size_t>(size));
    for (Token token = 0; token < token_bos; ++token) {
        spellings_.push_back(byte_spelling(token));
    }
    spellings_.insert(spellings_.end(), special_spellings.begin(), special_spellings.end());
    for (std::int32_t i = smallest_vocabulary; i < size; ++i) {
        spellings_.push_back("<unused" + std::to_string(i - smallest_vocabulary) + ">");
    }
}

void EchoVocab::tokenize(std::string_view text, bool add_special, bool parse_special,
                         std::vector<Token> &out) const {
    out.reserve(out.size() + text.size() + 2);
    if (add_special) {
        out.push_back(token_bos);
    }
    std::size_t at = 0;
    while (at < text.size()) {
        const Token token =
            text[at] == '<' ? match(text.substr(at), parse_special) : MULLAMA_TOKEN_NONE;
        if (token == MULLAMA_TOKEN_NONE) {
            out.push_back(static_cast<unsigned char>(text[at]));
            ++at;
        } else {
            out.push_back(token);
            at += spellings_[static_cast<std::size_t>(token)].size();
        }
    }
    if (add_special) {
        out.push_back(token_sep);
    }
}

Token EchoVocab::match(std::string_view text, bool parse_special) const {
    const Token first = parse_special ? token_bos : token_note;
    for (Token token = first; token < smallest_vocabulary; ++token) {
        if (text.starts_with(spellings_[static_cast<std::size_t>(token)])) {
            return token;
        }
    }
    return MULLAMA_TOKEN_NONE;
}

void EchoVocab::detokenize(std::span<const Token> tokens, bool remove_special, bool unparse_special,
                           std::string &out) const {
    if (remove_special && !tokens.empty() && tokens.front() == token_bos) {
        tokens = tokens.subspan(1);
    }
    for (const Token token : tokens) {
        piece(token, unparse_special, out);
    }
}

void EchoVocab::piece(Token token, bool special, std::string &out) const {
    if (is_byte(token)) {
        out.push_back(static_cast<char>(token));
    } else if (special || token == token_note) {
        out.append(spellings_[static_cast<std::size_t>(token)]);
    }
}

std::string_view EchoVocab::text(Token token) const {
    return spellings_[static_cast<std::size_t>(token)];
}

float EchoVocab::score(Token /*token*/) const {
    return 0.0F;
}

std::uint32_t EchoVocab::attributes(Token token) const {
    if (is_byte(token)) {
        return is_printable(token) ? MULLAMA_TOKEN_NORMAL : MULLAMA_TOKEN_BYTE;
    }
    if (is_control(token)) {
        const bool ends = token == token_eos || token == token_eot;
        return ends ? MULLAMA_TOKEN_CONTROL | MULLAMA_TOKEN_END_OF_GENERATION
                    : MULLAMA_TOKEN_CONTROL;
    }
    return token == token_note ? MULLAMA_TOKEN_USER_DEFINED : MULLAMA_TOKEN_UNUSED;
}

Token EchoVocab::special(mullama_special_token_t which) const noexcept {
    switch (which) {
    case MULLAMA_SPECIAL_BOS:
        return token_bos;
    case MULLAMA_SPECIAL_EOS:
        return token_eos;
    case MULLAMA_SPECIAL_EOT:
        return token_eot;
    case MULLAMA_SPECIAL_SEP:
        return token_sep;
    case MULLAMA_SPECIAL_NL:
        return '\n';
    case MULLAMA_SPECIAL_PAD:
        return token_pad;
    default:
        return MULLAMA_TOKEN_NONE;
    }
}

} // namespace mullama::backend::echo

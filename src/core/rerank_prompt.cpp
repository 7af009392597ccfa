#include "core/rerank_prompt.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace mullama::core {

using backend::Token;
using base::Error;

namespace {

constexpr std::string_view query_mark = "{query}";
constexpr std::string_view document_mark = "{document}";
constexpr std::string_view spaces = " \t\r\n\v\f";

std::string_view without_spaces_after(std::string_view text) {
    return text.substr(0, text.find_last_not_of(spaces) + 1);
}

std::size_t after_spaces(std::string_view text, std::size_t at) {
    return std::min(text.find_first_not_of(spaces, at), text.size());
}

} // namespace

RerankPrompt::RerankPrompt(const Model &model) : vocab_(model.vocab()) {
    vocab_.require_vocabulary();
    if (const auto text = model.chat_template("rerank")) {
        read_template(*text);
    } else {
        add_pair();
    }
}

void RerankPrompt::read_template(std::string_view text) {
    while (!text.empty()) {
        const std::size_t query = text.find(query_mark);
        const std::size_t document = text.find(document_mark);
        const std::size_t mark = std::min(query, document);
        add_literal(text.substr(0, mark));
        if (mark == text.npos) {
            return;
        }
        pieces_.emplace_back(query < document ? Slot::query : Slot::document);
        text.remove_prefix(mark + (query < document ? query_mark.size() : document_mark.size()));
    }
}

// Special tokens are looked for in the template's own text only: tokenized as a whole, a document
// could spell one and pass for something else.
void RerankPrompt::add_literal(std::string_view text) {
    std::vector<Token> tokens;
    vocab_.tokenize(text, false, true, tokens);
    std::size_t at = 0;
    for (const Token token : tokens) {
        const std::uint32_t attributes = vocab_.attributes(token);
        if ((attributes & (MULLAMA_TOKEN_CONTROL | MULLAMA_TOKEN_UNKNOWN)) == 0) {
            continue;
        }
        const std::string_view spelling = vocab_.text(token);
        const std::size_t place = text.find(spelling, at);
        if (spelling.empty() || place == text.npos) {
            continue;
        }
        std::string_view before = text.substr(at, place - at);
        if ((attributes & MULLAMA_TOKEN_LSTRIP) != 0) {
            before = without_spaces_after(before);
        }
        pieces_.emplace_back(std::string(before));
        pieces_.emplace_back(token);
        at = place + spelling.size();
        if ((attributes & MULLAMA_TOKEN_RSTRIP) != 0) {
            at = after_spaces(text, at);
        }
    }
    pieces_.emplace_back(std::string(text.substr(at)));
}

void RerankPrompt::add_token(mullama_special_token_t which, mullama_special_token_t fallback,
                             const char *name) {
    Token token = vocab_.special(which);
    if (token == MULLAMA_TOKEN_NONE) {
        token = vocab_.special(fallback);
    }
    if (token == MULLAMA_TOKEN_NONE) {
        throw Error(MULLAMA_ERROR_BAD_MODEL, std::string("the model wants a ") + name +
                                                 " token between texts, but its vocabulary names "
                                                 "none");
    }
    pieces_.emplace_back(token);
}

void RerankPrompt::add_pair() {
    const auto add_end = [this] {
        if (vocab_.adds_eos()) {
            add_token(MULLAMA_SPECIAL_EOS, MULLAMA_SPECIAL_SEP, "end (eos)");
        }
    };
    apart_ = true;
    if (vocab_.adds_bos()) {
        add_token(MULLAMA_SPECIAL_BOS, MULLAMA_SPECIAL_BOS, "beginning (bos)");
    }
    pieces_.emplace_back(Slot::query);
    add_end();
    if (vocab_.adds_sep()) {
        add_token(MULLAMA_SPECIAL_SEP, MULLAMA_SPECIAL_SEP, "separator (sep)");
    }
    pieces_.emplace_back(Slot::document);
    add_end();
}

std::vector<Token> RerankPrompt::build(std::string_view query, std::string_view document) const {
    std::vector<Token> tokens;
    std::string text;
    const auto flush = [&] {
        if (!text.empty()) {
            vocab_.tokenize(text, false, false, tokens);
            text.clear();
        }
    };
    for (const Piece &piece : pieces_) {
        if (const auto *token = std::get_if<Token>(&piece)) {
            flush();
            tokens.push_back(*token);
        } else if (const auto *slot = std::get_if<Slot>(&piece)) {
            if (apart_) {
                flush();
            }
            text += *slot == Slot::query ? query : document;
        } else {
            text += std::get<std::string>(piece);
        }
    }
    flush();
    return tokens;
}

} // namespace mullama::core

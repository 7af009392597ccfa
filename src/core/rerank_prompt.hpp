// What a reranker reads of a query and a document: tokens that are those of llama-server's.
#pragma once

#include "core/model.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mullama::core {

class RerankPrompt {
public:
    // Throws MULLAMA_ERROR_BAD_MODEL where the vocabulary lacks a token that has to be there. The
    // model outlives this.
    explicit RerankPrompt(const Model &model);

    // A query and a document as the model's template "rerank" joins them, or else
    // [bos] query [eos] [sep] document [eos], of which there is what the vocabulary adds to texts.
    // The spelling of a special token in either is text.
    [[nodiscard]] std::vector<backend::Token> build(std::string_view query,
                                                    std::string_view document) const;

private:
    enum class Slot { query, document };
    // Literal text, a token, or a place to fill in.
    using Piece = std::variant<std::string, backend::Token, Slot>;

    void read_template(std::string_view text);
    void add_literal(std::string_view text);
    void add_pair();
    void add_token(mullama_special_token_t which, mullama_special_token_t fallback,
                   const char *name);

    const Vocab &vocab_;
    // The two stand alone: neither is one text with what is around it.
    bool apart_ = false;
    std::vector<Piece> pieces_;
};

} // namespace mullama::core

// A model's vocabulary, checked and fast: an engine's own, with a table of all pieces in front of
// it.
#pragma once

#include "backend/port.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::core {

namespace constraint {
class Vocabulary;
}

using backend::Token;

// Thread safety: all of it.
class Vocab {
public:
    // The engine's vocabulary must outlive this object.
    explicit Vocab(const backend::Vocab &engine) noexcept;
    Vocab(const Vocab &) = delete;
    Vocab &operator=(const Vocab &) = delete;
    ~Vocab();

    [[nodiscard]] mullama_vocab_type_t type() const noexcept { return type_; }
    [[nodiscard]] std::int32_t size() const noexcept { return size_; }
    [[nodiscard]] bool contains(Token token) const noexcept { return token >= 0 && token < size_; }

    // Throws MULLAMA_ERROR_OUT_OF_RANGE, naming the parameter, unless the vocabulary has the token.
    void require(Token token, std::string_view parameter) const;
    // The same for a list, with the index as the offset.
    void require(std::span<const Token> tokens, std::string_view parameter) const;

    // Throws MULLAMA_ERROR_UNSUPPORTED for a model that comes without one.
    void require_vocabulary() const;

    // Appends to `out`. The text is UTF-8. Throws MULLAMA_ERROR_OUT_OF_RANGE for more than
    // INT32_MAX bytes, and like require_vocabulary().
    void tokenize(std::string_view text, bool add_special, bool parse_special,
                  std::vector<Token> &out) const;
    // Appends to `out`. Throws like require() and require_vocabulary().
    void detokenize(std::span<const Token> tokens, bool remove_special, bool unparse_special,
                    std::string &out) const;

    // The bytes that a token adds to a text, and NUL after them; `special`: a control token shows
    // its spelling. From the table, without a virtual call. The token is in the vocabulary.
    [[nodiscard]] std::string_view piece(Token token, bool special) const;

    // The vocabulary's own spelling, NUL-terminated. The token is in the vocabulary.
    [[nodiscard]] std::string_view text(Token token) const { return engine_.text(token); }
    [[nodiscard]] float score(Token token) const { return engine_.score(token); }
    // MULLAMA_TOKEN_* bits; from the table. The token is in the vocabulary.
    [[nodiscard]] std::uint32_t attributes(Token token) const;
    [[nodiscard]] bool ends_generation(Token token) const {
        return (attributes(token) & MULLAMA_TOKEN_END_OF_GENERATION) != 0;
    }

    [[nodiscard]] Token special(mullama_special_token_t which) const noexcept {
        return engine_.special(which);
    }
    [[nodiscard]] bool adds_bos() const noexcept { return engine_.adds_bos(); }
    [[nodiscard]] bool adds_eos() const noexcept { return engine_.adds_eos(); }
    [[nodiscard]] bool adds_sep() const noexcept { return engine_.adds_sep(); }

    // How detokenizing differs from joining pieces. Whether the space before the first token's text
    // is dropped (SentencePiece), and whether spaces before punctuation are (WordPiece).
    [[nodiscard]] bool strips_leading_space() const { return table().strips_leading_space; }
    [[nodiscard]] bool cleans_spaces() const { return table().cleans_spaces; }

    // What constraints need of it; made on first use. It must not outlive this object.
    [[nodiscard]] std::shared_ptr<const constraint::Vocabulary> for_constraints() const;

private:
    struct Piece {
        std::uint32_t begin = 0;
        std::uint32_t size = 0;
    };
    struct Table {
        std::string bytes;        // each piece followed by a NUL
        std::vector<Piece> shown; // with control tokens in their spelling
        std::vector<Piece> plain; // without
        std::vector<std::uint32_t> attributes;
        bool strips_leading_space = false;
        bool cleans_spaces = false;
    };

    [[nodiscard]] base::Error no_such_token(Token token, std::string_view parameter) const;
    [[nodiscard]] const Table &table() const;
    [[nodiscard]] std::unique_ptr<const Table> build_table() const;
    [[nodiscard]] bool find_strips_leading_space(const Table &table) const;
    [[nodiscard]] bool find_cleans_spaces(const Table &table) const;

    const backend::Vocab &engine_;
    mullama_vocab_type_t type_;
    std::int32_t size_;
    // Built on first use: a model may be loaded for its metadata alone.
    mutable std::once_flag table_once_;
    mutable std::unique_ptr<const Table> table_;
    mutable std::once_flag constraints_once_;
    mutable std::shared_ptr<const constraint::Vocabulary> constraints_;
};

} // namespace mullama::core

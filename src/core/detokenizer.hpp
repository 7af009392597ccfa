// Tokens to text, one by one, without ever giving out half a character. What comes out in all
// equals Vocab::detokenize() of all tokens, save that bytes which are no UTF-8 become U+FFFD.
#pragma once

#include "base/utf8.hpp"
#include "core/space_cleaner.hpp"
#include "core/vocab.hpp"

#include <string>

namespace mullama::core {

class Detokenizer {
public:
    enum class Start {
        text,   // the first token begins a text
        middle, // text went before: the first token's leading space counts
    };

    // The vocabulary must outlive this object.
    Detokenizer(const Vocab &vocab, bool remove_special, bool unparse_special,
                Start start = Start::text);

    // Appends what is certain now to `out`. The token is in the vocabulary.
    void push(Token token, std::string &out);
    // Appends the rest; the detokenizer is then as new.
    void finish(std::string &out);

private:
    void begin() noexcept;
    void write(Token token, std::string &out);

    const Vocab &vocab_;
    bool unparse_special_;
    Start start_;
    Token removed_bos_; // MULLAMA_TOKEN_NONE where none is removed
    Token removed_eos_;
    bool strips_leading_space_;
    bool cleans_spaces_;

    bool at_start_ = true;
    bool strip_space_ = false;
    bool holds_eos_ = false; // an end token is left out only when it is the last
    SpaceCleaner cleaner_;
    base::Utf8Stream utf8_;
    std::string bytes_; // of one push; kept for its memory
};

} // namespace mullama::core

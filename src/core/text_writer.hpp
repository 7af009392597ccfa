// Generated tokens to the text that a caller gets: whole characters, without stop strings.
#pragma once

#include "core/detokenizer.hpp"
#include "core/stop_matcher.hpp"
#include "core/vocab.hpp"
#include "mullama/generate.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mullama::core {

// Keeps its memory: nothing is allocated once its strings have grown.
class TextWriter {
public:
    // The vocabulary must outlive this object; the stop strings, none of which is empty, need not.
    TextWriter(const Vocab &vocab, std::span<const std::string_view> stop, bool unparse_special,
               Detokenizer::Start start)
        : detokenizer_(vocab, false, unparse_special, start), matcher_(stop),
          unparse_special_(unparse_special) {}

    // Puts the text that became certain with a token into text(), all of it where the generation
    // ends. `ends`: the token is one that ends it; `reason`: why the generation ends with this
    // token, MULLAMA_STOP_NONE where it goes on. Returns why it ends.
    mullama_stop_reason_t write(Token token, bool ends, mullama_stop_reason_t reason) {
        piece_.clear();
        // An end token is no text, even in a vocabulary that has it as such.
        if (!ends || unparse_special_) {
            detokenizer_.push(token, piece_);
        }
        return match(reason);
    }

    // The generation ends without another token: puts what was held back into text().
    mullama_stop_reason_t finish(mullama_stop_reason_t reason) {
        piece_.clear();
        return match(reason);
    }

    [[nodiscard]] const std::string &text() const noexcept { return text_; }
    // Which stop string was met; -1: none.
    [[nodiscard]] std::int32_t stop_index() const noexcept { return stop_index_; }

private:
    mullama_stop_reason_t match(mullama_stop_reason_t reason) {
        text_.clear();
        if (reason != MULLAMA_STOP_NONE) {
            detokenizer_.finish(piece_);
        }
        const std::int32_t met = matcher_.push(piece_, text_);
        if (met >= 0) {
            stop_index_ = met;
            return MULLAMA_STOP_STRING;
        }
        if (reason != MULLAMA_STOP_NONE) {
            matcher_.finish(text_);
        }
        return reason;
    }

    Detokenizer detokenizer_;
    StopMatcher matcher_;
    bool unparse_special_;
    std::int32_t stop_index_ = -1;
    std::string piece_;
    std::string text_;
};

} // namespace mullama::core

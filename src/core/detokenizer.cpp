#include "core/detokenizer.hpp"

namespace mullama::core {

Detokenizer::Detokenizer(const Vocab &vocab, bool remove_special, bool unparse_special, Start start)
    : vocab_(vocab), unparse_special_(unparse_special), start_(start),
      removed_bos_(remove_special && vocab.adds_bos() ? vocab.special(MULLAMA_SPECIAL_BOS)
                                                      : MULLAMA_TOKEN_NONE),
      removed_eos_(remove_special && vocab.adds_eos() ? vocab.special(MULLAMA_SPECIAL_EOS)
                                                      : MULLAMA_TOKEN_NONE),
      strips_leading_space_(vocab.strips_leading_space()), cleans_spaces_(vocab.cleans_spaces()) {
    begin();
}

void Detokenizer::begin() noexcept {
    at_start_ = start_ == Start::text;
    strip_space_ = at_start_ && strips_leading_space_;
    holds_eos_ = false;
}

void Detokenizer::push(Token token, std::string &out) {
    if (at_start_) {
        at_start_ = false;
        if (token == removed_bos_) {
            strip_space_ = false;
            return;
        }
    }
    if (holds_eos_) {
        holds_eos_ = false;
        write(removed_eos_, out);
    }
    if (token == removed_eos_)
        holds_eos_ = true;
    else
        write(token, out);
}

void Detokenizer::finish(std::string &out) {
    if (cleans_spaces_) {
        bytes_.clear();
        cleaner_.finish(bytes_);
        utf8_.push(bytes_, out);
    }
    utf8_.finish(out);
    begin();
}

void Detokenizer::write(Token token, std::string &out) {
    std::string_view piece = vocab_.piece(token, unparse_special_);
    if (strip_space_) {
        // Only ever the first token's, even if that one is not shown.
        strip_space_ = false;
        if (piece.starts_with(' '))
            piece.remove_prefix(1);
    }
    if (cleans_spaces_) {
        bytes_.clear();
        cleaner_.push(piece, bytes_);
        piece = bytes_;
    }
    utf8_.push(piece, out);
}

} // namespace mullama::core

#include "backend/llama/vocab.hpp"

#include <limits>

#include "backend/llama/failure.hpp"
#include "backend/llama/log.hpp"

namespace mullama::backend::llama {

using base::Error;

namespace {

mullama_vocab_type_t type_of(const llama_vocab &vocab) {
    switch (llama_vocab_type(&vocab)) {
    case LLAMA_VOCAB_TYPE_SPM:
        return MULLAMA_VOCAB_SPM;
    case LLAMA_VOCAB_TYPE_BPE:
        return MULLAMA_VOCAB_BPE;
    case LLAMA_VOCAB_TYPE_WPM:
        return MULLAMA_VOCAB_WPM;
    case LLAMA_VOCAB_TYPE_UGM:
        return MULLAMA_VOCAB_UGM;
    case LLAMA_VOCAB_TYPE_RWKV:
        return MULLAMA_VOCAB_RWKV;
    case LLAMA_VOCAB_TYPE_PLAMO2:
        return MULLAMA_VOCAB_PLAMO2;
    default:
        return MULLAMA_VOCAB_NONE;
    }
}

// Appends to `out` what llama.cpp writes into a buffer whose size is a guess: it answers with the
// negative of what it needs when that was too small.
template <class Container, class Write>
void append_written(Container &out, std::size_t guess, Write &&write) {
    const std::size_t before = out.size();
    constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
    out.resize(before + std::min(guess, most));
    std::int32_t written = 0;
    try {
        written = write(out.data() + before, static_cast<std::int32_t>(out.size() - before));
        if (written < 0 && written != std::numeric_limits<std::int32_t>::min()) {
            out.resize(before + static_cast<std::size_t>(-written));
            written = write(out.data() + before, -written);
        }
    } catch (...) {
        out.resize(before);
        throw;
    }
    out.resize(before + static_cast<std::size_t>(std::max(written, 0)));
    if (written < 0) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "the text is too long to be converted in one piece");
    }
}

} // namespace

LlamaVocab::LlamaVocab(const llama_model &model)
    : vocab_(*llama_model_get_vocab(&model)), type_(type_of(vocab_)),
      size_(llama_vocab_n_tokens(&vocab_)), decoder_start_(llama_model_decoder_start_token(&model)),
      adds_bos_(llama_vocab_get_add_bos(&vocab_)), adds_eos_(llama_vocab_get_add_eos(&vocab_)),
      adds_sep_(llama_vocab_get_add_sep(&vocab_)),
      has_text_(llama_vocab_type(&vocab_) != LLAMA_VOCAB_TYPE_NONE) {
}

void LlamaVocab::require_text() const {
    if (!has_text_) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, "this model's file brings no vocabulary");
    }
}

// llama.cpp asserts that each special token which it is to add exists.
void LlamaVocab::require_special_tokens() const {
    const bool wpm = type_ == MULLAMA_VOCAB_WPM;
    const char *missing = nullptr;
    if ((adds_bos_ || wpm) && llama_vocab_bos(&vocab_) == LLAMA_TOKEN_NULL) {
        missing = "beginning (bos)";
    } else if (adds_eos_ && llama_vocab_eos(&vocab_) == LLAMA_TOKEN_NULL) {
        missing = "end (eos)";
    } else if ((adds_sep_ || wpm) && llama_vocab_sep(&vocab_) == LLAMA_TOKEN_NULL) {
        missing = "separator (sep)";
    }
    if (missing != nullptr) {
        throw Error(MULLAMA_ERROR_BAD_MODEL,
                    std::string("the model wants a ") + missing +
                        " token added to each text, but its vocabulary names none; tokenize "
                        "without add_special")
            .parameter("add_special");
    }
}

void LlamaVocab::tokenize(std::string_view text, bool add_special, bool parse_special,
                          std::vector<Token> &out) const {
    require_text();
    if (add_special) {
        require_special_tokens();
    }
    const LogCapture capture;
    const auto size = static_cast<std::int32_t>(text.size());
    guarded("tokenize", capture, [&] {
        append_written(out, text.size() + 4, [&](Token *tokens, std::int32_t room) {
            return llama_tokenize(&vocab_, text.data(), size, tokens, room, add_special,
                                  parse_special);
        });
    });
}

void LlamaVocab::detokenize(std::span<const Token> tokens, bool remove_special,
                            bool unparse_special, std::string &out) const {
    require_text();
    const LogCapture capture;
    const auto count = static_cast<std::int32_t>(tokens.size());
    guarded("detokenize", capture, [&] {
        append_written(out, tokens.size() * 8 + 16, [&](char *text, std::int32_t room) {
            return llama_detokenize(&vocab_, tokens.data(), count, text, room, remove_special,
                                    unparse_special);
        });
    });
}

void LlamaVocab::piece(Token token, bool special, std::string &out) const {
    require_text();
    const LogCapture capture;
    guarded("write a token", capture, [&] {
        append_written(out, 32, [&](char *text, std::int32_t room) {
            return llama_token_to_piece(&vocab_, token, text, room, 0, special);
        });
    });
}

std::string_view LlamaVocab::text(Token token) const {
    require_text();
    return llama_vocab_get_text(&vocab_, token);
}

float LlamaVocab::score(Token token) const {
    require_text();
    return llama_vocab_get_score(&vocab_, token);
}

std::uint32_t LlamaVocab::attributes(Token token) const {
    require_text();
    const auto bits = static_cast<std::uint32_t>(llama_vocab_get_attr(&vocab_, token));
    return llama_vocab_is_eog(&vocab_, token) ? bits | MULLAMA_TOKEN_END_OF_GENERATION : bits;
}

Token LlamaVocab::special(mullama_special_token_t which) const noexcept {
    if (which == MULLAMA_SPECIAL_DECODER_START) {
        return decoder_start_;
    }
    if (!has_text_) {
        return MULLAMA_TOKEN_NONE;
    }
    switch (which) {
    case MULLAMA_SPECIAL_BOS:
        return llama_vocab_bos(&vocab_);
    case MULLAMA_SPECIAL_EOS:
        return llama_vocab_eos(&vocab_);
    case MULLAMA_SPECIAL_EOT:
        return llama_vocab_eot(&vocab_);
    case MULLAMA_SPECIAL_SEP:
        return llama_vocab_sep(&vocab_);
    case MULLAMA_SPECIAL_NL:
        return llama_vocab_nl(&vocab_);
    case MULLAMA_SPECIAL_PAD:
        return llama_vocab_pad(&vocab_);
    case MULLAMA_SPECIAL_MASK:
        return llama_vocab_mask(&vocab_);
    case MULLAMA_SPECIAL_FIM_PREFIX:
        return llama_vocab_fim_pre(&vocab_);
    case MULLAMA_SPECIAL_FIM_SUFFIX:
        return llama_vocab_fim_suf(&vocab_);
    case MULLAMA_SPECIAL_FIM_MIDDLE:
        return llama_vocab_fim_mid(&vocab_);
    case MULLAMA_SPECIAL_FIM_PAD:
        return llama_vocab_fim_pad(&vocab_);
    case MULLAMA_SPECIAL_FIM_REPO:
        return llama_vocab_fim_rep(&vocab_);
    case MULLAMA_SPECIAL_FIM_SEPARATOR:
        return llama_vocab_fim_sep(&vocab_);
    default:
        return MULLAMA_TOKEN_NONE;
    }
}

static_assert(MULLAMA_TOKEN_NONE == LLAMA_TOKEN_NULL);
static_assert(MULLAMA_TOKEN_UNKNOWN == static_cast<int>(LLAMA_TOKEN_ATTR_UNKNOWN));
static_assert(MULLAMA_TOKEN_CONTROL == static_cast<int>(LLAMA_TOKEN_ATTR_CONTROL));
static_assert(MULLAMA_TOKEN_SINGLE_WORD == static_cast<int>(LLAMA_TOKEN_ATTR_SINGLE_WORD));

} // namespace mullama::backend::llama

/**
 * @file vocab.h
 * A model's vocabulary: text to tokens and back, and what each token is.
 *
 * Thread safety: all functions on a model may be called from any thread; a detokenizer is used by
 * one thread at a time.
 */
#ifndef MULLAMA_VOCAB_H
#define MULLAMA_VOCAB_H

#include "mullama/error.h"
#include "mullama/model.h"
#include "mullama/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Tokens with a meaning of their own. Values are stable; new ones are added at the end. */
typedef enum mullama_special_token {
    /** Beginning of a text. */
    MULLAMA_SPECIAL_BOS = 0,
    /** End of a text. */
    MULLAMA_SPECIAL_EOS = 1,
    /** End of a turn. */
    MULLAMA_SPECIAL_EOT = 2,
    /** Separator between sentences (BERT). */
    MULLAMA_SPECIAL_SEP = 3,
    /** Line break. */
    MULLAMA_SPECIAL_NL = 4,
    /** Padding. */
    MULLAMA_SPECIAL_PAD = 5,
    /** Masked position (BERT). */
    MULLAMA_SPECIAL_MASK = 6,
    /** Infill: what comes before the gap. */
    MULLAMA_SPECIAL_FIM_PREFIX = 7,
    /** Infill: what comes after the gap. */
    MULLAMA_SPECIAL_FIM_SUFFIX = 8,
    /** Infill: the gap. */
    MULLAMA_SPECIAL_FIM_MIDDLE = 9,
    /** Infill: padding. */
    MULLAMA_SPECIAL_FIM_PAD = 10,
    /** Infill: a repository's name follows. */
    MULLAMA_SPECIAL_FIM_REPO = 11,
    /** Infill: the next file follows. */
    MULLAMA_SPECIAL_FIM_SEPARATOR = 12,
    /** What the decoder of an encoder-decoder model starts with. */
    MULLAMA_SPECIAL_DECODER_START = 13
} mullama_special_token_t;

/** What a token is: bits of mullama_token_info_t.attributes. The numbers are the engine's own. */
typedef enum mullama_token_attribute {
    /** Stands for what the vocabulary lacks. */
    MULLAMA_TOKEN_UNKNOWN = 1,
    /** Never used. */
    MULLAMA_TOKEN_UNUSED = 2,
    /** Ordinary text. */
    MULLAMA_TOKEN_NORMAL = 4,
    /** A control token: no text of its own. */
    MULLAMA_TOKEN_CONTROL = 8,
    /** Added by the model's maker; matched as a whole. */
    MULLAMA_TOKEN_USER_DEFINED = 16,
    /** One raw byte. */
    MULLAMA_TOKEN_BYTE = 32,
    /** Matched against normalized text. */
    MULLAMA_TOKEN_NORMALIZED = 64,
    /** Takes the white space before it. */
    MULLAMA_TOKEN_LSTRIP = 128,
    /** Takes the white space after it. */
    MULLAMA_TOKEN_RSTRIP = 256,
    /** Matches whole words only. */
    MULLAMA_TOKEN_SINGLE_WORD = 512,
    /** Ends the generation (end of text, of a turn, and their like). */
    MULLAMA_TOKEN_END_OF_GENERATION = 65536
} mullama_token_attribute_t;

/** One token. */
typedef struct mullama_token_info {
    /** sizeof(mullama_token_info_t), set by mullama_token_info_init(). */
    size_t struct_size;
    /** The vocabulary's own spelling, such as "▁the" or "<0x0A>"; borrowed from the model. */
    const char *text;
    /** Its length in bytes. */
    size_t text_size;
    /** The bytes that it adds to a text; a control token shows its spelling. Need not be whole
     * UTF-8 characters. Borrowed from the model. */
    const char *piece;
    /** Their number. */
    size_t piece_size;
    /** The vocabulary's score (log-probability for unigram and SentencePiece); 0 where it has none.
     */
    float score;
    /** MULLAMA_TOKEN_* bits. */
    uint32_t attributes;
} mullama_token_info_t;

/** How text becomes tokens. */
typedef struct mullama_tokenize_options {
    /** sizeof(mullama_tokenize_options_t), set by mullama_tokenize_options_init(). */
    size_t struct_size;
    /** Add the beginning and end tokens that the model wants; default true. */
    bool add_special;
    /** Read the spelling of a special token as that token; default false, so that a user's text can
     * never forge one. */
    bool parse_special;
} mullama_tokenize_options_t;

/** How tokens become text. */
typedef struct mullama_detokenize_options {
    /** sizeof(mullama_detokenize_options_t), set by mullama_detokenize_options_init(). */
    size_t struct_size;
    /** Leave out the beginning and end tokens that tokenizing would add; default false. */
    bool remove_special;
    /** Write special tokens in their spelling; default false: leave them out. */
    bool unparse_special;
} mullama_detokenize_options_t;

/** Turns tokens into text one by one, never giving out half a character. */
typedef struct mullama_detokenizer mullama_detokenizer_t;

/**
 * Fills tokenize options with their defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_tokenize_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_tokenize_options_init(mullama_tokenize_options_t *options,
                                               size_t struct_size);

/**
 * Turns text into tokens.
 *
 * @param model the model.
 * @param text the text, UTF-8, at most INT32_MAX bytes.
 * @param text_size its length in bytes.
 * @param options how; NULL for the defaults.
 * @param[out] out the tokens, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_INVALID_UTF8 (with the offset), _INVALID_ARGUMENT, _OUT_OF_RANGE,
 *         _UNSUPPORTED (a model without a vocabulary) or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_model_tokenize(const mullama_model_t *model, const char *text,
                                                    size_t text_size,
                                                    const mullama_tokenize_options_t *options,
                                                    mullama_tokens_t **out);

/**
 * Fills detokenize options with their defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_detokenize_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_detokenize_options_init(mullama_detokenize_options_t *options,
                                                 size_t struct_size);

/**
 * Turns tokens into text.
 *
 * @param model the model.
 * @param tokens the tokens.
 * @param count how many there are.
 * @param options how; NULL for the defaults.
 * @param[out] out the bytes, owned by the caller; they need not be UTF-8, since tokens need not end
 *             where characters do (see mullama_detokenizer_t).
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE for a token outside the vocabulary (the offset is its
 *         index), _INVALID_ARGUMENT, _UNSUPPORTED or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_model_detokenize(const mullama_model_t *model,
                                                      const mullama_token_t *tokens, size_t count,
                                                      const mullama_detokenize_options_t *options,
                                                      mullama_text_t **out);

/**
 * Fills a token description with zeros.
 *
 * @param[out] info the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_token_info_t) as the caller knows it.
 */
MULLAMA_API void mullama_token_info_init(mullama_token_info_t *info, size_t struct_size);

/**
 * Describes a token.
 *
 * @param model the model.
 * @param token the token.
 * @param[in,out] info a struct that mullama_token_info_init() filled.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_model_get_token(const mullama_model_t *model,
                                                     mullama_token_t token,
                                                     mullama_token_info_t *info);

/**
 * A token with a meaning of its own.
 *
 * @param model the model, or NULL.
 * @param which which one.
 * @return the token; MULLAMA_TOKEN_NONE where the model has none, or for NULL.
 */
MULLAMA_API mullama_token_t mullama_model_special_token(const mullama_model_t *model,
                                                        mullama_special_token_t which);

/**
 * Makes an incremental detokenizer. Its text, joined, equals that of mullama_model_detokenize()
 * with the same options, save that bytes which are no UTF-8 become U+FFFD.
 *
 * @param model the model; kept alive by the detokenizer.
 * @param options how; NULL for the defaults.
 * @param[out] out the detokenizer, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _UNSUPPORTED or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_detokenizer_new(mullama_model_t *model,
                                                     const mullama_detokenize_options_t *options,
                                                     mullama_detokenizer_t **out);

/**
 * Takes the next token.
 *
 * @param detokenizer the detokenizer.
 * @param token the token.
 * @param[out] text the whole characters that are certain now, perhaps none; borrowed until the next
 *             call on this detokenizer.
 * @param[out] size their length in bytes.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_detokenizer_push(mullama_detokenizer_t *detokenizer,
                                                      mullama_token_t token, const char **text,
                                                      size_t *size);

/**
 * Ends the text: what was held back of an unfinished character becomes one U+FFFD. The detokenizer
 * is then as new.
 *
 * @param detokenizer the detokenizer.
 * @param[out] text the rest; borrowed until the next call on this detokenizer.
 * @param[out] size its length in bytes.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_detokenizer_finish(mullama_detokenizer_t *detokenizer,
                                                        const char **text, size_t *size);

/**
 * Gives a detokenizer back.
 *
 * @param detokenizer the detokenizer, or NULL.
 */
MULLAMA_API void mullama_detokenizer_free(mullama_detokenizer_t *detokenizer);

#ifdef __cplusplus
}
#endif

#endif

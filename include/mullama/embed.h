/**
 * @file embed.h
 * Embeddings in one call: texts in, rows of numbers out, however many decodes that takes.
 *
 * The texts are computed in those sequences of the context that are empty, as many at a time as
 * there are and as fit, and these are empty again afterwards. What other sequences hold stays; the
 * logits and embeddings of the last decode do not. A row does not depend on which texts are
 * computed with it, but for rounding, which is to half precision where attention is flash
 * attention.
 *
 * Thread safety: as context.h.
 */
#ifndef MULLAMA_EMBED_H
#define MULLAMA_EMBED_H

#include "mullama/context.h"
#include "mullama/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How texts are embedded. */
typedef struct mullama_embed_options {
    /** sizeof(mullama_embed_options_t), set by mullama_embed_options_init(). */
    size_t struct_size;
    /** Scale each row to length 1 (L2), so that the dot product of two is their cosine; default
     * true. A row of zeros stays so. */
    bool normalize;
    /** Cut texts that are too long at their end, rather than refuse them; default false. An end
     * token that the model adds stays. mullama_context_embed_each_token() does not look at it. */
    bool truncate;
    /** Add the beginning and end tokens that the model wants; default true. */
    bool add_special;
    /** Read the spelling of a special token as that token; default false. */
    bool parse_special;
    /** Hears how far it is, after each decode, on the calling thread; NULL: nobody. */
    mullama_progress_fn progress;
    /** Handed to it. */
    void *user_data;
} mullama_embed_options_t;

/**
 * Fills embed options with their defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_embed_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_embed_options_init(mullama_embed_options_t *options, size_t struct_size);

/**
 * The embedding of each text. The context has to pool (MULLAMA_POOLING_MEAN, _CLS or _LAST: an
 * embedding model says itself which one it was trained for); its embeddings need not be switched
 * on.
 *
 * @param context the context. A text is at most n_ubatch tokens long, and fits a sequence.
 * @param texts the texts, UTF-8; NULL is fine when there are none.
 * @param sizes their lengths in bytes; NULL: they are NUL-terminated.
 * @param count how many there are; 0 does nothing.
 * @param options how; NULL for the defaults.
 * @param[out] rows a row of mullama_context_info_t.n_embd_sequence numbers for each text, in their
 *                  order.
 * @param rows_count how many numbers rows has room for: exactly count rows.
 * @return NULL, or MULLAMA_ERROR_NO_SPACE (a text is too long: the parameter is "texts[2]" for the
 *         third, the offset 2, expected and actual are in tokens), _INVALID_UTF8 (the offset is in
 *         the text), _INVALID_ARGUMENT (a text without tokens), _OUT_OF_RANGE (rows_count),
 *         _INVALID_STATE (the context does not pool, gives scores, or has no empty sequence),
 *         _UNSUPPORTED (an encoder-decoder model), _CANCELLED, _ENGINE, _OUT_OF_MEMORY, _BUSY or
 *         _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_embed(mullama_context_t *context,
                                                   const char *const *texts, const size_t *sizes,
                                                   size_t count,
                                                   const mullama_embed_options_t *options,
                                                   float *rows, size_t rows_count);

/**
 * The same for texts that are tokenized already: nothing is added to them.
 *
 * @param context the context.
 * @param texts the tokens of each; NULL is fine when there are none.
 * @param sizes how many tokens each has.
 * @param count how many texts there are; 0 does nothing.
 * @param options how; NULL for the defaults.
 * @param[out] rows as mullama_context_embed().
 * @param rows_count as mullama_context_embed().
 * @return as mullama_context_embed(), and MULLAMA_ERROR_OUT_OF_RANGE for a token there is not (the
 *         offset is its index in the text).
 */
MULLAMA_API mullama_error_t *mullama_context_embed_tokens(mullama_context_t *context,
                                                          const mullama_token_t *const *texts,
                                                          const size_t *sizes, size_t count,
                                                          const mullama_embed_options_t *options,
                                                          float *rows, size_t rows_count);

/**
 * The embedding of every token of each text, as models for late interaction (ColBERT) want them.
 * The context must not pool: MULLAMA_POOLING_NONE. Of an encoder-decoder model, these are the
 * encoder's, and what was encoded before is gone.
 *
 * @param context the context. A text is at most n_ubatch tokens long, or n_batch where tokens look
 *                only at those before them, and fits a sequence.
 * @param texts the tokens of each; NULL is fine when there are none.
 * @param sizes how many tokens each has.
 * @param count how many texts there are; 0 does nothing.
 * @param options how; NULL for the defaults.
 * @param[out] rows a row of mullama_model_info_t.n_embd_out numbers for each token of the first
 *                  text, then of the second, and so on.
 * @param rows_count how many numbers rows has room for: exactly as many rows as there are tokens.
 * @return as mullama_context_embed_tokens(), and MULLAMA_ERROR_INVALID_STATE where the context
 *         pools.
 */
MULLAMA_API mullama_error_t *mullama_context_embed_each_token(
    mullama_context_t *context, const mullama_token_t *const *texts, const size_t *sizes,
    size_t count, const mullama_embed_options_t *options, float *rows, size_t rows_count);

#ifdef __cplusplus
}
#endif

#endif

/**
 * @file rerank.h
 * How well documents answer a query, as a reranker scores them.
 *
 * Documents are computed in the empty sequences of the context, as embed.h says of texts.
 *
 * Thread safety: as context.h.
 */
#ifndef MULLAMA_RERANK_H
#define MULLAMA_RERANK_H

#include "mullama/context.h"
#include "mullama/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How documents are scored. */
typedef struct mullama_rerank_options {
    /** sizeof(mullama_rerank_options_t), set by mullama_rerank_options_init(). */
    size_t struct_size;
    /** Cut documents at their end that are too long together with the query, rather than refuse
     * them; default false. */
    bool truncate;
    /** Hears how far it is, after each decode, on the calling thread; NULL: nobody. */
    mullama_progress_fn progress;
    /** Handed to it. */
    void *user_data;
} mullama_rerank_options_t;

/**
 * Fills rerank options with their defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_rerank_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_rerank_options_init(mullama_rerank_options_t *options, size_t struct_size);

/**
 * Scores documents against a query. The context pools with MULLAMA_POOLING_RANK, as the contexts of
 * a reranker do unless asked otherwise.
 *
 * Query and document reach the model as llama-server gives them: joined by the model's template
 * "rerank" if it brings one, or else as [bos] query [eos] [sep] document [eos], of which there is
 * what the vocabulary adds to texts. The spelling of a special token in either is text.
 *
 * @param context the context. A query and a document are together at most n_ubatch tokens long, and
 *                fit a sequence.
 * @param query the query, UTF-8.
 * @param query_size its length in bytes.
 * @param documents the documents, UTF-8; NULL is fine when there are none.
 * @param sizes their lengths in bytes; NULL: they are NUL-terminated.
 * @param count how many there are; 0 does nothing.
 * @param options how; NULL for the defaults.
 * @param[out] scores a row of mullama_context_info_t.n_embd_sequence numbers for each document, in
 *                    their order, as the model gives them: neither scaled nor sorted. Most models
 *                    give one number. Of several, one for each of the model's classes, the first is
 *                    the score.
 * @param scores_count how many numbers scores has room for: exactly count rows.
 * @return NULL, or MULLAMA_ERROR_UNSUPPORTED (the model is no reranker), _INVALID_STATE (the
 * context pools otherwise, or has no empty sequence), _NO_SPACE (a document is too long together
 *         with the query: the parameter is "documents[2]" for the third, the offset 2, expected and
 *         actual are in tokens), _INVALID_UTF8 (the offset is in the text), _OUT_OF_RANGE
 *         (scores_count), _BAD_MODEL (the vocabulary lacks a token that belongs there),
 *         _INVALID_ARGUMENT, _CANCELLED, _ENGINE, _OUT_OF_MEMORY, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_rerank(mullama_context_t *context, const char *query,
                                                    size_t query_size, const char *const *documents,
                                                    const size_t *sizes, size_t count,
                                                    const mullama_rerank_options_t *options,
                                                    float *scores, size_t scores_count);

#ifdef __cplusplus
}
#endif

#endif

/**
 * @file batch.h
 * Batches: the tokens of one decode, or embeddings in their place, each with its position, its
 * sequences, and whether its logits are wanted.
 *
 * Thread safety: a batch is used by one thread at a time.
 */
#ifndef MULLAMA_BATCH_H
#define MULLAMA_BATCH_H

#include "mullama/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A list of tokens to decode; filled, decoded and cleared again and again. */
typedef struct mullama_batch mullama_batch_t;

/**
 * Makes an empty batch.
 *
 * @param[out] out the batch, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_batch_new(mullama_batch_t **out);

/**
 * Gives a batch back.
 *
 * @param batch the batch, or NULL.
 */
MULLAMA_API void mullama_batch_free(mullama_batch_t *batch);

/**
 * Adds a token.
 *
 * @param batch the batch.
 * @param token the token; checked against the vocabulary when decoded.
 * @param position its place in each of its sequences, from 0.
 * @param sequences the sequences that it belongs to.
 * @param sequences_count how many those are, 1 to 256.
 * @param output whether its logits are wanted.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _OUT_OF_RANGE, _INVALID_STATE (the batch holds
 *         embeddings) or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_batch_add(mullama_batch_t *batch, mullama_token_t token,
                                               mullama_pos_t position,
                                               const mullama_seq_id_t *sequences,
                                               size_t sequences_count, bool output);

/**
 * Adds an embedding in place of a token: what the model would have looked up for it, such as what a
 * projector makes of an image, or a prompt that was learned. A batch holds tokens or embeddings,
 * not both. Where a context lists the tokens of a sequence, MULLAMA_TOKEN_NONE stands for it.
 *
 * @param batch the batch.
 * @param embedding the numbers, finite, as the layers want them: where a model scales what it looks
 *                  up, they are scaled already.
 * @param embedding_count how many there are, the same for all of a batch:
 *                        mullama_model_info_t.n_embd_inp, checked when decoded.
 * @param position its place in each of its sequences, from 0.
 * @param sequences the sequences that it belongs to.
 * @param sequences_count how many those are, 1 to 256.
 * @param output whether its logits are wanted.
 * @return NULL, or MULLAMA_ERROR_INVALID_STATE (the batch holds tokens), _INVALID_ARGUMENT,
 *         _OUT_OF_RANGE (for a number that is not finite, its index is the offset) or
 *         _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *
mullama_batch_add_embedding(mullama_batch_t *batch, const float *embedding, size_t embedding_count,
                            mullama_pos_t position, const mullama_seq_id_t *sequences,
                            size_t sequences_count, bool output);

/**
 * Counts the tokens.
 *
 * @param batch the batch, or NULL.
 * @return how many it holds.
 */
MULLAMA_API size_t mullama_batch_count(const mullama_batch_t *batch);

/**
 * Takes all tokens out, keeping the memory for the next ones.
 *
 * @param batch the batch, or NULL.
 */
MULLAMA_API void mullama_batch_clear(mullama_batch_t *batch);

#ifdef __cplusplus
}
#endif

#endif

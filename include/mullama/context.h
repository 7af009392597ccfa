/**
 * @file context.h
 * Contexts: a model's working memory (KV cache), and the low road through it: decode tokens, read
 * logits.
 *
 * Thread safety: one thread at a time. A second one is refused with MULLAMA_ERROR_BUSY, as is a
 * call from inside a callback of the same context.
 */
#ifndef MULLAMA_CONTEXT_H
#define MULLAMA_CONTEXT_H

#include "mullama/batch.h"
#include "mullama/error.h"
#include "mullama/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A model's working memory. */
typedef struct mullama_context mullama_context_t;

/** A choice that the engine can make itself. Values are stable; new ones are added at the end. */
typedef enum mullama_switch {
    /** The engine's choice. */
    MULLAMA_SWITCH_AUTO = 0,
    /** Never. */
    MULLAMA_SWITCH_OFF = 1,
    /** Always, or an error where it cannot be. */
    MULLAMA_SWITCH_ON = 2
} mullama_switch_t;

/** How keys and values are stored. Values are stable; new ones are added at the end. */
typedef enum mullama_cache_type {
    /** 16-bit floats: the default. */
    MULLAMA_CACHE_TYPE_F16 = 0,
    /** 32-bit floats. */
    MULLAMA_CACHE_TYPE_F32 = 1,
    /** 16-bit brain floats. */
    MULLAMA_CACHE_TYPE_BF16 = 2,
    /** 8.5 bits a value. */
    MULLAMA_CACHE_TYPE_Q8_0 = 3,
    /** 4.5 bits a value. */
    MULLAMA_CACHE_TYPE_Q4_0 = 4,
    /** 5 bits a value. */
    MULLAMA_CACHE_TYPE_Q4_1 = 5,
    /** 5.5 bits a value. */
    MULLAMA_CACHE_TYPE_Q5_0 = 6,
    /** 6 bits a value. */
    MULLAMA_CACHE_TYPE_Q5_1 = 7,
    /** 4.5 bits a value, not evenly spaced. */
    MULLAMA_CACHE_TYPE_IQ4_NL = 8
} mullama_cache_type_t;

/** How a context is made. */
typedef struct mullama_context_options {
    /** sizeof(mullama_context_options_t), set by mullama_context_options_init(). */
    size_t struct_size;
    /** Its room, in tokens, over all sequences; 0: what the model was trained for, at most 4096.
     * The engine rounds up to a multiple of 256. */
    uint32_t n_ctx;
    /** The most tokens in one decode; 0: 2048, or n_ctx if that is less. More than n_ctx counts as
     * n_ctx. */
    uint32_t n_batch;
    /** The most tokens computed at once; 0: 512, or n_batch if that is less, or n_batch for a model
     * with an encoder, which sees all of its text at once. Work space grows with it. */
    uint32_t n_ubatch;
    /** How many sequences it can hold apart, 1 to 256; default 1. */
    uint32_t n_seq_max;
    /** Threads for one token at a time; 0: measured at the first decode and remembered in the
     * runtime for the same model. 1 starts none. More than the runtime's max_threads counts as that
     * many. */
    int32_t n_threads;
    /** Threads for many tokens at a time; 0: all physical cores within the runtime's budget, or
     * fewer for a model so small that more threads do not pay, by the same measurement. More than
     * the runtime's max_threads counts as that many. */
    int32_t n_threads_batch;
    /** Flash attention. */
    mullama_switch_t flash_attention;
    /** How keys are stored. */
    mullama_cache_type_t type_k;
    /** How values are stored; quantized ones need flash attention. */
    mullama_cache_type_t type_v;
    /** One memory for all sequences, shared freely, rather than an equal part for each; default
     * true. */
    bool kv_unified;
    /** Keep the KV cache in the memory of the GPU that has the layer; default true. */
    bool offload_kqv;
} mullama_context_options_t;

/** A context as it really is. */
typedef struct mullama_context_info {
    /** sizeof(mullama_context_info_t), set by mullama_context_info_init(). */
    size_t struct_size;
    /** Its room, in tokens. */
    uint32_t n_ctx;
    /** The room of one sequence, in tokens. */
    uint32_t n_ctx_seq;
    /** The most tokens in one decode. */
    uint32_t n_batch;
    /** The most tokens computed at once. */
    uint32_t n_ubatch;
    /** The sequences it can hold apart. */
    uint32_t n_seq_max;
    /** Threads for one token at a time; 0 while not measured yet. */
    int32_t n_threads;
    /** Threads for many tokens at a time; 0 while not measured yet. */
    int32_t n_threads_batch;
} mullama_context_info_t;

/** Whose logits a prefill keeps. */
typedef enum mullama_output {
    /** Nobody's. */
    MULLAMA_OUTPUT_NONE = 0,
    /** The last token's. */
    MULLAMA_OUTPUT_LAST = 1,
    /** Every token's: they must fit one batch. */
    MULLAMA_OUTPUT_ALL = 2
} mullama_output_t;

/**
 * Fills context options with their defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_context_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_context_options_init(mullama_context_options_t *options,
                                              size_t struct_size);

/**
 * Makes a context.
 *
 * @param model the model; kept alive by the context.
 * @param options how; NULL for the defaults.
 * @param[out] out the context, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _INVALID_ARGUMENT, _UNSUPPORTED (a vocabulary-only
 *         model, a cache type that does not fit), _NO_SPACE (the runtime's memory budget),
 *         _OUT_OF_MEMORY or _ENGINE.
 */
MULLAMA_API mullama_error_t *mullama_context_new(mullama_model_t *model,
                                                 const mullama_context_options_t *options,
                                                 mullama_context_t **out);

/**
 * Gives a context back. One that is in use, by another thread or by a callback's caller, is left
 * to its user and never freed.
 *
 * @param context the context, or NULL.
 */
MULLAMA_API void mullama_context_free(mullama_context_t *context);

/**
 * Fills a context description with zeros.
 *
 * @param[out] info the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_context_info_t) as the caller knows it.
 */
MULLAMA_API void mullama_context_info_init(mullama_context_info_t *info, size_t struct_size);

/**
 * A context as it really is, after the engine's rounding.
 *
 * @param context the context.
 * @param[in,out] info a struct that mullama_context_info_init() filled.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_BUSY.
 */
MULLAMA_API mullama_error_t *mullama_context_get_info(mullama_context_t *context,
                                                      mullama_context_info_t *info);

/**
 * Measures now how many threads are fastest, within half a second beyond what the first decode
 * takes, rather than at the first decode.
 * Does nothing where the options gave both numbers or the runtime remembers them.
 *
 * @param context the context; it must hold no tokens.
 * @return NULL, or MULLAMA_ERROR_INVALID_STATE, _BUSY, _FORKED or _ENGINE.
 */
MULLAMA_API mullama_error_t *mullama_context_warm_up(mullama_context_t *context);

/**
 * Decodes one batch: all of it or, on failure, none of it; a sequence whose state cannot go back
 * (recurrent models) is empty after the engine failed.
 *
 * For an encoder-only model this computes the embeddings of all tokens; for an encoder-decoder
 * model it runs the decoder (see mullama_context_encode()).
 *
 * @param context the context.
 * @param batch the batch: 1 to n_batch tokens, each at the place after the last one of its
 * sequence.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE (a token, position or sequence; the offset is the
 *         index in the batch), _NO_SPACE (the KV cache is full, or the batch too large),
 *         _INVALID_ARGUMENT, _INVALID_STATE, _BUSY, _FORKED, _ENGINE or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_context_decode(mullama_context_t *context,
                                                    const mullama_batch_t *batch);

/**
 * Runs the encoder of an encoder-decoder model over one batch.
 *
 * @param context the context.
 * @param batch the batch: 1 to n_ubatch tokens.
 * @return as mullama_context_decode(), and MULLAMA_ERROR_UNSUPPORTED for a model without an
 * encoder.
 */
MULLAMA_API mullama_error_t *mullama_context_encode(mullama_context_t *context,
                                                    const mullama_batch_t *batch);

/**
 * Appends tokens to a sequence, in as many decodes of n_batch as it takes.
 *
 * @param context the context.
 * @param sequence the sequence.
 * @param tokens the tokens.
 * @param count how many there are; 0 does nothing.
 * @param output whose logits to keep.
 * @return as mullama_context_decode(), _NO_SPACE before anything is decoded where the tokens do not
 *         fit the sequence, and _UNSUPPORTED for a model that is only an encoder. On failure the
 *         sequence is as it was, save on recurrent models, where it can be empty.
 */
MULLAMA_API mullama_error_t *mullama_context_prefill(mullama_context_t *context,
                                                     mullama_seq_id_t sequence,
                                                     const mullama_token_t *tokens, size_t count,
                                                     mullama_output_t output);

/**
 * The logits of one token of the last decode.
 *
 * @param context the context.
 * @param index the token's index in the last batch, or in what was prefilled; negative counts from
 *              the last token whose logits were kept, -1.
 * @param[out] logits one number for each token of the vocabulary; borrowed until the next call that
 *             decodes, clears or frees.
 * @param[out] count how many there are: n_vocab.
 * @return NULL, or MULLAMA_ERROR_INVALID_STATE (nothing decoded yet, or no logits asked for),
 *         _OUT_OF_RANGE, _UNSUPPORTED (a model that is only an encoder), _INVALID_ARGUMENT, _BUSY
 * or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_logits(mullama_context_t *context, int32_t index,
                                                    const float **logits, size_t *count);

/**
 * How many tokens a sequence holds.
 *
 * @param context the context.
 * @param sequence the sequence.
 * @param[out] count one more than its last position; 0 when empty.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _INVALID_ARGUMENT or _BUSY.
 */
MULLAMA_API mullama_error_t *
mullama_context_sequence_size(mullama_context_t *context, mullama_seq_id_t sequence, size_t *count);

/**
 * Empties every sequence.
 *
 * @param context the context.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_clear(mullama_context_t *context);

#ifdef __cplusplus
}
#endif

#endif

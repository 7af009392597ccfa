/**
 * @file context.h
 * Contexts: a model's working memory (KV cache), and the low road through it: decode tokens, read
 * logits and embeddings, move sequences about.
 *
 * Thread safety: one thread at a time, save mullama_context_abort(). A second one is refused with
 * MULLAMA_ERROR_BUSY, as is a call from inside a callback of the same context.
 */
#ifndef MULLAMA_CONTEXT_H
#define MULLAMA_CONTEXT_H

#include "mullama/batch.h"
#include "mullama/error.h"
#include "mullama/model.h"
#include "mullama/text.h"

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

/** Which tokens a token looks at. Values are stable; new ones are added at the end. */
typedef enum mullama_attention {
    /** What the model was made for. */
    MULLAMA_ATTENTION_DEFAULT = 0,
    /** Those before it. */
    MULLAMA_ATTENTION_CAUSAL = 1,
    /** All of the batch, which must then fit n_ubatch. */
    MULLAMA_ATTENTION_NON_CAUSAL = 2
} mullama_attention_t;

/** How rotary positions (RoPE) are stretched beyond the trained length. Values are stable; new ones
 * are added at the end. */
typedef enum mullama_rope_scaling {
    /** What the model's file says. */
    MULLAMA_ROPE_SCALING_DEFAULT = 0,
    /** Not at all. */
    MULLAMA_ROPE_SCALING_NONE = 1,
    /** Positions are multiplied by rope_freq_scale (Chen et al. 2023, arXiv:2306.15595). */
    MULLAMA_ROPE_SCALING_LINEAR = 2,
    /** YaRN (Peng et al. 2023, arXiv:2309.00071). */
    MULLAMA_ROPE_SCALING_YARN = 3,
    /** By the model's own factors (LongRoPE, Ding et al. 2024, arXiv:2402.13753). */
    MULLAMA_ROPE_SCALING_LONGROPE = 4
} mullama_rope_scaling_t;

/** What a context can do: bits of mullama_context_info_t.abilities. A call that needs one the
 * context lacks fails with MULLAMA_ERROR_UNSUPPORTED and says why. */
typedef enum mullama_context_ability {
    /** It keeps tokens from one decode to the next. */
    MULLAMA_CONTEXT_CAN_REMEMBER = 1,
    /** It predicts tokens: logits. */
    MULLAMA_CONTEXT_CAN_PREDICT = 2,
    /** It copies whole sequences. */
    MULLAMA_CONTEXT_CAN_COPY = 4,
    /** It copies parts of sequences, and a token may belong to several. */
    MULLAMA_CONTEXT_CAN_SHARE = 8,
    /** It takes tokens off the end of a sequence. */
    MULLAMA_CONTEXT_CAN_TRUNCATE = 16,
    /** It takes tokens out of the middle of a sequence. */
    MULLAMA_CONTEXT_CAN_REMOVE = 32,
    /** It moves and divides positions. */
    MULLAMA_CONTEXT_CAN_SHIFT = 64
} mullama_context_ability_t;

/** The end of a range of positions that has none: all that follow. */
#define MULLAMA_POSITION_END (-1)

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
     * with an encoder, which sees all of its text at once. Work space grows with it. Where
     * embeddings are pooled, it is rounded down to a multiple of n_seq_max. */
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
    /** Let a GPU compute on weights that lie in main memory; default true. */
    bool op_offload;
    /** Keep all of a sequence in the layers with a sliding window too; default true. Without, they
     * keep the window only: less memory, but a sequence can be shortened by little, and never
     * copied in part, cut in the middle or shifted. */
    bool swa_full;
    /** Give embeddings besides logits; AUTO: for encoders and rerankers only. Every token then
     * counts as an output. mullama_context_set_embeddings() changes it. */
    mullama_switch_t embeddings;
    /** How the embeddings of a sequence become one. */
    mullama_pooling_t pooling;
    /** Which tokens a token looks at. */
    mullama_attention_t attention;
    /** How rotary positions are stretched. */
    mullama_rope_scaling_t rope_scaling;
    /** The base of RoPE's frequencies; 0: the model's. */
    float rope_freq_base;
    /** What positions are multiplied by, 0.5 for twice the trained length; 0: the model's. At most
     * 1000, at least 0.001. */
    float rope_freq_scale;
    /** YaRN's mix of extrapolation, 0 to 1; negative: the model's. */
    float yarn_ext_factor;
    /** YaRN's factor for the magnitude of attention; negative: the model's. */
    float yarn_attn_factor;
    /** YaRN's low correction dimension; negative: the model's. */
    float yarn_beta_fast;
    /** YaRN's high correction dimension; negative: the model's. */
    float yarn_beta_slow;
    /** The length that YaRN stretches, in tokens; 0: the model's. */
    uint32_t yarn_orig_ctx;
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
    /** MULLAMA_CONTEXT_CAN_* bits. */
    uint64_t abilities;
    /** Cells of the memory that hold a token; tokens shared by sequences count once. */
    uint32_t n_used;
    /** The length of an embedding of a sequence: the model's n_embd_out, n_cls_out for
     * MULLAMA_POOLING_RANK, 0 where sequences are not pooled. */
    int32_t n_embd_sequence;
    /** How the embeddings of a sequence become one. */
    mullama_pooling_t pooling;
    /** Whether it gives embeddings at the moment. */
    bool embeddings;
    /** Whether a token looks only at those before it. */
    bool causal;
} mullama_context_info_t;

/** What a context has done since it was made or its counters were reset. */
typedef struct mullama_context_counters {
    /** sizeof(mullama_context_counters_t), set by mullama_context_counters_init(). */
    size_t struct_size;
    /** Decodes and encodes of one token. */
    uint64_t single_calls;
    /** Nanoseconds that decodes of one token took, on the calling thread. */
    uint64_t single_ns;
    /** Decodes and encodes of more than one token. */
    uint64_t batch_calls;
    /** The tokens of those. */
    uint64_t batch_tokens;
    /** Nanoseconds that those took. */
    uint64_t batch_ns;
    /** How often the engine could use its last compute graph again. */
    uint64_t graph_reuses;
} mullama_context_counters_t;

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
 *         _UNSUPPORTED (embeddings for a model that takes tokens only), _CANCELLED (see
 *         mullama_context_abort()), _INVALID_ARGUMENT, _INVALID_STATE, _BUSY, _FORKED, _ENGINE or
 *         _OUT_OF_MEMORY.
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
 * Log-probabilities of the whole vocabulary after one token of the last decode: the model's own
 * distribution, before any sampler.
 *
 * @param context the context.
 * @param index whose, as mullama_context_logits().
 * @param[out] logprobs n_vocab natural logarithms.
 * @param count how many logprobs has room for: exactly n_vocab.
 * @return as mullama_context_logits(), _OUT_OF_RANGE for another count, and _INVALID_ARGUMENT for
 *         logits that are NaN or +INFINITY.
 */
MULLAMA_API mullama_error_t *mullama_context_logprobs(mullama_context_t *context, int32_t index,
                                                      float *logprobs, size_t count);

/**
 * The likeliest tokens after one token of the last decode, best first.
 *
 * @param context the context.
 * @param index whose, as mullama_context_logits().
 * @param[out] tokens the tokens.
 * @param[out] logprobs their natural logarithms; may be NULL.
 * @param[in,out] count how many there is room for; how many were written.
 * @return as mullama_context_logprobs().
 */
MULLAMA_API mullama_error_t *mullama_context_top_logprobs(mullama_context_t *context, int32_t index,
                                                          mullama_token_t *tokens, float *logprobs,
                                                          size_t *count);

/**
 * Gives embeddings besides logits, or stops to. What was decoded before keeps what it has.
 *
 * @param context the context.
 * @param embeddings whether to.
 * @return NULL, or MULLAMA_ERROR_UNSUPPORTED (off for a model that gives nothing else, or an engine
 *         without embeddings), _INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_set_embeddings(mullama_context_t *context,
                                                            bool embeddings);

/**
 * Lets tokens look at those before them only, or at all of their batch, from the next decode on.
 *
 * @param context the context.
 * @param causal whether only at those before them.
 * @return NULL, or MULLAMA_ERROR_UNSUPPORTED, _INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_set_causal(mullama_context_t *context, bool causal);

/**
 * The embedding of one token of the last decode, not normalized. Only without pooling.
 *
 * @param context the context.
 * @param index whose, as mullama_context_logits().
 * @param[out] embedding n_embd_out numbers; borrowed until the next call that decodes, clears or
 *                       frees.
 * @param[out] count how many there are.
 * @return NULL, or MULLAMA_ERROR_INVALID_STATE (nothing decoded yet, or embeddings were not asked
 *         for, or they are pooled), _OUT_OF_RANGE, _INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_embedding(mullama_context_t *context, int32_t index,
                                                       const float **embedding, size_t *count);

/**
 * The pooled embedding of a sequence's tokens in the last decode, not normalized; with
 * MULLAMA_POOLING_RANK the scores.
 *
 * @param context the context.
 * @param sequence the sequence.
 * @param[out] embedding mullama_context_info_t.n_embd_sequence numbers; borrowed until the next
 *                       call that decodes, clears or frees.
 * @param[out] count how many there are.
 * @return NULL, or MULLAMA_ERROR_INVALID_STATE (the sequence was not in the last decode, embeddings
 *         were not asked for, or there is no pooling), _OUT_OF_RANGE, _INVALID_ARGUMENT, _BUSY or
 *         _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_sequence_embedding(mullama_context_t *context,
                                                                mullama_seq_id_t sequence,
                                                                const float **embedding,
                                                                size_t *count);

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
 * The positions that a sequence holds: all between the two, unless a part was removed. On a model
 * with a sliding window, the first is the first that its layers still have.
 *
 * @param context the context.
 * @param sequence the sequence.
 * @param[out] first the first; -1 when empty.
 * @param[out] last the last; -1 when empty.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_sequence_positions(mullama_context_t *context,
                                                                mullama_seq_id_t sequence,
                                                                mullama_pos_t *first,
                                                                mullama_pos_t *last);

/**
 * The tokens that a sequence was made of, by rising position.
 *
 * @param context the context.
 * @param sequence the sequence.
 * @param[out] out the tokens, owned by the caller; MULLAMA_TOKEN_NONE where there was an embedding.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _INVALID_ARGUMENT, _BUSY, _FORKED or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_context_sequence_tokens(mullama_context_t *context,
                                                             mullama_seq_id_t sequence,
                                                             mullama_tokens_t **out);

/**
 * Copies a sequence, or a part, to an empty one. With MULLAMA_CONTEXT_CAN_SHARE the two share their
 * cells: it takes no room and next to no time.
 *
 * @param context the context.
 * @param from the sequence to copy.
 * @param to the sequence to make; it must be empty.
 * @param begin the first position.
 * @param end the position after the last; MULLAMA_POSITION_END: all that follow.
 * @return NULL, or MULLAMA_ERROR_UNSUPPORTED (needs _CAN_COPY for a whole sequence, _CAN_SHARE for
 *         a part), _INVALID_STATE (`to` holds tokens), _OUT_OF_RANGE, _INVALID_ARGUMENT (a range
 *         that ends before it begins, a sequence copied to itself), _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_sequence_copy(mullama_context_t *context,
                                                           mullama_seq_id_t from,
                                                           mullama_seq_id_t to, mullama_pos_t begin,
                                                           mullama_pos_t end);

/**
 * Takes tokens out of a sequence; others that share them keep them. Any model can empty a whole
 * sequence.
 *
 * @param context the context.
 * @param sequence the sequence.
 * @param begin the first position.
 * @param end the position after the last; MULLAMA_POSITION_END: all that follow.
 * @return NULL, or MULLAMA_ERROR_UNSUPPORTED (needs _CAN_TRUNCATE at the end, _CAN_REMOVE
 * elsewhere, and a sliding window that still reaches back), _OUT_OF_RANGE, _INVALID_ARGUMENT, _BUSY
 * or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_sequence_remove(mullama_context_t *context,
                                                             mullama_seq_id_t sequence,
                                                             mullama_pos_t begin,
                                                             mullama_pos_t end);

/**
 * Empties all sequences but one.
 *
 * @param context the context.
 * @param sequence the sequence to keep.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_sequence_keep(mullama_context_t *context,
                                                           mullama_seq_id_t sequence);

/**
 * Moves positions, such as those behind a part that was removed. Keys are rotated anew at the next
 * decode.
 *
 * @param context the context.
 * @param sequence the sequence; it must not share the tokens that move.
 * @param begin the first position.
 * @param end the position after the last; MULLAMA_POSITION_END: all that follow.
 * @param delta by how much, negative towards the beginning; they must not go below 0, nor to
 *              places that are taken.
 * @return NULL, or MULLAMA_ERROR_UNSUPPORTED (needs _CAN_SHIFT), _INVALID_STATE (shared tokens, or
 *         a place that is taken), _OUT_OF_RANGE, _INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_sequence_shift(mullama_context_t *context,
                                                            mullama_seq_id_t sequence,
                                                            mullama_pos_t begin, mullama_pos_t end,
                                                            mullama_pos_t delta);

/**
 * Divides positions, several tokens then standing at one (Self-Extend, Jin et al. 2024,
 * arXiv:2401.01325).
 *
 * @param context the context.
 * @param sequence the sequence; it must not share the tokens that move.
 * @param begin the first position.
 * @param end the position after the last; MULLAMA_POSITION_END: all that follow.
 * @param divisor what positions are divided by, rounding down; at least 1.
 * @return as mullama_context_sequence_shift().
 */
MULLAMA_API mullama_error_t *mullama_context_sequence_divide(mullama_context_t *context,
                                                             mullama_seq_id_t sequence,
                                                             mullama_pos_t begin, mullama_pos_t end,
                                                             int32_t divisor);

/**
 * Empties every sequence.
 *
 * @param context the context.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_clear(mullama_context_t *context);

/**
 * Ends the computation in progress, from any thread: the call that waits for it returns
 * MULLAMA_ERROR_CANCELLED, and the context holds what it held before that call (a sequence whose
 * state cannot go back is empty). Where none is in progress the next one ends so, at once: a call
 * that is just about to start is not missed. On a GPU it takes until the end of the current
 * ubatch.
 *
 * @param context the context; it must stay alive during the call.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_abort(mullama_context_t *context);

/**
 * Computes with other numbers of threads from now on.
 *
 * @param context the context.
 * @param n_threads as in mullama_context_options_t; 0: measured now, for which the context must be
 *                  empty.
 * @param n_threads_batch the same for many tokens at a time.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _OUT_OF_MEMORY (the system gives no more threads),
 *         _INVALID_STATE (measuring while a sequence holds tokens), _INVALID_ARGUMENT, _BUSY or
 *         _FORKED.
 */
MULLAMA_API mullama_error_t *
mullama_context_set_threads(mullama_context_t *context, int32_t n_threads, int32_t n_threads_batch);

/**
 * Fills counters with zeros.
 *
 * @param[out] counters the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_context_counters_t) as the caller knows it.
 */
MULLAMA_API void mullama_context_counters_init(mullama_context_counters_t *counters,
                                               size_t struct_size);

/**
 * What the context has done.
 *
 * @param context the context.
 * @param[in,out] counters a struct that mullama_context_counters_init() filled.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_get_counters(mullama_context_t *context,
                                                          mullama_context_counters_t *counters);

/**
 * Counts from zero again.
 *
 * @param context the context.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_reset_counters(mullama_context_t *context);

#ifdef __cplusplus
}
#endif

#endif

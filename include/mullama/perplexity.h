/**
 * @file perplexity.h
 * How well a model foresees a text that is given: each token's probability, and the perplexity of
 * all of it.
 *
 * Thread safety: as context.h.
 */
#ifndef MULLAMA_PERPLEXITY_H
#define MULLAMA_PERPLEXITY_H

#include "mullama/context.h"
#include "mullama/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One window of a text, valid during the callback. */
typedef struct mullama_window_event {
    /** The size of the struct as the library knows it: fields past it do not exist. */
    size_t struct_size;
    /** Its number, from 0. */
    size_t index;
    /** How many windows there are. */
    size_t count;
    /** The perplexity so far, this window included. */
    double perplexity;
} mullama_window_event_t;

/**
 * Hears of one window that is done, on the calling thread. It may read the model; calls on the
 * context are refused with MULLAMA_ERROR_BUSY. It must not throw.
 *
 * @param event the window; valid during the call.
 * @param user_data what mullama_perplexity_options_t.user_data holds.
 * @return true to go on, false to stop with MULLAMA_ERROR_CANCELLED.
 */
typedef bool (*mullama_window_fn)(const mullama_window_event_t *event, void *user_data);

/** How a text is cut into windows; the same numbers as llama-perplexity's. */
typedef struct mullama_perplexity_options {
    /** sizeof(mullama_perplexity_options_t), set by mullama_perplexity_options_init(). */
    size_t struct_size;
    /** The tokens of a window, at least 3; 0, the default: as many as a sequence holds. */
    size_t window;
    /** 0, the default: windows lie side by side, each begins with the beginning token in place of
     * its first one if the model wants one, and the tokens of its second half count. Otherwise each
     * begins so many tokens after the one before, as the text has it, and its last so many tokens
     * count; less than window. */
    size_t stride;
    /** The most windows to compute; 0, the default: all that are whole. */
    size_t max_windows;
    /** Hears of each window; NULL: nobody. */
    mullama_window_fn on_window;
    /** Handed to it. */
    void *user_data;
} mullama_perplexity_options_t;

/** How well a text was foreseen. */
typedef struct mullama_perplexity {
    /** sizeof(mullama_perplexity_t), set by mullama_perplexity_init(). */
    size_t struct_size;
    /** e to the power of -mean_logprob. */
    double perplexity;
    /** Its standard error; 0 where a single token counted. */
    double error;
    /** The mean natural logarithm of the probability of the tokens that counted. */
    double mean_logprob;
    /** The windows computed. */
    size_t n_windows;
    /** The tokens that counted. */
    size_t n_scored;
} mullama_perplexity_t;

/**
 * Fills perplexity options with their defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_perplexity_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_perplexity_options_init(mullama_perplexity_options_t *options,
                                                 size_t struct_size);

/**
 * Fills a perplexity with zeros.
 *
 * @param[out] perplexity the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_perplexity_t) as the caller knows it.
 */
MULLAMA_API void mullama_perplexity_init(mullama_perplexity_t *perplexity, size_t struct_size);

/**
 * Appends tokens to a sequence, as mullama_context_prefill() does with MULLAMA_OUTPUT_LAST, and
 * tells how likely the model held each of them after all before it.
 *
 * @param context the context.
 * @param sequence the sequence.
 * @param tokens the tokens.
 * @param count how many there are; 0 does nothing.
 * @param first the first to tell of. Nothing foresees the first token of an empty sequence: with 0,
 *              the sequence has to end in the last logits that were kept.
 * @param[out] logprobs the natural logarithm of the probability of tokens[first], then of those
 *                      after it, before any sampler.
 * @param logprobs_count how many there is room for: exactly count - first.
 * @return as mullama_context_prefill(), and MULLAMA_ERROR_OUT_OF_RANGE (first, logprobs_count) or
 *         _INVALID_STATE (no logits tell of the first token).
 */
MULLAMA_API mullama_error_t *
mullama_context_prefill_logprobs(mullama_context_t *context, mullama_seq_id_t sequence,
                                 const mullama_token_t *tokens, size_t count, size_t first,
                                 float *logprobs, size_t logprobs_count);

/**
 * The perplexity of a text: e to the power of the mean negative logarithm of its tokens'
 * probabilities, over windows of the text. It is computed in the first sequence that is empty,
 * which is empty again afterwards.
 *
 * @param context the context.
 * @param tokens the text's tokens, beginning token included if the model adds one; at least one
 *               window, and one token more with a stride.
 * @param count how many there are.
 * @param options how; NULL for the defaults.
 * @param[in,out] out a struct that mullama_perplexity_init() filled.
 * @return NULL, or MULLAMA_ERROR_UNSUPPORTED (a model that does not foresee text token by token),
 *         _OUT_OF_RANGE (a token, window or stride), _INVALID_ARGUMENT (too few tokens: expected
 * and actual say how many), _INVALID_STATE (no sequence is empty), _CANCELLED, _ENGINE,
 *         _OUT_OF_MEMORY, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_perplexity(mullama_context_t *context,
                                                        const mullama_token_t *tokens, size_t count,
                                                        const mullama_perplexity_options_t *options,
                                                        mullama_perplexity_t *out);

#ifdef __cplusplus
}
#endif

#endif

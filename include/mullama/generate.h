/**
 * @file generate.h
 * Generation in one call, on the caller's thread: prefill a prompt, sample until something says
 * stop, hand out each piece of text as it comes.
 *
 * Thread safety: as context.h.
 */
#ifndef MULLAMA_GENERATE_H
#define MULLAMA_GENERATE_H

#include "mullama/context.h"
#include "mullama/error.h"
#include "mullama/sampler.h"
#include "mullama/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One generated token, valid during the callback. */
typedef struct mullama_token_event {
    /** The size of the struct as the library knows it: fields past it do not exist. */
    size_t struct_size;
    /** The token. */
    mullama_token_t token;
    /** Its place among the generated tokens, from 0. */
    size_t index;
    /** The text that became certain with it: whole characters, perhaps none while a character or a
     * stop string is unfinished; NUL-terminated. The last event has all that was held back. */
    const char *text;
    /** The text's length in bytes. */
    size_t text_size;
    /** The natural logarithm of the token's probability under the model, before the sampler; 0
     * unless top_logprobs >= 0 was asked for. */
    float logprob;
    /** The likeliest tokens, best first; NULL unless asked for. */
    const mullama_token_t *top_tokens;
    /** Their log-probabilities. */
    const float *top_logprobs;
    /** How many there are. */
    size_t top_count;
} mullama_token_event_t;

/**
 * Receives one generated token, the one that ends the generation included, on the calling thread.
 * It may read the model; calls on the context or the sampler are refused with MULLAMA_ERROR_BUSY.
 * It must not throw.
 *
 * @param event the token; valid during the call.
 * @param user_data what mullama_generate_options_t.user_data holds.
 * @return true to go on, false to stop: the generation then ends with MULLAMA_STOP_CANCELLED, and
 *         its text with this event's.
 */
typedef bool (*mullama_token_fn)(const mullama_token_event_t *event, void *user_data);

/** How a generation runs. */
typedef struct mullama_generate_options {
    /** sizeof(mullama_generate_options_t), set by mullama_generate_options_init(). */
    size_t struct_size;
    /** The sequence to append to; what it holds already stays its beginning. Default 0. */
    mullama_seq_id_t sequence;
    /** The most tokens to generate; -1, the default: until something else stops it. */
    int64_t max_tokens;
    /** Strings that end the generation; neither they nor what follows reach the text. The one that
     * is complete first counts; of several that end with the same byte, the longest. None is empty.
     */
    const char *const *stop;
    /** Their lengths in bytes; NULL: they are NUL-terminated. */
    const size_t *stop_sizes;
    /** How many there are. */
    size_t stop_count;
    /** Go on when the model says that it is done; default false. */
    bool ignore_end;
    /** Write special tokens in their spelling, an end token too; default false. */
    bool unparse_special;
    /** Add the beginning and end tokens that the model wants, if the sequence is empty; default
     * true. */
    bool add_special;
    /** Read the spelling of a special token in the prompt as that token; default false. */
    bool parse_special;
    /** How many of the likeliest tokens each event lists, at most 1024; 0: only the token's own
     * log-probability; -1, the default: neither. */
    int32_t top_logprobs;
    /** Receives each token; NULL: nobody. */
    mullama_token_fn on_token;
    /** Hears how far the prefill is, after each batch; returning false cancels, with the sequence
     * as it was. NULL: nobody. */
    mullama_progress_fn on_prefill;
    /** Handed to both. */
    void *user_data;
} mullama_generate_options_t;

/** Why a generation ended. Values are stable; new ones are added at the end. */
typedef enum mullama_stop_reason {
    /** It has not ended. */
    MULLAMA_STOP_NONE = 0,
    /** The model said that it is done. */
    MULLAMA_STOP_END = 1,
    /** A stop string was met. */
    MULLAMA_STOP_STRING = 2,
    /** max_tokens was reached. */
    MULLAMA_STOP_LENGTH = 3,
    /** The context is full. */
    MULLAMA_STOP_CONTEXT = 4,
    /** A callback returned false, or the stream was cancelled. */
    MULLAMA_STOP_CANCELLED = 5,
    /** The request's time was over. */
    MULLAMA_STOP_DEADLINE = 6,
    /** It failed; the stream has the error. */
    MULLAMA_STOP_ERROR = 7
} mullama_stop_reason_t;

/** What a generation did. */
typedef struct mullama_generate_stats {
    /** sizeof(mullama_generate_stats_t), set by mullama_generate_stats_init(). */
    size_t struct_size;
    /** Why it ended. */
    mullama_stop_reason_t stop_reason;
    /** Which stop string was met; -1 for none. */
    int32_t stop_index;
    /** The tokens of the prompt, beginning token included. */
    size_t prompt_tokens;
    /** The tokens generated, an end token included. */
    size_t generated_tokens;
    /** Nanoseconds spent on tokenizing the prompt. */
    uint64_t tokenize_ns;
    /** Nanoseconds spent on the prompt's decodes. */
    uint64_t prefill_ns;
    /** Nanoseconds spent on generating, callbacks included. */
    uint64_t generate_ns;
} mullama_generate_stats_t;

/**
 * Fills generate options with their defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_generate_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_generate_options_init(mullama_generate_options_t *options,
                                               size_t struct_size);

/**
 * Fills statistics with "nothing done".
 *
 * @param[out] stats the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_generate_stats_t) as the caller knows it.
 */
MULLAMA_API void mullama_generate_stats_init(mullama_generate_stats_t *stats, size_t struct_size);

/**
 * Generates from a text.
 *
 * Afterwards the sequence holds the prompt and every generated token that was decoded: all but the
 * last. The prompt must not be empty unless the model has a beginning token to add, or the sequence
 * is not empty and ends in the last logits that were kept: then these are sampled first. An
 * encoder-decoder model encodes the prompt and generates from its decoder's start token; its
 * sequence must be empty.
 *
 * When the prefill fails, the sequence is as mullama_context_prefill() leaves it. When a decode
 * fails later, it holds what was decoded before, and what the callback was told stands.
 *
 * @param context the context.
 * @param sampler selects the tokens; NULL: the likeliest one each time (greedy). It is told of the
 *                prompt's tokens first.
 * @param prompt the prompt, UTF-8, at most INT32_MAX bytes.
 * @param prompt_size its length in bytes.
 * @param options how; NULL for the defaults.
 * @param[in,out] stats a struct that mullama_generate_stats_init() filled; may be NULL.
 * @param[out] out the text, owned by the caller; may be NULL.
 * @return NULL, or MULLAMA_ERROR_NO_SPACE for a prompt that does not fit (expected and actual are
 * in tokens), _UNSUPPORTED for a model that does not generate, _CANCELLED when on_prefill returned
 * false, or what mullama_model_tokenize(), mullama_context_decode() and mullama_sampler_sample()
 * return.
 */
MULLAMA_API mullama_error_t *
mullama_context_generate(mullama_context_t *context, mullama_sampler_t *sampler, const char *prompt,
                         size_t prompt_size, const mullama_generate_options_t *options,
                         mullama_generate_stats_t *stats, mullama_text_t **out);

/**
 * Generates from tokens: as mullama_context_generate(), with nothing added to the prompt.
 *
 * @param context the context.
 * @param sampler selects the tokens; NULL: the likeliest one each time.
 * @param prompt the prompt's tokens.
 * @param prompt_count how many there are.
 * @param options how; NULL for the defaults.
 * @param[in,out] stats a struct that mullama_generate_stats_init() filled; may be NULL.
 * @param[out] out the text, owned by the caller; may be NULL.
 * @return as mullama_context_generate().
 */
MULLAMA_API mullama_error_t *
mullama_context_generate_tokens(mullama_context_t *context, mullama_sampler_t *sampler,
                                const mullama_token_t *prompt, size_t prompt_count,
                                const mullama_generate_options_t *options,
                                mullama_generate_stats_t *stats, mullama_text_t **out);

#ifdef __cplusplus
}
#endif

#endif

/**
 * @file request.h
 * What an engine is asked: a prompt, and how to go on from it. A builder: set what differs from the
 * defaults, submit it as often as wanted (engine.h), which copies it.
 *
 * Thread safety: one thread at a time.
 */
#ifndef MULLAMA_REQUEST_H
#define MULLAMA_REQUEST_H

#include "mullama/adapter.h"
#include "mullama/error.h"
#include "mullama/generate.h"
#include "mullama/sampler.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What is asked; made by mullama_request_new(). */
typedef struct mullama_request mullama_request_t;

/** What happens where a sequence has no more room. Values are stable; new ones are added at the
 * end. */
typedef enum mullama_overflow {
    /** A prompt that does not fit is refused; a generation ends with MULLAMA_STOP_CONTEXT. */
    MULLAMA_OVERFLOW_STOP = 0,
    /** Of a prompt that does not fit, tokens behind the first n_keep are dropped, so that three
     * quarters of the room are taken; a generation ends with MULLAMA_STOP_CONTEXT. */
    MULLAMA_OVERFLOW_TRUNCATE = 1,
    /** As _TRUNCATE, and a generation that fills the room goes on with half of what lies behind the
     * first n_keep tokens dropped. What is left is computed again, as if it were the prompt. */
    MULLAMA_OVERFLOW_SHIFT = 2
} mullama_overflow_t;

/** How a request runs. */
typedef struct mullama_request_options {
    /** sizeof(mullama_request_options_t), set by mullama_request_options_init(). */
    size_t struct_size;
    /** The most tokens to generate, of each continuation; -1, the default: until something else
     * stops it. */
    int64_t max_tokens;
    /** Strings that end a continuation, as in mullama_generate_options_t. */
    const char *const *stop;
    /** Their lengths in bytes; NULL: they are NUL-terminated. */
    const size_t *stop_sizes;
    /** How many there are. */
    size_t stop_count;
    /** Go on when the model says that it is done; default false. */
    bool ignore_end;
    /** Write special tokens in their spelling, an end token too; default false. */
    bool unparse_special;
    /** Add the beginning and end tokens that the model wants to a prompt that is text; default
     * true. */
    bool add_special;
    /** Read the spelling of a special token in such a prompt as that token; default false. */
    bool parse_special;
    /** How many of the likeliest tokens each event lists, at most 1024; 0: only the token's own
     * log-probability; -1, the default: neither. */
    int32_t top_logprobs;
    /** How many continuations of the prompt, which is computed once: 1, the default, to the
     * engine's n_seq_max. */
    uint32_t n;
    /** Of continuation 0; the next has the next number. At least 0, and less than 4294967295. -1,
     * the default: the sampler's own for continuation 0, and one that nobody can foresee for
     * others. */
    int64_t seed;
    /** Those with a higher number are admitted first, and take the room of those with a lower one
     * where there is none left. Default 0. */
    int32_t priority;
    /** Milliseconds after its submission at which the request ends with MULLAMA_STOP_DEADLINE; -1,
     * the default: never. */
    int64_t deadline_ms;
    /** Prefixes are shared only among requests with the same key: those of one tenant, say. NULL,
     * the default, is the empty key. */
    const char *isolation_key;
    /** Its length in bytes. */
    size_t isolation_key_size;
    /** Go on from what earlier requests computed, and keep what this one computes; default true. */
    bool use_cache;
    /** What happens where the sequence has no more room; default MULLAMA_OVERFLOW_STOP. */
    mullama_overflow_t overflow;
    /** Tokens at the beginning that no overflow drops. Default 0. */
    size_t n_keep;
    /** Events of each continuation that may wait to be read; when there are as many, it waits for
     * its reader, and nobody else does. 1 to 1048576; default 256. */
    size_t queue_size;
} mullama_request_options_t;

/**
 * Fills options with the defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_request_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_request_options_init(mullama_request_options_t *options,
                                              size_t struct_size);

/**
 * Makes a request without a prompt, greedy, with default options.
 *
 * @param[out] out the request, owned by the caller: mullama_request_free().
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_request_new(mullama_request_t **out);

/**
 * Gives a request back. What was submitted goes on.
 *
 * @param request the request, or NULL.
 */
MULLAMA_API void mullama_request_free(mullama_request_t *request);

/**
 * Sets the prompt to a text, which the engine tokenizes.
 *
 * @param request the request.
 * @param text the text, UTF-8; copied.
 * @param size its length in bytes.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _INVALID_UTF8 or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_request_set_text(mullama_request_t *request, const char *text,
                                                      size_t size);

/**
 * Sets the prompt to tokens, to which nothing is added.
 *
 * @param request the request.
 * @param tokens the tokens; copied.
 * @param count how many there are.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *
mullama_request_set_tokens(mullama_request_t *request, const mullama_token_t *tokens, size_t count);

/**
 * Sets how it runs.
 *
 * @param request the request.
 * @param options the options, copied with their strings; NULL: the defaults.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _OUT_OF_RANGE, _INVALID_UTF8 (a stop string),
 *         _ABI or _OUT_OF_MEMORY: the parameter is the field's name, and nothing has changed.
 */
MULLAMA_API mullama_error_t *mullama_request_set_options(mullama_request_t *request,
                                                         const mullama_request_options_t *options);

/**
 * Sets how tokens are chosen. Each continuation gets a copy of its own, state included; one with a
 * "grammar" stage follows the grammar.
 *
 * @param request the request.
 * @param sampler the chain, copied; NULL: the likeliest token each time.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _BUSY, _UNSUPPORTED (a stage of the caller's
 * own, which cannot run on the engine's thread) or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_request_set_sampler(mullama_request_t *request,
                                                         mullama_sampler_t *sampler);

/**
 * Sets the adapters that it is computed with. Requests with the same ones, in the same order and
 * with the same scales, share batches and prefixes.
 *
 * @param request the request; it keeps the adapters alive.
 * @param adapters the adapters, each at most once.
 * @param scales how strongly each is applied.
 * @param count how many there are; 0 removes all.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _FORKED or _OUT_OF_MEMORY. Whether they fit the
 *         engine's model is checked at submission.
 */
MULLAMA_API mullama_error_t *mullama_request_set_adapters(mullama_request_t *request,
                                                          mullama_adapter_t *const *adapters,
                                                          const float *scales, size_t count);

#ifdef __cplusplus
}
#endif

#endif

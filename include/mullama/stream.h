/**
 * @file stream.h
 * One request in flight: its tokens as they come, and how it ended.
 *
 * Thread safety: one thread at a time reads; mullama_stream_cancel() may be called by any.
 */
#ifndef MULLAMA_STREAM_H
#define MULLAMA_STREAM_H

#include "mullama/error.h"
#include "mullama/generate.h"
#include "mullama/vocab.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A request in flight; made by mullama_engine_submit(). */
typedef struct mullama_stream mullama_stream_t;

/** What an event says. Values are stable; new ones are added at the end. */
typedef enum mullama_event_kind {
    /** Nothing is there (yet). */
    MULLAMA_EVENT_NONE = 0,
    /** A token of a continuation. */
    MULLAMA_EVENT_TOKEN = 1,
    /** A continuation has ended: mullama_stream_get_result() says how. */
    MULLAMA_EVENT_DONE = 2,
    /** All have ended, and every event was read. */
    MULLAMA_EVENT_END = 3
} mullama_event_kind_t;

/** One event, valid until the next is read from the same stream. */
typedef struct mullama_stream_event {
    /** sizeof(mullama_stream_event_t), set by mullama_stream_event_init(). */
    size_t struct_size;
    /** What it says; the fields from `token` on are those of MULLAMA_EVENT_TOKEN. */
    mullama_event_kind_t kind;
    /** Which continuation, counted from 0. */
    uint32_t continuation;
    /** The token. */
    mullama_token_t token;
    /** Its place among the generated tokens, from 0. */
    size_t index;
    /** The text that became certain with it, as in mullama_token_event_t. */
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
} mullama_stream_event_t;

/** How a continuation went. */
typedef struct mullama_stream_result {
    /** sizeof(mullama_stream_result_t), set by mullama_stream_result_init(). */
    size_t struct_size;
    /** Why it ended; MULLAMA_STOP_NONE until its MULLAMA_EVENT_DONE was read. */
    mullama_stop_reason_t stop_reason;
    /** Which stop string was met; -1 for none. */
    int32_t stop_index;
    /** The tokens of the prompt, those that the engine added included. */
    size_t prompt_tokens;
    /** How many of them did not have to be computed. */
    size_t cached_tokens;
    /** The tokens generated, an end token included. */
    size_t generated_tokens;
    /** Nanoseconds from submission to admission; 0 where it never came to that. */
    uint64_t queue_ns;
    /** Nanoseconds from submission to the first token; 0 where there was none. */
    uint64_t first_token_ns;
    /** Nanoseconds from submission to the end. */
    uint64_t total_ns;
} mullama_stream_result_t;

/**
 * Fills an event with nothing.
 *
 * @param[out] event the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_stream_event_t) as the caller knows it.
 */
MULLAMA_API void mullama_stream_event_init(mullama_stream_event_t *event, size_t struct_size);

/**
 * Fills a result with nothing.
 *
 * @param[out] result the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_stream_result_t) as the caller knows it.
 */
MULLAMA_API void mullama_stream_result_init(mullama_stream_result_t *result, size_t struct_size);

/**
 * Waits for the next event.
 *
 * @param stream the stream; not one whose events go to a queue.
 * @param timeout_ms how long at most: 0 for not at all, -1 for as long as it takes.
 * @param[in,out] event a struct that mullama_stream_event_init() filled; MULLAMA_EVENT_NONE when
 *                the time is over.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _OUT_OF_RANGE, _INVALID_STATE (its events go to
 *         a queue), _BUSY (another thread reads), _ABI or _FORKED. A failure of the request itself
 *         is an event, MULLAMA_EVENT_DONE, not an error of this call.
 */
MULLAMA_API mullama_error_t *mullama_stream_next(mullama_stream_t *stream, int64_t timeout_ms,
                                                 mullama_stream_event_t *event);

/**
 * Says how a continuation went.
 *
 * @param stream the stream.
 * @param continuation which, counted from 0.
 * @param[in,out] result a struct that mullama_stream_result_init() filled.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _OUT_OF_RANGE, _ABI or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_stream_get_result(mullama_stream_t *stream,
                                                       uint32_t continuation,
                                                       mullama_stream_result_t *result);

/**
 * Says why a continuation failed.
 *
 * @param stream the stream.
 * @param continuation which, counted from 0.
 * @param[out] out the error that it ended with (MULLAMA_STOP_ERROR), owned by the caller:
 *             mullama_error_free(); NULL where there is none (yet).
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _OUT_OF_RANGE, _FORKED or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *
mullama_stream_get_failure(mullama_stream_t *stream, uint32_t continuation, mullama_error_t **out);

/**
 * Ends all continuations within one iteration of the engine, in the middle of a prompt too. Their
 * last events still come.
 *
 * @param stream the stream.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_stream_cancel(mullama_stream_t *stream);

/**
 * Gives a stream back; a request that still runs is cancelled.
 *
 * @param stream the stream, or NULL. One that another thread reads is left to it.
 */
MULLAMA_API void mullama_stream_free(mullama_stream_t *stream);

#ifdef __cplusplus
}
#endif

#endif

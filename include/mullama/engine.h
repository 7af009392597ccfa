/**
 * @file engine.h
 * Many requests at once on one model: continuous batching, fair to all, with what their prompts
 * have in common computed once.
 *
 * Thread safety: any thread. An engine has a thread that decodes, and one that tokenizes.
 */
#ifndef MULLAMA_ENGINE_H
#define MULLAMA_ENGINE_H

#include "mullama/context.h"
#include "mullama/error.h"
#include "mullama/model.h"
#include "mullama/queue.h"
#include "mullama/request.h"
#include "mullama/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An engine over one model; made by mullama_engine_new(). */
typedef struct mullama_engine mullama_engine_t;

/** How an engine works. */
typedef struct mullama_engine_options {
    /** sizeof(mullama_engine_options_t), set by mullama_engine_options_init(). */
    size_t struct_size;
    /** What its context is made with, as mullama_context_new() takes it; NULL, the default: n_ctx
     * as the model was trained, n_batch 512, and n_seq_max 64. kv_unified is always on. */
    const mullama_context_options_t *context;
    /** What an iteration may take while others generate, in milliseconds: prompts are computed in
     * chunks that fit. 1 to 60000; default 50. */
    uint32_t max_iteration_ms;
    /** Keep what finished requests computed, for those that begin alike; default true. */
    bool prefix_cache;
} mullama_engine_options_t;

/** What an engine does and did. */
typedef struct mullama_engine_stats {
    /** sizeof(mullama_engine_stats_t), set by mullama_engine_stats_init(). */
    size_t struct_size;
    /** Continuations that compute. */
    size_t n_running;
    /** Continuations that wait for room. */
    size_t n_waiting;
    /** Tokens that its context holds, those of the cache included. */
    size_t n_used;
    /** How many fit. */
    size_t n_ctx;
    /** Sequences that the cache keeps. */
    size_t n_cached;
    /** Requests that were submitted. */
    uint64_t submitted;
    /** Continuations that have ended. */
    uint64_t finished;
    /** Those of them that ended with an error. */
    uint64_t failed;
    /** Tokens of prompts that were computed. */
    uint64_t prompt_tokens;
    /** Tokens of prompts that the cache had. */
    uint64_t cached_tokens;
    /** Tokens generated. */
    uint64_t generated_tokens;
    /** Decodes: each is one iteration for all that compute. */
    uint64_t iterations;
    /** The nanoseconds that they took. */
    uint64_t decode_ns;
    /** How often one that ran gave its room to others, and started over later. */
    uint64_t preemptions;
    /** Sequences that the cache gave up for want of room. */
    uint64_t evictions;
} mullama_engine_stats_t;

/**
 * Fills options with the defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_engine_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_engine_options_init(mullama_engine_options_t *options, size_t struct_size);

/**
 * Fills statistics with zeros.
 *
 * @param[out] stats the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_engine_stats_t) as the caller knows it.
 */
MULLAMA_API void mullama_engine_stats_init(mullama_engine_stats_t *stats, size_t struct_size);

/**
 * Makes an engine and starts its threads. Thread numbers that were left to the library are measured
 * now.
 *
 * @param model the model; the engine keeps it alive.
 * @param options the options; NULL: the defaults.
 * @param[out] out the engine, owned by the caller: mullama_engine_free().
 * @return NULL, or MULLAMA_ERROR_UNSUPPORTED (the model does not generate text token by token, or
 *         was loaded for its vocabulary only), or what mullama_context_new() returns.
 */
MULLAMA_API mullama_error_t *mullama_engine_new(mullama_model_t *model,
                                                const mullama_engine_options_t *options,
                                                mullama_engine_t **out);

/**
 * Gives an engine back: cancels what runs and waits for the iteration under way. Streams may be
 * read afterwards.
 *
 * @param engine the engine, or NULL.
 */
MULLAMA_API void mullama_engine_free(mullama_engine_t *engine);

/**
 * Submits a request, and returns at once.
 *
 * @param engine the engine.
 * @param request the request; copied.
 * @param queue where its events go; NULL: mullama_stream_next() reads them. The stream keeps it
 *              alive.
 * @param tag what the queue calls it by; any number.
 * @param[out] out the stream, owned by the caller: mullama_stream_free().
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT (no prompt, or an adapter of another model),
 *         _OUT_OF_RANGE (a token, a scale, or n), _NO_SPACE (tokens that can never fit; those of a
 *         text are counted later, and the stream ends with that error), _UNSUPPORTED,
 *         _INVALID_STATE (it drains), _BUSY, _FORKED or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_engine_submit(mullama_engine_t *engine,
                                                   const mullama_request_t *request,
                                                   mullama_queue_t *queue, uint64_t tag,
                                                   mullama_stream_t **out);

/**
 * Takes no more requests, and waits until all that were submitted have ended.
 *
 * @param engine the engine.
 * @param timeout_ms how long at most; -1: as long as it takes.
 * @param[out] done whether all have ended; may be NULL.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _OUT_OF_RANGE or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_engine_drain(mullama_engine_t *engine, int64_t timeout_ms,
                                                  bool *done);

/**
 * Forgets all prefixes that no request uses.
 *
 * @param engine the engine.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_engine_clear_cache(mullama_engine_t *engine);

/**
 * Says what it does and did, as of its last iteration.
 *
 * @param engine the engine.
 * @param[in,out] stats a struct that mullama_engine_stats_init() filled.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _ABI or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_engine_get_stats(mullama_engine_t *engine,
                                                      mullama_engine_stats_t *stats);

#ifdef __cplusplus
}
#endif

#endif

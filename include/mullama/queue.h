/**
 * @file queue.h
 * The events of any number of streams, behind one handle to wait for.
 *
 * Thread safety: any thread.
 */
#ifndef MULLAMA_QUEUE_H
#define MULLAMA_QUEUE_H

#include "mullama/error.h"
#include "mullama/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Completions of many streams; made by mullama_queue_new(). */
typedef struct mullama_queue mullama_queue_t;

/** Some events, taken at once. */
typedef struct mullama_events mullama_events_t;

/** Hears one event, on the queue's own thread. It must not throw, nor free the queue. */
typedef void (*mullama_event_fn)(uint64_t tag, const mullama_stream_event_t *event,
                                 void *user_data);

/**
 * Makes a queue whose events are taken.
 *
 * @param[out] out the queue, owned by the caller: mullama_queue_free().
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _IO (the system has no more handles) or
 *         _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_queue_new(mullama_queue_t **out);

/**
 * Makes a queue that calls for each event, on a thread of its own. A slow callback holds up the
 * streams of this queue, and no other.
 *
 * @param on_event what is called.
 * @param user_data handed to it.
 * @param[out] out the queue, owned by the caller: mullama_queue_free().
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_queue_new_callback(mullama_event_fn on_event, void *user_data,
                                                        mullama_queue_t **out);

/**
 * Gives a queue back. Streams that report to it lose their reader: cancel them first. One with a
 * callback waits for the call under way.
 *
 * @param queue the queue, or NULL.
 */
MULLAMA_API void mullama_queue_free(mullama_queue_t *queue);

/**
 * What poll, epoll, kqueue or WaitForSingleObject can wait for: ready while there are events.
 *
 * @param queue the queue; not one with a callback.
 * @param[out] handle a file descriptor, or a HANDLE on Windows; borrowed from the queue. Nothing
 * may be read from it.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _INVALID_STATE or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_queue_handle(const mullama_queue_t *queue, intptr_t *handle);

/**
 * Takes the events that are there, a stream's in their order and streams in turn; waits for the
 * first.
 *
 * @param queue the queue; not one with a callback.
 * @param most how many at most; at least 1.
 * @param timeout_ms how long at most: 0 for not at all, -1 for as long as it takes.
 * @param[out] out the events, owned by the caller: mullama_events_free(); none when the time is
 *             over.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _OUT_OF_RANGE, _INVALID_STATE, _FORKED or
 *         _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_queue_take(mullama_queue_t *queue, size_t most,
                                                int64_t timeout_ms, mullama_events_t **out);

/**
 * Counts events.
 *
 * @param events the events, or NULL.
 * @return how many there are.
 */
MULLAMA_API size_t mullama_events_count(const mullama_events_t *events);

/**
 * One of the events.
 *
 * @param events the events.
 * @param index 0 <= index < mullama_events_count().
 * @param[out] tag the tag that its stream was submitted with; may be NULL.
 * @param[in,out] event a struct that mullama_stream_event_init() filled; what it points to is
 *                borrowed from the events.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _OUT_OF_RANGE or _ABI.
 */
MULLAMA_API mullama_error_t *mullama_events_get(const mullama_events_t *events, size_t index,
                                                uint64_t *tag, mullama_stream_event_t *event);

/**
 * Gives events back.
 *
 * @param events the events, or NULL.
 */
MULLAMA_API void mullama_events_free(mullama_events_t *events);

#ifdef __cplusplus
}
#endif

#endif

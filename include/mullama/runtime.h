/**
 * @file runtime.h
 * What a process shares: where log lines go, how many threads and how much memory may be used, and
 * the devices of this machine.
 *
 * Every function that takes a runtime accepts NULL for the process's default one, which exists
 * without being asked for, is never freed, has no sink and no budget.
 *
 * Thread safety: every function may be called from any thread.
 */
#ifndef MULLAMA_RUNTIME_H
#define MULLAMA_RUNTIME_H

#include "mullama/error.h"
#include "mullama/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How much a log line matters. Values are stable; new ones are added at the end. */
typedef enum mullama_log_level {
    /** Nothing at all. */
    MULLAMA_LOG_NONE = 0,
    /** Something failed. */
    MULLAMA_LOG_ERROR = 1,
    /** Something is not as it should be, but work goes on. */
    MULLAMA_LOG_WARN = 2,
    /** What is being done. */
    MULLAMA_LOG_INFO = 3,
    /** How it is being done; much of it. */
    MULLAMA_LOG_DEBUG = 4
} mullama_log_level_t;

/**
 * Receives one log line, without a line break at its end.
 *
 * Called from whichever thread produced the line, several at a time if several threads work; it
 * must not call the library.
 *
 * @param level how much it matters.
 * @param text the line, UTF-8, NUL-terminated; valid during the call.
 * @param size its length in bytes.
 * @param user_data what mullama_runtime_set_log() was given.
 */
typedef void (*mullama_log_fn)(mullama_log_level_t level, const char *text, size_t size,
                               void *user_data);

/** What a process shares; reference-counted by the objects made with it. */
typedef struct mullama_runtime mullama_runtime_t;

/** How a runtime is made. */
typedef struct mullama_runtime_options {
    /** sizeof(mullama_runtime_options_t), set by mullama_runtime_options_init(). */
    size_t struct_size;
    /** The most threads that one context may compute with; 0: as many as there are physical cores.
     */
    int32_t max_threads;
    /** The most bytes that models and contexts may take together; 0: no limit. */
    uint64_t max_memory;
    /** Receives log lines; NULL: nobody. */
    mullama_log_fn log;
    /** Handed to log. */
    void *log_user_data;
    /** The least important level that is passed on; default MULLAMA_LOG_WARN. */
    mullama_log_level_t log_level;
    /** How many lines are kept for mullama_runtime_next_log(); 0, the default: none. */
    size_t log_ring_size;
} mullama_runtime_options_t;

/** What kind of device it is. Values are stable; new ones are added at the end. */
typedef enum mullama_device_type {
    /** The processor. */
    MULLAMA_DEVICE_CPU = 0,
    /** A graphics card with memory of its own. */
    MULLAMA_DEVICE_GPU = 1,
    /** A graphics unit that shares the processor's memory. */
    MULLAMA_DEVICE_INTEGRATED_GPU = 2,
    /** A helper of the processor, such as a matrix unit. */
    MULLAMA_DEVICE_ACCELERATOR = 3
} mullama_device_type_t;

/** One device, or one kind of device that cannot be used here and why. Strings live as long as the
 * process. */
typedef struct mullama_device_info {
    /** sizeof(mullama_device_info_t), set by mullama_device_info_init(). */
    size_t struct_size;
    /** What kind it is. */
    mullama_device_type_t type;
    /** Whether models can be loaded onto it. */
    bool available;
    /** The name that mullama_model_options_t.devices takes, for example "CUDA0". */
    const char *name;
    /** What the vendor calls it. */
    const char *description;
    /** The engine's back end for it, for example "CPU" or "CUDA". */
    const char *backend;
    /** The instruction sets that the engine's code for the CPU uses, space-separated; "" for
     * others. */
    const char *features;
    /** Why it is not available, and what would make it so; "" where it is. */
    const char *reason;
    /** Its memory in bytes; 0 where unknown. */
    uint64_t memory_total;
    /** How much of that is free now, in bytes; 0 where unknown. */
    uint64_t memory_free;
} mullama_device_info_t;

/**
 * Fills runtime options with their defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_runtime_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_runtime_options_init(mullama_runtime_options_t *options,
                                              size_t struct_size);

/**
 * Makes a runtime.
 *
 * @param options how; NULL for the defaults.
 * @param[out] out the runtime, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_OUT_OF_RANGE.
 */
MULLAMA_API mullama_error_t *mullama_runtime_new(const mullama_runtime_options_t *options,
                                                 mullama_runtime_t **out);

/**
 * Gives a runtime back. Models and contexts made with it keep it alive until they go, its log sink
 * included: silence it first with mullama_runtime_set_log() if what it uses goes away earlier.
 *
 * @param runtime the runtime, or NULL, which does nothing.
 */
MULLAMA_API void mullama_runtime_free(mullama_runtime_t *runtime);

/**
 * Replaces the log sink. When the call returns, no thread is inside the old sink any more and none
 * will enter it again.
 *
 * @param runtime the runtime; NULL for the default one.
 * @param level the least important level that is passed on.
 * @param log receives the lines; NULL for nobody. It must not call this function.
 * @param user_data handed to log.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT for an unknown level.
 */
MULLAMA_API mullama_error_t *mullama_runtime_set_log(mullama_runtime_t *runtime,
                                                     mullama_log_level_t level, mullama_log_fn log,
                                                     void *user_data);

/**
 * Keeps the newest lines for mullama_runtime_next_log(), for hosts that want no callback.
 *
 * @param runtime the runtime; NULL for the default one.
 * @param level the least important level that is kept.
 * @param size how many lines are kept, at most 65536; the oldest make room. 0: none.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_OUT_OF_RANGE.
 */
MULLAMA_API mullama_error_t *mullama_runtime_set_log_ring(mullama_runtime_t *runtime,
                                                          mullama_log_level_t level, size_t size);

/**
 * Takes the oldest line out of the ring.
 *
 * @param runtime the runtime; NULL for the default one.
 * @param[out] level how much it matters; may be NULL.
 * @param[out] line the line, owned by the caller; NULL when the ring is empty.
 * @param[out] lost how many lines made room since the last call; may be NULL.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_runtime_next_log(mullama_runtime_t *runtime,
                                                      mullama_log_level_t *level,
                                                      mullama_text_t **line, size_t *lost);

/**
 * Counts the devices: those that can be used, then the kinds that cannot.
 *
 * @param runtime the runtime; NULL for the default one.
 * @param[out] count how many there are.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_ENGINE.
 */
MULLAMA_API mullama_error_t *mullama_runtime_device_count(mullama_runtime_t *runtime,
                                                          size_t *count);

/**
 * Fills a device description with "nothing".
 *
 * @param[out] info the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_device_info_t) as the caller knows it.
 */
MULLAMA_API void mullama_device_info_init(mullama_device_info_t *info, size_t struct_size);

/**
 * Describes one device.
 *
 * @param runtime the runtime; NULL for the default one.
 * @param index 0 <= index < what mullama_runtime_device_count() answered.
 * @param[in,out] info a struct that mullama_device_info_init() filled.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_OUT_OF_RANGE.
 */
MULLAMA_API mullama_error_t *mullama_runtime_get_device(mullama_runtime_t *runtime, size_t index,
                                                        mullama_device_info_t *info);

#ifdef __cplusplus
}
#endif

#endif

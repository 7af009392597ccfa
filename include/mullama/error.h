/**
 * @file error.h
 * Errors: owned objects with a stable code, a message a person can act on, and where it went wrong.
 *
 * Thread safety: an error is immutable; any thread may read it, one thread frees it.
 */
#ifndef MULLAMA_ERROR_H
#define MULLAMA_ERROR_H

#include "mullama/api.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What kind of thing went wrong. Values are stable; new ones are added at the end. */
typedef enum mullama_error_code {
    /** No error: the code of a NULL error. */
    MULLAMA_OK = 0,
    /** A defect in the library. Please report it with the message. */
    MULLAMA_ERROR_INTERNAL = 1,
    /** Memory could not be allocated. */
    MULLAMA_ERROR_OUT_OF_MEMORY = 2,
    /** An argument is not acceptable, whatever the state: NULL, an unknown enum value, nonsense. */
    MULLAMA_ERROR_INVALID_ARGUMENT = 3,
    /** A number lies outside its range; expected and actual say which. */
    MULLAMA_ERROR_OUT_OF_RANGE = 4,
    /** Text that is not UTF-8; the position is the offset of the first bad byte. */
    MULLAMA_ERROR_INVALID_UTF8 = 5,
    /** The call does not fit what was done before, such as logits read before any decode. */
    MULLAMA_ERROR_INVALID_STATE = 6,
    /** The object is in use by another thread, or from inside one of its own callbacks. */
    MULLAMA_ERROR_BUSY = 7,
    /** A callback, or another thread, asked to stop. */
    MULLAMA_ERROR_CANCELLED = 8,
    /** This build, this model or this machine cannot do it; the message says which and why. */
    MULLAMA_ERROR_UNSUPPORTED = 9,
    /** The process forked after the object was made: make the object in the child instead. */
    MULLAMA_ERROR_FORKED = 10,
    /** No such file, device, stage, parameter or key. */
    MULLAMA_ERROR_NOT_FOUND = 11,
    /** The system refused access. */
    MULLAMA_ERROR_PERMISSION = 12,
    /** Reading, writing or mapping failed; the message has the system's own words. */
    MULLAMA_ERROR_IO = 13,
    /** The file is not a well-formed GGUF file; the position is the offset in the file. */
    MULLAMA_ERROR_BAD_FILE = 14,
    /** A well-formed file whose contents do not make a model: keys missing, sizes that do not fit.
     */
    MULLAMA_ERROR_BAD_MODEL = 15,
    /** The engine does not know this architecture, tokenizer or tensor type. */
    MULLAMA_ERROR_UNKNOWN_MODEL = 16,
    /** More tokens than the context, or the batch, has room for. */
    MULLAMA_ERROR_NO_SPACE = 17,
    /** The inference engine failed; its own log lines are attached. */
    MULLAMA_ERROR_ENGINE = 18,
    /** A child process that tried it first died; the message says how. */
    MULLAMA_ERROR_CRASHED = 19,
    /** Caller and library speak different versions of the contract. */
    MULLAMA_ERROR_ABI = 20,
    /** A saved state that is truncated or altered, or no saved state at all; the position is the
     * offset in it. */
    MULLAMA_ERROR_BAD_STATE = 21
} mullama_error_code_t;

/** One failure. Owned by whoever received it. */
typedef struct mullama_error mullama_error_t;

/** Where in the input it went wrong. */
typedef struct mullama_error_position {
    /** sizeof(mullama_error_position_t), set by mullama_error_position_init(). */
    size_t struct_size;
    /** Offset in bytes from the start of the text, file or array; -1 where there is none. */
    int64_t offset;
    /** Line, counted from 1; 0 where there is none. */
    int64_t line;
    /** Column in characters, counted from 1; 0 where there is none. */
    int64_t column;
} mullama_error_position_t;

/**
 * Gives an error back.
 *
 * @param error the error, or NULL.
 */
MULLAMA_API void mullama_error_free(mullama_error_t *error);

/**
 * What kind of failure it is.
 *
 * @param error the error, or NULL.
 * @return its code; MULLAMA_OK for NULL.
 */
MULLAMA_API mullama_error_code_t mullama_error_code(const mullama_error_t *error);

/**
 * A code's stable name, for logs, protocols and language bindings.
 *
 * @param code any value.
 * @return for example "invalid_argument"; "unknown" for a value this library does not have; static.
 */
MULLAMA_API const char *mullama_error_code_name(mullama_error_code_t code);

/**
 * What went wrong and what to do about it: one or more sentences for a person.
 *
 * @param error the error, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return the message, "" for NULL; borrowed from the error.
 */
MULLAMA_API const char *mullama_error_message(const mullama_error_t *error, size_t *size);

/**
 * The parameter, field, key or flag at fault.
 *
 * @param error the error, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return its name as the contract spells it, "" where none is at fault; borrowed from the error.
 */
MULLAMA_API const char *mullama_error_parameter(const mullama_error_t *error, size_t *size);

/**
 * What would have been right.
 *
 * @param error the error, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return for example "1 to 256", "" where it makes no sense; borrowed from the error.
 */
MULLAMA_API const char *mullama_error_expected(const mullama_error_t *error, size_t *size);

/**
 * What was found instead.
 *
 * @param error the error, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return for example "300", "" where it makes no sense; borrowed from the error.
 */
MULLAMA_API const char *mullama_error_actual(const mullama_error_t *error, size_t *size);

/**
 * The inference engine's own warnings and errors during the failed call, a line each.
 *
 * @param error the error, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return the lines, "" where it said nothing; borrowed from the error.
 */
MULLAMA_API const char *mullama_error_log(const mullama_error_t *error, size_t *size);

/**
 * Whether the same call can succeed later, with nothing changed by the caller.
 *
 * @param error the error, or NULL.
 * @return true when trying again can help.
 */
MULLAMA_API bool mullama_error_retryable(const mullama_error_t *error);

/**
 * The failure underneath this one.
 *
 * @param error the error, or NULL.
 * @return the cause, borrowed from the error; NULL where there is none.
 */
MULLAMA_API const mullama_error_t *mullama_error_cause(const mullama_error_t *error);

/**
 * Fills a position with "nowhere".
 *
 * @param[out] position the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_error_position_t) as the caller knows it.
 */
MULLAMA_API void mullama_error_position_init(mullama_error_position_t *position,
                                             size_t struct_size);

/**
 * Where in the input it went wrong.
 *
 * @param error the error, or NULL.
 * @param[in,out] position a struct that mullama_error_position_init() filled.
 * @return true and the position, or false with the struct untouched where there is none.
 */
MULLAMA_API bool mullama_error_get_position(const mullama_error_t *error,
                                            mullama_error_position_t *position);

#ifdef __cplusplus
}
#endif

#endif

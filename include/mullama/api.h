/**
 * @file api.h
 * What every other header of the contract needs: linkage, versions, plain types.
 *
 * The rules that hold for the whole contract (docs/contract.md has them on one page):
 *
 * - A call that can fail returns `mullama_error_t *`: NULL is success; anything else is owned by
 *   the caller and goes back through mullama_error_free(). On failure every output is untouched.
 * - `T **out` hands over an object that the caller owns and gives back through the `_free` of its
 *   type, which accepts NULL. A returned `const T *` is borrowed; its lifetime is stated.
 * - Text goes in as pointer and length in bytes, UTF-8 without a byte order mark. A pointer may be
 *   NULL when its length is 0. An embedded NUL is a character like any other. Invalid UTF-8 is
 *   refused with its offset. Text comes out as pointer and length, and is NUL-terminated besides.
 * - Paths are UTF-8 on every system, and must hold no NUL.
 * - A struct that starts with `size_t struct_size` is filled by its `_init` function before use and
 *   only grows at its end. NULL options mean the defaults.
 * - Besides the codes that a function lists, any call that can fail may return
 *   MULLAMA_ERROR_OUT_OF_MEMORY, MULLAMA_ERROR_INTERNAL, MULLAMA_ERROR_FORKED (an object of the
 *   parent, used in a forked child), MULLAMA_ERROR_INVALID_ARGUMENT (NULL where an object or an
 *   output is needed, a struct that no `_init` filled), MULLAMA_ERROR_OUT_OF_RANGE (a size or a
 *   count that no memory could hold) and MULLAMA_ERROR_UNSUPPORTED (a struct of a
 *   newer caller that asks for what this library does not know).
 * - A callback's last argument is the `user_data` it was registered with. It runs on the thread
 *   that made the call, unless the function says otherwise, and must not let an exception escape.
 */
#ifndef MULLAMA_API_H
#define MULLAMA_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#if defined(MULLAMA_BUILDING)
#define MULLAMA_API __declspec(dllexport)
#elif defined(MULLAMA_STATIC)
#define MULLAMA_API
#else
#define MULLAMA_API __declspec(dllimport)
#endif
#else
/** Marks what the shared library exports. */
#define MULLAMA_API __attribute__((visibility("default")))
#endif

/** The version of the binary contract that these headers describe. 0 may change at any release. */
#define MULLAMA_ABI_VERSION 0

#ifdef __cplusplus
extern "C" {
#endif

/** A token: an index into the model's vocabulary, 0 <= token < n_vocab. */
typedef int32_t mullama_token_t;

/** A token's place in its sequence, counted from 0. */
typedef int32_t mullama_pos_t;

/** A sequence of a context, 0 <= id < n_seq_max. */
typedef int32_t mullama_seq_id_t;

/** "No such token": what a model without, say, a padding token answers when asked for it. */
#define MULLAMA_TOKEN_NONE (-1)

/**
 * The binary contract that the loaded library speaks.
 *
 * A binding compares it with the MULLAMA_ABI_VERSION it was compiled against before any other call
 * and refuses to go on when they differ.
 *
 * @return the library's MULLAMA_ABI_VERSION.
 */
MULLAMA_API int32_t mullama_abi_version(void);

/**
 * The library's version.
 *
 * @return "major.minor.patch"; static, never freed.
 */
MULLAMA_API const char *mullama_version(void);

/**
 * The version of the inference engine that the library was built with.
 *
 * @return for example "llama.cpp 0.5.0-dev (0c1e570), ggml 0.25.3"; "none" in a build without
 *         llama.cpp; static, never freed.
 */
MULLAMA_API const char *mullama_engine_version(void);

#ifdef __cplusplus
}
#endif

#endif

/**
 * @file text.h
 * Owned text and owned token lists: what calls hand over when the size is not known beforehand.
 *
 * Thread safety: both are immutable; any thread may read them, one thread frees them.
 */
#ifndef MULLAMA_TEXT_H
#define MULLAMA_TEXT_H

#include "mullama/api.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A run of bytes that the caller owns; UTF-8 unless the function that made it says "bytes". */
typedef struct mullama_text mullama_text_t;

/** A list of tokens that the caller owns. */
typedef struct mullama_tokens mullama_tokens_t;

/**
 * The bytes of a text.
 *
 * @param text the text, or NULL.
 * @param[out] size the length in bytes, without the NUL that always follows; may be NULL.
 * @return the bytes, "" for NULL; borrowed from the text.
 */
MULLAMA_API const char *mullama_text_data(const mullama_text_t *text, size_t *size);

/**
 * Gives a text back.
 *
 * @param text the text, or NULL.
 */
MULLAMA_API void mullama_text_free(mullama_text_t *text);

/**
 * The tokens of a list.
 *
 * @param tokens the list, or NULL.
 * @param[out] count how many there are; may be NULL.
 * @return the first of them, NULL for an empty list; borrowed from the list.
 */
MULLAMA_API const mullama_token_t *mullama_tokens_data(const mullama_tokens_t *tokens,
                                                       size_t *count);

/**
 * Gives a token list back.
 *
 * @param tokens the list, or NULL.
 */
MULLAMA_API void mullama_tokens_free(mullama_tokens_t *tokens);

#ifdef __cplusplus
}
#endif

#endif

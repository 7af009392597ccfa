/**
 * @file vector.h
 * How alike two embeddings are. All sums are kept in double precision.
 *
 * Thread safety: any number of threads; nothing is kept between calls.
 */
#ifndef MULLAMA_VECTOR_H
#define MULLAMA_VECTOR_H

#include "mullama/api.h"
#include "mullama/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The dot product: for embeddings of length 1, the cosine of the angle between them.
 *
 * @param a numbers; NULL is fine when there are none.
 * @param b as many.
 * @param count how many; 0 gives 0.
 * @param[out] out the sum of their products.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT: a NULL, or a NaN or infinity (the parameter says
 *         in which of the two, the offset is its index).
 */
MULLAMA_API mullama_error_t *mullama_vector_dot(const float *a, const float *b, size_t count,
                                                double *out);

/**
 * The cosine of the angle between two vectors of any length.
 *
 * @param a numbers; NULL is fine when there are none.
 * @param b as many.
 * @param count how many.
 * @param[out] out -1 (opposite) to 1 (the same direction); 0 where one of them is all zeros, and so
 *                 has no direction.
 * @return as mullama_vector_dot().
 */
MULLAMA_API mullama_error_t *mullama_vector_cosine(const float *a, const float *b, size_t count,
                                                   double *out);

/**
 * The Euclidean distance.
 *
 * @param a numbers; NULL is fine when there are none.
 * @param b as many.
 * @param count how many; 0 gives 0.
 * @param[out] out the square root of the sum of the squares of their differences.
 * @return as mullama_vector_dot().
 */
MULLAMA_API mullama_error_t *mullama_vector_distance(const float *a, const float *b, size_t count,
                                                     double *out);

/**
 * Scales a vector to length 1 (L2). One that is all zeros stays so.
 *
 * @param from numbers; NULL is fine when there are none.
 * @param count how many.
 * @param[out] to room for as many: `from` itself, or apart from it.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT: a NULL, `to` overlaps a part of `from`, or a NaN
 *         or infinity (the offset is its index).
 */
MULLAMA_API mullama_error_t *mullama_vector_normalize(const float *from, size_t count, float *to);

#ifdef __cplusplus
}
#endif

#endif

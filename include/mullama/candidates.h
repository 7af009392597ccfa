/**
 * @file candidates.h
 * Candidates: the tokens that can still be selected. What a chain of stages works on, what a custom
 * stage gets, and a list of a caller's own to run a chain over.
 *
 * Thread safety: one thread at a time.
 */
#ifndef MULLAMA_CANDIDATES_H
#define MULLAMA_CANDIDATES_H

#include "mullama/error.h"
#include "mullama/vocab.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A list of candidates, and which of them is selected. */
typedef struct mullama_candidates mullama_candidates_t;

/** One token that can be selected. This struct never grows: lists of it are arrays. */
typedef struct mullama_candidate {
    /** The token. */
    mullama_token_t id;
    /** Its logit; -INFINITY rules it out. */
    float logit;
    /** Its probability, after mullama_candidates_softmax(); otherwise what a stage left there. */
    float p;
} mullama_candidate_t;

/**
 * Makes an object without candidates: it must be filled before it is used.
 *
 * @param[out] out the object, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_candidates_new(mullama_candidates_t **out);

/**
 * Gives candidates back. Those that a custom stage got are the chain's: nothing happens.
 *
 * @param candidates the candidates, or NULL.
 */
MULLAMA_API void mullama_candidates_free(mullama_candidates_t *candidates);

/**
 * Makes every token of a vocabulary a candidate, in place of what there was. None is selected.
 *
 * @param candidates the candidates.
 * @param logits one number for each token; copied.
 * @param count how many there are, 1 to INT32_MAX.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT (also for a logit that is NaN or +INFINITY, whose
 *         index is the offset, and for logits that rule out every token), _OUT_OF_RANGE, _BUSY or
 *         _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_candidates_set_logits(mullama_candidates_t *candidates,
                                                           const float *logits, size_t count);

/**
 * Puts a list in place of what there was. None is selected.
 *
 * @param candidates the candidates.
 * @param list the list, in any order; copied.
 * @param count how many there are, 1 to INT32_MAX.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT (also for a logit that is NaN or +INFINITY, whose
 *         index is the offset, and for logits that rule out every token), _OUT_OF_RANGE (also for a
 *         token below 0, whose index is the offset), _BUSY or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_candidates_set_list(mullama_candidates_t *candidates,
                                                         const mullama_candidate_t *list,
                                                         size_t count);

/**
 * Counts the candidates.
 *
 * @param candidates the candidates, or NULL.
 * @return how many there are.
 */
MULLAMA_API size_t mullama_candidates_count(const mullama_candidates_t *candidates);

/**
 * The candidates, to be read.
 *
 * @param candidates the candidates.
 * @param[out] list the list; borrowed until the next call that changes the candidates.
 * @param[out] count how many there are.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _INVALID_STATE (never filled), _BUSY or
 *         _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_candidates_list(mullama_candidates_t *candidates,
                                                     const mullama_candidate_t **list,
                                                     size_t *count);

/**
 * The candidates, to be changed in place: any field of any of them. What is written is checked by
 * the next call that uses them.
 *
 * @param candidates the candidates.
 * @param[out] list the list; borrowed until the next call on the candidates.
 * @param[out] count how many there are.
 * @return as mullama_candidates_list().
 */
MULLAMA_API mullama_error_t *mullama_candidates_edit(mullama_candidates_t *candidates,
                                                     mullama_candidate_t **list, size_t *count);

/**
 * Leaves the first of the list. None is selected any more.
 *
 * @param candidates the candidates.
 * @param count how many to leave, at least 1; more than there are leaves all.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _INVALID_ARGUMENT (also when those that are left
 *         are ruled out), _INVALID_STATE, _BUSY or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_candidates_truncate(mullama_candidates_t *candidates,
                                                         size_t count);

/**
 * Puts the likeliest first: falling order of logits. None is selected any more.
 *
 * @param candidates the candidates.
 * @return as mullama_candidates_list().
 */
MULLAMA_API mullama_error_t *mullama_candidates_sort(mullama_candidates_t *candidates);

/**
 * Gives each candidate its probability among the candidates: p becomes the softmax of the logits.
 *
 * @param candidates the candidates.
 * @return as mullama_candidates_list().
 */
MULLAMA_API mullama_error_t *mullama_candidates_softmax(mullama_candidates_t *candidates);

/**
 * Selects a candidate.
 *
 * @param candidates the candidates.
 * @param index its place in the list.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _INVALID_ARGUMENT, _INVALID_STATE, _BUSY or
 *         _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_candidates_select(mullama_candidates_t *candidates,
                                                       size_t index);

/**
 * Which candidate is selected.
 *
 * @param candidates the candidates, or NULL.
 * @return its place in the list; -1 when none is.
 */
MULLAMA_API int64_t mullama_candidates_selected(const mullama_candidates_t *candidates);

#ifdef __cplusplus
}
#endif

#endif

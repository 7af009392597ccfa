/**
 * @file sampler.h
 * Samplers: chains of named stages that turn logits into a token.
 *
 * The stages, their parameters, ranges and defaults stand in one table that can be read at run time
 * (mullama_sampler_stage_count() and the functions after it); a stage that is added to the library
 * needs no change in a program or a binding.
 *
 * Thread safety: a sampler is used by one thread at a time; clone it to share it. The table may be
 * read from any thread.
 */
#ifndef MULLAMA_SAMPLER_H
#define MULLAMA_SAMPLER_H

#include "mullama/context.h"
#include "mullama/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A chain of stages, with the random state and the history that they keep. */
typedef struct mullama_sampler mullama_sampler_t;

/** What a parameter is. Values are stable; new ones are added at the end. */
typedef enum mullama_parameter_type {
    /** A whole number: mullama_sampler_set_int(). */
    MULLAMA_PARAMETER_INT = 0,
    /** A real number: mullama_sampler_set_float(). */
    MULLAMA_PARAMETER_FLOAT = 1,
    /** True or false: mullama_sampler_set_bool(). */
    MULLAMA_PARAMETER_BOOL = 2
} mullama_parameter_type_t;

/** A row of the table of stages. Strings are static. */
typedef struct mullama_stage_info {
    /** sizeof(mullama_stage_info_t), set by mullama_stage_info_init(). */
    size_t struct_size;
    /** The name, for example "top_k". */
    const char *name;
    /** What it does, in one sentence, with its source. */
    const char *description;
    /** How many parameters it has. */
    size_t parameter_count;
    /** Whether it selects the token: such a stage ends a chain. */
    bool selects;
} mullama_stage_info_t;

/** A parameter of a stage. Strings are static. */
typedef struct mullama_parameter_info {
    /** sizeof(mullama_parameter_info_t), set by mullama_parameter_info_init(). */
    size_t struct_size;
    /** The name, for example "k". */
    const char *name;
    /** What it does, in one sentence. */
    const char *description;
    /** Its type. */
    mullama_parameter_type_t type;
    /** The value it has unless set; 0 and 1 for false and true. Whole numbers are exact. */
    double default_value;
    /** The least value allowed. */
    double min_value;
    /** The greatest value allowed. */
    double max_value;
    /** The name that a flat list of settings gives it, for example "top_k" or "repeat_penalty":
     * what command-line flags and protocols are made from. */
    const char *setting;
} mullama_parameter_info_t;

/**
 * Makes an empty chain.
 *
 * @param[out] out the sampler, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_new(mullama_sampler_t **out);

/**
 * Makes a chain with the usual stages at their defaults: penalties, top_k, top_p, min_p,
 * temperature, dist.
 *
 * @param[out] out the sampler, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_new_default(mullama_sampler_t **out);

/**
 * Copies a chain with all its state: both go on alike.
 *
 * @param sampler the sampler.
 * @param[out] out the copy, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _BUSY or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_clone(mullama_sampler_t *sampler,
                                                   mullama_sampler_t **out);

/**
 * Gives a sampler back. One that is in use, by another thread or by a callback's caller, is left
 * to its user and never freed.
 *
 * @param sampler the sampler, or NULL.
 */
MULLAMA_API void mullama_sampler_free(mullama_sampler_t *sampler);

/**
 * Adds a stage at the end of the chain, its parameters at their defaults.
 *
 * @param sampler the sampler.
 * @param name the stage's name.
 * @param name_size the name's length in bytes.
 * @param[out] stage its index in the chain; may be NULL.
 * @return NULL, or MULLAMA_ERROR_NOT_FOUND (the message lists the names), _INVALID_STATE (after a
 *         stage that selects), _INVALID_ARGUMENT, _BUSY or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_add(mullama_sampler_t *sampler, const char *name,
                                                 size_t name_size, size_t *stage);

/**
 * Sets a whole number. The stage's state starts afresh.
 *
 * @param sampler the sampler.
 * @param stage the stage's index in the chain.
 * @param parameter the parameter's name.
 * @param parameter_size the name's length in bytes.
 * @param value the number.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _NOT_FOUND, _INVALID_ARGUMENT (another type) or
 * _BUSY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_set_int(mullama_sampler_t *sampler, size_t stage,
                                                     const char *parameter, size_t parameter_size,
                                                     int64_t value);

/**
 * Sets a real number. The stage's state starts afresh.
 *
 * @param sampler the sampler.
 * @param stage the stage's index in the chain.
 * @param parameter the parameter's name.
 * @param parameter_size the name's length in bytes.
 * @param value the number; not a NaN.
 * @return as mullama_sampler_set_int().
 */
MULLAMA_API mullama_error_t *mullama_sampler_set_float(mullama_sampler_t *sampler, size_t stage,
                                                       const char *parameter, size_t parameter_size,
                                                       double value);

/**
 * Sets true or false. The stage's state starts afresh.
 *
 * @param sampler the sampler.
 * @param stage the stage's index in the chain.
 * @param parameter the parameter's name.
 * @param parameter_size the name's length in bytes.
 * @param value the truth value.
 * @return as mullama_sampler_set_int().
 */
MULLAMA_API mullama_error_t *mullama_sampler_set_bool(mullama_sampler_t *sampler, size_t stage,
                                                      const char *parameter, size_t parameter_size,
                                                      bool value);

/**
 * Counts the stages of a chain.
 *
 * @param sampler the sampler, or NULL.
 * @return how many there are.
 */
MULLAMA_API size_t mullama_sampler_count(const mullama_sampler_t *sampler);

/**
 * A stage's name.
 *
 * @param sampler the sampler, or NULL.
 * @param stage the stage's index in the chain.
 * @return its name; static; NULL for an index outside the chain.
 */
MULLAMA_API const char *mullama_sampler_stage_name(const mullama_sampler_t *sampler, size_t stage);

/**
 * Runs the chain over logits, selects a token and accepts it. A chain without a stage that selects
 * takes the likeliest of what is left.
 *
 * @param sampler the sampler.
 * @param logits one number for each token of the vocabulary; not changed. -INFINITY rules a token
 *               out.
 * @param count how many there are, 1 to INT32_MAX.
 * @param[out] token the token.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT (also for a logit that is NaN or +INFINITY, whose
 *         index is the offset, and for logits that rule out every token), _OUT_OF_RANGE, _BUSY or
 *         _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_sample(mullama_sampler_t *sampler, const float *logits,
                                                    size_t count, mullama_token_t *token);

/**
 * Runs the chain over the logits that a context holds.
 *
 * @param sampler the sampler.
 * @param context the context.
 * @param index whose logits, as mullama_context_logits().
 * @param[out] token the token.
 * @return as mullama_sampler_sample() and mullama_context_logits().
 */
MULLAMA_API mullama_error_t *mullama_sampler_sample_context(mullama_sampler_t *sampler,
                                                            mullama_context_t *context,
                                                            int32_t index, mullama_token_t *token);

/**
 * Tells the stages of a token that they did not select, such as one of the prompt's.
 *
 * @param sampler the sampler.
 * @param token the token.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _OUT_OF_RANGE (negative) or _BUSY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_accept(mullama_sampler_t *sampler,
                                                    mullama_token_t token);

/**
 * Puts history and random state back to the beginning: a seeded chain then repeats itself.
 *
 * @param sampler the sampler.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_BUSY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_reset(mullama_sampler_t *sampler);

/**
 * Counts the rows of the table of stages.
 *
 * @return how many kinds of stage this library has.
 */
MULLAMA_API size_t mullama_sampler_stage_count(void);

/**
 * Fills a stage description with zeros.
 *
 * @param[out] info the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_stage_info_t) as the caller knows it.
 */
MULLAMA_API void mullama_stage_info_init(mullama_stage_info_t *info, size_t struct_size);

/**
 * A row of the table of stages.
 *
 * @param row 0 <= row < mullama_sampler_stage_count().
 * @param[in,out] info a struct that mullama_stage_info_init() filled.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_sampler_get_stage(size_t row, mullama_stage_info_t *info);

/**
 * Fills a parameter description with zeros.
 *
 * @param[out] info the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_parameter_info_t) as the caller knows it.
 */
MULLAMA_API void mullama_parameter_info_init(mullama_parameter_info_t *info, size_t struct_size);

/**
 * A parameter of a row of the table.
 *
 * @param row 0 <= row < mullama_sampler_stage_count().
 * @param parameter 0 <= parameter < the row's parameter_count.
 * @param[in,out] info a struct that mullama_parameter_info_init() filled.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_sampler_get_parameter(size_t row, size_t parameter,
                                                           mullama_parameter_info_t *info);

#ifdef __cplusplus
}
#endif

#endif

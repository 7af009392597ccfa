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

#include "mullama/candidates.h"
#include "mullama/context.h"
#include "mullama/error.h"
#include "mullama/model.h"

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
    MULLAMA_PARAMETER_BOOL = 2,
    /** A text: mullama_sampler_set_text(). */
    MULLAMA_PARAMETER_TEXT = 3,
    /** A list of texts: mullama_sampler_set_texts(). */
    MULLAMA_PARAMETER_TEXTS = 4,
    /** A number for each of some tokens: mullama_sampler_set_biases(). */
    MULLAMA_PARAMETER_BIASES = 5
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
    /** Whether it needs a model's vocabulary: mullama_sampler_set_model(). */
    bool needs_model;
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
    /** The value it has unless set; 0 and 1 for false and true. Whole numbers are exact. 0 for what
     * is no number: a stage that was just added shows what it begins with. */
    double default_value;
    /** The least value allowed; of biases, the least bias. */
    double min_value;
    /** The greatest value allowed; of texts, the most bytes. */
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
 * Makes a chain by the name of a preset, such as "precise"; mullama_sampler_get_preset() lists
 * them.
 *
 * @param name the preset's name.
 * @param name_size the name's length in bytes.
 * @param model whose recommendation the preset "model" follows, and which the chain is then for;
 * may be NULL for the other presets.
 * @param[out] out the sampler, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_NOT_FOUND (no such preset: the message lists the names; or a model
 *         whose file recommends nothing), _BAD_MODEL (a recommendation that makes no sense; the
 *         parameter is its key), _INVALID_ARGUMENT, _FORKED or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_new_preset(const char *name, size_t name_size,
                                                        const mullama_model_t *model,
                                                        mullama_sampler_t **out);

/**
 * Copies a chain with all its state: both go on alike.
 *
 * @param sampler the sampler.
 * @param[out] out the copy, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _UNSUPPORTED (a custom stage that cannot be
 *         copied), _CANCELLED (one whose callback failed), _BUSY or _OUT_OF_MEMORY.
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
 * Adds a stage in front of another, its parameters at their defaults. The other stages keep their
 * state.
 *
 * @param sampler the sampler.
 * @param index where it will stand: 0 <= index <= mullama_sampler_count().
 * @param name the stage's name.
 * @param name_size the name's length in bytes.
 * @return NULL, or MULLAMA_ERROR_NOT_FOUND (the message lists the names), _OUT_OF_RANGE,
 *         _INVALID_STATE (after a stage that selects, or one that selects before others),
 *         _INVALID_ARGUMENT, _BUSY or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_insert(mullama_sampler_t *sampler, size_t index,
                                                    const char *name, size_t name_size);

/**
 * Finds the first stage of a name, or adds one where it serves best: in the order of the table,
 * and one that selects in place of the one that did. What turns a flat list of settings into a
 * chain.
 *
 * @param sampler the sampler.
 * @param name the stage's name.
 * @param name_size the name's length in bytes.
 * @param[out] stage its index in the chain; may be NULL.
 * @return NULL, or MULLAMA_ERROR_NOT_FOUND (the message lists the names), _INVALID_ARGUMENT, _BUSY
 *         or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_ensure(mullama_sampler_t *sampler, const char *name,
                                                    size_t name_size, size_t *stage);

/**
 * Takes a stage out. The others keep their state; those behind it move up.
 *
 * @param sampler the sampler.
 * @param stage the stage's index in the chain.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _INVALID_ARGUMENT or _BUSY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_remove(mullama_sampler_t *sampler, size_t stage);

/**
 * Says which model's tokens the chain is about. Stages that need a vocabulary (needs_model in the
 * table) do not work without; generating and sampling from a context do this by themselves the
 * first time. The chain keeps the model alive. The state of those stages starts afresh.
 *
 * @param sampler the sampler.
 * @param model the model, or NULL for none.
 * @return NULL, or MULLAMA_ERROR_UNSUPPORTED (a model without what a stage needs of it),
 *         _INVALID_ARGUMENT (a parameter that does not fit the model), _FORKED, _BUSY or
 *         _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_set_model(mullama_sampler_t *sampler,
                                                       const mullama_model_t *model);

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
 * Sets a text. The stage's state starts afresh.
 *
 * @param sampler the sampler.
 * @param stage the stage's index in the chain.
 * @param parameter the parameter's name.
 * @param parameter_size the name's length in bytes.
 * @param text the text, UTF-8; copied.
 * @param text_size its length in bytes.
 * @return as mullama_sampler_set_int(), or MULLAMA_ERROR_INVALID_UTF8, _OUT_OF_MEMORY, or
 *         _INVALID_ARGUMENT with line and column for a text that is not what the stage reads.
 */
MULLAMA_API mullama_error_t *mullama_sampler_set_text(mullama_sampler_t *sampler, size_t stage,
                                                      const char *parameter, size_t parameter_size,
                                                      const char *text, size_t text_size);

/**
 * Sets a list of texts in place of what there was. The stage's state starts afresh.
 *
 * @param sampler the sampler.
 * @param stage the stage's index in the chain.
 * @param parameter the parameter's name.
 * @param parameter_size the name's length in bytes.
 * @param texts the texts, UTF-8; copied. None is empty.
 * @param text_sizes their lengths in bytes; NULL: they are NUL-terminated.
 * @param count how many there are; 0 empties the list.
 * @return as mullama_sampler_set_int(), or MULLAMA_ERROR_INVALID_UTF8 or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_set_texts(mullama_sampler_t *sampler, size_t stage,
                                                       const char *parameter, size_t parameter_size,
                                                       const char *const *texts,
                                                       const size_t *text_sizes, size_t count);

/**
 * Sets a number for each of some tokens, in place of what there was. The stage's state starts
 * afresh.
 *
 * @param sampler the sampler.
 * @param stage the stage's index in the chain.
 * @param parameter the parameter's name.
 * @param parameter_size the name's length in bytes.
 * @param tokens the tokens; copied. Those that come twice add up.
 * @param biases the number of each; copied. Not a NaN.
 * @param count how many there are; 0 empties the list.
 * @return as mullama_sampler_set_int(), the index of what is out of range being the offset, or
 *         MULLAMA_ERROR_OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_set_biases(mullama_sampler_t *sampler, size_t stage,
                                                        const char *parameter,
                                                        size_t parameter_size,
                                                        const mullama_token_t *tokens,
                                                        const float *biases, size_t count);

/**
 * Reads a number or a truth value (0 or 1).
 *
 * @param sampler the sampler.
 * @param stage the stage's index in the chain.
 * @param parameter the parameter's name.
 * @param parameter_size the name's length in bytes.
 * @param[out] value the number; whole ones are exact.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _NOT_FOUND, _INVALID_ARGUMENT (another type) or
 *         _BUSY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_get_number(mullama_sampler_t *sampler, size_t stage,
                                                        const char *parameter,
                                                        size_t parameter_size, double *value);

/**
 * Reads a text, or one of a list of texts.
 *
 * @param sampler the sampler.
 * @param stage the stage's index in the chain.
 * @param parameter the parameter's name.
 * @param parameter_size the name's length in bytes.
 * @param index which one of a list: 0 <= index < mullama_sampler_value_count(). 0 for a text.
 * @param[out] text the text, NUL-terminated; borrowed until the chain is changed or freed.
 * @param[out] text_size its length in bytes; may be NULL.
 * @return as mullama_sampler_get_number().
 */
MULLAMA_API mullama_error_t *mullama_sampler_get_text(mullama_sampler_t *sampler, size_t stage,
                                                      const char *parameter, size_t parameter_size,
                                                      size_t index, const char **text,
                                                      size_t *text_size);

/**
 * Reads one of a list of biases.
 *
 * @param sampler the sampler.
 * @param stage the stage's index in the chain.
 * @param parameter the parameter's name.
 * @param parameter_size the name's length in bytes.
 * @param index which one: 0 <= index < mullama_sampler_value_count().
 * @param[out] token the token.
 * @param[out] bias its number.
 * @return as mullama_sampler_get_number().
 */
MULLAMA_API mullama_error_t *mullama_sampler_get_bias(mullama_sampler_t *sampler, size_t stage,
                                                      const char *parameter, size_t parameter_size,
                                                      size_t index, mullama_token_t *token,
                                                      float *bias);

/**
 * Counts the values that a parameter has: the length of a list, 1 of anything else.
 *
 * @param sampler the sampler.
 * @param stage the stage's index in the chain.
 * @param parameter the parameter's name.
 * @param parameter_size the name's length in bytes.
 * @param[out] count how many there are.
 * @return as mullama_sampler_get_number().
 */
MULLAMA_API mullama_error_t *mullama_sampler_value_count(mullama_sampler_t *sampler, size_t stage,
                                                         const char *parameter,
                                                         size_t parameter_size, size_t *count);

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
 * @return its name; borrowed until the stage is taken out or the chain freed; NULL for an index
 *         outside the chain.
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
 *         index is the offset, and for logits that rule out every token, or stages that do),
 *         _OUT_OF_RANGE, _INVALID_STATE (a stage needs a model), _CANCELLED (a custom stage's
 *         callback failed), _BUSY or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_sample(mullama_sampler_t *sampler, const float *logits,
                                                    size_t count, mullama_token_t *token);

/**
 * Runs the chain over the logits that a context holds. Stages that need a model take the context's,
 * unless they have one.
 *
 * @param sampler the sampler.
 * @param context the context.
 * @param index whose logits, as mullama_context_logits().
 * @param[out] token the token.
 * @return as mullama_sampler_sample(), mullama_context_logits() and mullama_sampler_set_model(), or
 *         MULLAMA_ERROR_INVALID_ARGUMENT for a sampler whose stages have another model.
 */
MULLAMA_API mullama_error_t *mullama_sampler_sample_context(mullama_sampler_t *sampler,
                                                            mullama_context_t *context,
                                                            int32_t index, mullama_token_t *token);

/**
 * Runs the chain over candidates of the caller's own: it narrows and reshapes them, and selects one
 * where the chain ends with a stage that selects. Nothing is accepted.
 *
 * @param sampler the sampler.
 * @param candidates the candidates; after an error, what the stages before it left.
 * @return as mullama_sampler_sample(), or MULLAMA_ERROR_INVALID_STATE (candidates never filled).
 */
MULLAMA_API mullama_error_t *mullama_sampler_apply(mullama_sampler_t *sampler,
                                                   mullama_candidates_t *candidates);

/**
 * Tells the stages of a token that was generated, though they did not select it: one that the
 * caller put there, or that mullama_sampler_apply() led to.
 *
 * @param sampler the sampler.
 * @param token the token.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT (also for a token that a stage's grammar does not
 *         allow here; nothing is accepted), _OUT_OF_RANGE (negative), _BUSY or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_accept(mullama_sampler_t *sampler,
                                                    mullama_token_t token);

/**
 * Tells the stages of a prompt's tokens: those that look at what came before count them, those that
 * follow what is generated do not.
 *
 * @param sampler the sampler.
 * @param tokens the tokens.
 * @param count how many there are.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _OUT_OF_RANGE (negative; its index is the
 *         offset), _BUSY or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_accept_prompt(mullama_sampler_t *sampler,
                                                           const mullama_token_t *tokens,
                                                           size_t count);

/**
 * Puts history and random state back to the beginning: a seeded chain then repeats itself.
 *
 * @param sampler the sampler.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_BUSY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_reset(mullama_sampler_t *sampler);

/** What a custom stage does. Each function gets user_data, and runs on the thread that uses the
 * chain; meanwhile, calls on the sampler are refused with MULLAMA_ERROR_BUSY. None may throw. */
typedef struct mullama_custom_stage {
    /** sizeof(mullama_custom_stage_t), set by mullama_custom_stage_init(). */
    size_t struct_size;
    /** Its name in the chain and in messages: text, NUL-terminated, copied. Default "custom". */
    const char *name;
    /** Whether it selects the token, with mullama_candidates_select(): it then ends the chain.
     * Default false. */
    bool selects;
    /** Narrows or reshapes the candidates, which are valid during the call. False stops the call
     * that is under way with MULLAMA_ERROR_CANCELLED. Required. */
    bool (*apply)(mullama_candidates_t *candidates, void *user_data);
    /** Hears of a generated token; NULL: of none. */
    void (*accept)(mullama_token_t token, void *user_data);
    /** Hears of a prompt's token; NULL: of none. */
    void (*accept_prompt)(mullama_token_t token, void *user_data);
    /** Goes back to the beginning; NULL: there is no state. */
    void (*reset)(void *user_data);
    /** Makes user_data for a copy of the chain; false: it failed. NULL: copies share user_data, or,
     * if there is a release, the chain cannot be copied. */
    bool (*clone)(void *user_data, void **copy);
    /** Gives user_data back when the stage is gone, also when adding it fails; NULL: the caller
     * does. */
    void (*release)(void *user_data);
    /** Handed to each of them. */
    void *user_data;
} mullama_custom_stage_t;

/**
 * Fills a custom stage with its defaults.
 *
 * @param[out] stage the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_custom_stage_t) as the caller knows it.
 */
MULLAMA_API void mullama_custom_stage_init(mullama_custom_stage_t *stage, size_t struct_size);

/**
 * Adds a stage of the caller's own in front of another.
 *
 * @param sampler the sampler.
 * @param index where it will stand: 0 <= index <= mullama_sampler_count().
 * @param stage what it does; copied.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _INVALID_STATE (after a stage that selects, or one
 *         that selects before others), _INVALID_ARGUMENT, _INVALID_UTF8, _BUSY or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_sampler_insert_custom(mullama_sampler_t *sampler, size_t index,
                                                           const mullama_custom_stage_t *stage);

/** A preset. Strings are static. */
typedef struct mullama_preset_info {
    /** sizeof(mullama_preset_info_t), set by mullama_preset_info_init(). */
    size_t struct_size;
    /** The name, for example "precise". */
    const char *name;
    /** What it is for, in one sentence. */
    const char *description;
    /** Whether it follows a model's recommendation. */
    bool needs_model;
} mullama_preset_info_t;

/**
 * Counts the presets.
 *
 * @return how many there are.
 */
MULLAMA_API size_t mullama_sampler_preset_count(void);

/**
 * Fills a preset description with zeros.
 *
 * @param[out] info the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_preset_info_t) as the caller knows it.
 */
MULLAMA_API void mullama_preset_info_init(mullama_preset_info_t *info, size_t struct_size);

/**
 * A preset.
 *
 * @param row 0 <= row < mullama_sampler_preset_count().
 * @param[in,out] info a struct that mullama_preset_info_init() filled.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_sampler_get_preset(size_t row, mullama_preset_info_t *info);

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

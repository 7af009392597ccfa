/**
 * @file adapter.h
 * Adapters: LoRAs and control vectors, which change what a model computes without changing the
 * model. An adapter is loaded for one model, and applied to contexts of it, each time with a scale.
 *
 * Thread safety: a loaded adapter may be used from any number of threads and contexts at once.
 */
#ifndef MULLAMA_ADAPTER_H
#define MULLAMA_ADAPTER_H

#include "mullama/context.h"
#include "mullama/error.h"
#include "mullama/model.h"
#include "mullama/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A loaded adapter; reference-counted. */
typedef struct mullama_adapter mullama_adapter_t;

/** What an adapter is. Values are stable; new ones are added at the end. */
typedef enum mullama_adapter_kind {
    /** Low-rank matrices that are added to the model's own. */
    MULLAMA_ADAPTER_LORA = 0,
    /** Directions that are added to what layers give out. */
    MULLAMA_ADAPTER_CONTROL_VECTOR = 1
} mullama_adapter_kind_t;

/** How an adapter is loaded. */
typedef struct mullama_adapter_options {
    /** sizeof(mullama_adapter_options_t), set by mullama_adapter_options_init(). */
    size_t struct_size;
    /** Of a control vector, the first layer to change, counted from 0; layer 0 cannot be changed.
     * 0, the default: the first that it has a direction for. Must be 0 for a LoRA. */
    int32_t layer_first;
    /** Of a control vector, the last layer to change, itself included; 0, the default: the last
     * that it has a direction for. Must be 0 for a LoRA. */
    int32_t layer_last;
    /** Look at every weight of a LoRA for values that are infinite or not numbers; of a control
     * vector they always are looked at. */
    bool check_tensors;
} mullama_adapter_options_t;

/** An adapter's sizes. */
typedef struct mullama_adapter_info {
    /** sizeof(mullama_adapter_info_t), set by mullama_adapter_info_init(). */
    size_t struct_size;
    /** What it is. */
    mullama_adapter_kind_t kind;
    /** A LoRA's alpha: a scale counts as scale * alpha / rank, and as itself where alpha is 0. */
    float alpha;
    /** A LoRA's rank; the largest where it has several. 0 for a control vector. */
    uint32_t rank;
    /** The first layer that it changes, counted from 0; -1 where it changes none but what lies
     * outside of them. */
    int32_t layer_first;
    /** The last layer that it changes; -1 as above. */
    int32_t layer_last;
    /** The tensors in use: two for each matrix that a LoRA changes, one for each direction. */
    size_t n_tensors;
    /** The bytes of these tensors. */
    uint64_t size_bytes;
} mullama_adapter_info_t;

/**
 * Fills adapter options with their defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_adapter_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_adapter_options_init(mullama_adapter_options_t *options,
                                              size_t struct_size);

/**
 * Loads an adapter from a GGUF file: a LoRA (as llama.cpp's convert_lora_to_gguf.py writes it) or a
 * control vector (as its cvector-generator does); the file says which.
 *
 * All that the file says is held against the model before the engine sees it
 * (docs/model-files.md).
 *
 * @param model the model that it is for; kept alive by the adapter.
 * @param path the file's path, UTF-8.
 * @param path_size its length in bytes.
 * @param options how; NULL for the defaults.
 * @param[out] out the adapter, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_NOT_FOUND, _PERMISSION, _IO, _BAD_FILE, _BAD_MODEL (it lacks
 *         something, or does not fit the model: the parameter is the key or the tensor),
 *         _UNSUPPORTED (a model without weights, one that cannot be changed in this way, a file
 * that is no adapter), _NO_SPACE (the runtime's memory budget), _ENGINE, _OUT_OF_MEMORY,
 *         _OUT_OF_RANGE (the layers), _INVALID_UTF8 or _INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_adapter_load(mullama_model_t *model, const char *path,
                                                  size_t path_size,
                                                  const mullama_adapter_options_t *options,
                                                  mullama_adapter_t **out);

/**
 * Takes one more reference.
 *
 * @param adapter the adapter, or NULL.
 * @return the same adapter; each reference is given back with mullama_adapter_free().
 */
MULLAMA_API mullama_adapter_t *mullama_adapter_retain(mullama_adapter_t *adapter);

/**
 * Gives one reference back; the last one frees the adapter. Contexts hold references of their own.
 * It may wait for another thread that loads an adapter for the same model, makes a context of it,
 * or runs the first decode after its adapters changed.
 *
 * @param adapter the adapter, or NULL.
 */
MULLAMA_API void mullama_adapter_free(mullama_adapter_t *adapter);

/**
 * Fills an adapter description with zeros.
 *
 * @param[out] info the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_adapter_info_t) as the caller knows it.
 */
MULLAMA_API void mullama_adapter_info_init(mullama_adapter_info_t *info, size_t struct_size);

/**
 * An adapter's kind and sizes.
 *
 * @param adapter the adapter.
 * @param[in,out] info a struct that mullama_adapter_info_init() filled.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_adapter_get_info(const mullama_adapter_t *adapter,
                                                      mullama_adapter_info_t *info);

/**
 * What its file calls it (the key general.name).
 *
 * @param adapter the adapter, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return bytes, NUL-terminated, borrowed from the adapter; "" for NULL, or where it has no name.
 */
MULLAMA_API const char *mullama_adapter_name(const mullama_adapter_t *adapter, size_t *size);

/**
 * What its file says about it (the key general.description).
 *
 * @param adapter the adapter, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return bytes, NUL-terminated, borrowed from the adapter; "" for NULL, or where it says nothing.
 */
MULLAMA_API const char *mullama_adapter_description(const mullama_adapter_t *adapter, size_t *size);

/**
 * A fingerprint of the content, as mullama_model_fingerprint(), and of the layers that the options
 * chose: whether two adapters do the same to the same model.
 *
 * @param adapter the adapter, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return 32 hexadecimal digits; borrowed from the adapter; "" for NULL.
 */
MULLAMA_API const char *mullama_adapter_fingerprint(const mullama_adapter_t *adapter, size_t *size);

/**
 * The tokens that an activated LoRA (aLoRA) waits for: it is meant to be applied from the last
 * occurrence of this sequence on, and not before. Nothing does so by itself: prefill what comes
 * before, set the adapters, prefill the rest.
 *
 * @param adapter the adapter, or NULL.
 * @param[out] count how many tokens there are; may be NULL.
 * @return the tokens, borrowed from the adapter; NULL, and a count of 0, for all other adapters.
 */
MULLAMA_API const mullama_token_t *
mullama_adapter_invocation_tokens(const mullama_adapter_t *adapter, size_t *count);

/**
 * Counts the metadata's keys.
 *
 * @param adapter the adapter, or NULL.
 * @return how many there are.
 */
MULLAMA_API size_t mullama_adapter_metadata_count(const mullama_adapter_t *adapter);

/**
 * One key of the metadata, in the file's order.
 *
 * @param adapter the adapter.
 * @param index 0 <= index < mullama_adapter_metadata_count().
 * @param[in,out] entry a struct that mullama_metadata_entry_init() filled.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_OUT_OF_RANGE.
 */
MULLAMA_API mullama_error_t *mullama_adapter_get_metadata(const mullama_adapter_t *adapter,
                                                          size_t index,
                                                          mullama_metadata_entry_t *entry);

/**
 * Finds a key.
 *
 * @param adapter the adapter.
 * @param key the key, for example "general.name".
 * @param key_size its length in bytes.
 * @param[out] index what the other metadata functions take.
 * @return NULL, or MULLAMA_ERROR_NOT_FOUND or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_adapter_find_metadata(const mullama_adapter_t *adapter,
                                                           const char *key, size_t key_size,
                                                           size_t *index);

/**
 * An element as a whole number.
 *
 * @param adapter the adapter.
 * @param index the key's index.
 * @param element which element of an array; 0 for a scalar.
 * @param[out] value the number.
 * @return as mullama_model_metadata_int().
 */
MULLAMA_API mullama_error_t *mullama_adapter_metadata_int(const mullama_adapter_t *adapter,
                                                          size_t index, size_t element,
                                                          int64_t *value);

/**
 * An element as a floating-point number; whole numbers convert.
 *
 * @param adapter the adapter.
 * @param index the key's index.
 * @param element which element of an array; 0 for a scalar.
 * @param[out] value the number.
 * @return as mullama_model_metadata_float().
 */
MULLAMA_API mullama_error_t *mullama_adapter_metadata_float(const mullama_adapter_t *adapter,
                                                            size_t index, size_t element,
                                                            double *value);

/**
 * An element as true or false.
 *
 * @param adapter the adapter.
 * @param index the key's index.
 * @param element which element of an array; 0 for a scalar.
 * @param[out] value the truth value.
 * @return as mullama_model_metadata_bool().
 */
MULLAMA_API mullama_error_t *mullama_adapter_metadata_bool(const mullama_adapter_t *adapter,
                                                           size_t index, size_t element,
                                                           bool *value);

/**
 * An element that is a string.
 *
 * @param adapter the adapter.
 * @param index the key's index.
 * @param element which element of an array; 0 for a scalar.
 * @param[out] text its bytes, NUL-terminated besides; borrowed from the adapter.
 * @param[out] size how many there are.
 * @return as mullama_model_metadata_string().
 */
MULLAMA_API mullama_error_t *mullama_adapter_metadata_string(const mullama_adapter_t *adapter,
                                                             size_t index, size_t element,
                                                             const char **text, size_t *size);

/**
 * A value as text to show, as mullama_model_metadata_format() writes it.
 *
 * @param adapter the adapter.
 * @param index the key's index.
 * @param max_elements how many elements of an array to write before "..."; 0: all.
 * @param[out] out the text, owned by the caller; valid JSON unless cut short.
 * @return as mullama_model_metadata_format().
 */
MULLAMA_API mullama_error_t *mullama_adapter_metadata_format(const mullama_adapter_t *adapter,
                                                             size_t index, size_t max_elements,
                                                             mullama_text_t **out);

/**
 * Replaces all adapters of a context, LoRAs and control vectors alike. What is decoded from now on
 * is computed with them, whichever sequence it belongs to.
 *
 * Tokens that the context holds stay as they were computed: a text that is to be seen through the
 * new adapters from its beginning has to be decoded again. So do logits that were kept.
 *
 * A change, of a scale alone too, makes the engine plan anew at the next decode, which costs about
 * as much as making a context; setting again what is set costs nothing.
 *
 * @param context the context; it keeps the adapters alive.
 * @param adapters the adapters, each at most once; what control vectors add is summed.
 * @param scales how strongly each is applied: finite, 0 for not at all; negative ones push the
 * other way.
 * @param count how many there are; 0 removes all.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT (an adapter that is NULL, another model's, or
 *         listed twice: the offset is its index), _OUT_OF_RANGE (a scale: the offset is its index),
 *         _UNSUPPORTED (more adapters at once than the engine can take for this model), _BUSY,
 *         _FORKED, _ENGINE or _OUT_OF_MEMORY. On failure the adapters are those of before.
 */
MULLAMA_API mullama_error_t *mullama_context_set_adapters(mullama_context_t *context,
                                                          mullama_adapter_t *const *adapters,
                                                          const float *scales, size_t count);

/**
 * Counts the adapters of a context.
 *
 * @param context the context.
 * @param[out] count how many there are, those with a scale of 0 included.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_adapter_count(mullama_context_t *context,
                                                           size_t *count);

/**
 * One of a context's adapters, in the order in which they were set.
 *
 * @param context the context.
 * @param index 0 <= index < mullama_context_adapter_count().
 * @param[out] adapter the adapter, borrowed until the context's adapters change or it is freed;
 *             mullama_adapter_retain() keeps it longer.
 * @param[out] scale its scale.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE, _INVALID_ARGUMENT, _BUSY or _FORKED.
 */
MULLAMA_API mullama_error_t *mullama_context_get_adapter(mullama_context_t *context, size_t index,
                                                         mullama_adapter_t **adapter, float *scale);

#ifdef __cplusplus
}
#endif

#endif

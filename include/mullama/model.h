/**
 * @file model.h
 * Models: weights, vocabulary, chat template and metadata, immutable once loaded.
 *
 * Thread safety: a loaded model may be used from any number of threads and contexts at once.
 */
#ifndef MULLAMA_MODEL_H
#define MULLAMA_MODEL_H

#include "mullama/error.h"
#include "mullama/runtime.h"
#include "mullama/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A loaded model; reference-counted. */
typedef struct mullama_model mullama_model_t;

/** How weights come from the disk into memory. Values are stable; new ones are added at the end. */
typedef enum mullama_load_mode {
    /** The engine's choice for the devices in use; mullama_model_info_t.load_mode says which. */
    MULLAMA_LOAD_MODE_AUTO = 0,
    /** Read into memory of our own. */
    MULLAMA_LOAD_MODE_READ = 1,
    /** Mapped: shared between processes, paged in on demand. */
    MULLAMA_LOAD_MODE_MMAP = 2,
    /** Read, and kept from being swapped out. */
    MULLAMA_LOAD_MODE_MLOCK = 3,
    /** Mapped, and kept from being paged out. */
    MULLAMA_LOAD_MODE_MMAP_MLOCK = 4,
    /** Read past the system's page cache. */
    MULLAMA_LOAD_MODE_DIRECT = 5
} mullama_load_mode_t;

/** How a model is spread over several GPUs. Values are stable; new ones are added at the end. */
typedef enum mullama_split_mode {
    /** One GPU, main_gpu. */
    MULLAMA_SPLIT_MODE_NONE = 0,
    /** Whole layers and their KV cache on each. */
    MULLAMA_SPLIT_MODE_LAYER = 1,
    /** The rows of each matrix on each. */
    MULLAMA_SPLIT_MODE_ROW = 2,
    /** Tensor parallel. */
    MULLAMA_SPLIT_MODE_TENSOR = 3
} mullama_split_mode_t;

/**
 * Hears how far a long operation has come, and can stop it.
 *
 * @param progress 0 to 1, never falling.
 * @param user_data what it was registered with.
 * @return true to go on, false to cancel: the operation then ends with MULLAMA_ERROR_CANCELLED.
 */
typedef bool (*mullama_progress_fn)(float progress, void *user_data);

/** How a model is loaded. */
typedef struct mullama_model_options {
    /** sizeof(mullama_model_options_t), set by mullama_model_options_init(). */
    size_t struct_size;
    /** The runtime to use; NULL for the default one. The model keeps it alive. */
    mullama_runtime_t *runtime;
    /** The engine: "llama" (llama.cpp), or "echo", a deterministic one with no weights, for tests;
     * it takes no path. NULL: "llama". */
    const char *backend;
    /** Layers to keep in the memory of GPUs; -1, the default: all of them. */
    int32_t n_gpu_layers;
    /** How to spread over several GPUs; default MULLAMA_SPLIT_MODE_LAYER. */
    mullama_split_mode_t split_mode;
    /** The GPU for MULLAMA_SPLIT_MODE_NONE, counted among the devices in use; default 0. */
    int32_t main_gpu;
    /** Shares of the model for each GPU, of any sum above 0; NULL: by free memory. */
    const float *tensor_split;
    /** How many tensor_split has. */
    size_t tensor_split_count;
    /** Names of the devices to use, as mullama_device_info_t.name has them; NULL: all available. */
    const char *const *devices;
    /** How many devices has; 0 with a non-NULL devices: only the CPU. */
    size_t devices_count;
    /** How weights come from the disk; default MULLAMA_LOAD_MODE_AUTO. */
    mullama_load_mode_t load_mode;
    /** Load the vocabulary and the metadata, no weights; such a model makes no contexts. */
    bool vocab_only;
    /** Look at every weight for values that are infinite or not numbers; reads all of the file. */
    bool check_tensors;
    /** Let the engine keep weights in layouts that suit this CPU; default true. */
    bool repack;
    /** Metadata to change before the model is built, each "key=type:value" with the type int,
     * float, bool or str. Key and string value take at most 127 bytes each. */
    const char *const *metadata_overrides;
    /** How many metadata_overrides has. */
    size_t metadata_overrides_count;
    /** A `mullama` program that is asked to load the model in a process of its own first, so that a
     * file on which the engine would abort does not take this process along; NULL, the default:
     * none. Costs one more load. UTF-8 path. */
    const char *probe_program;
    /** Hears how far it is, on the calling thread; NULL: nobody. */
    mullama_progress_fn progress;
    /** Handed to progress. */
    void *progress_user_data;
} mullama_model_options_t;

/** How text becomes tokens. Values are stable; new ones are added at the end. */
typedef enum mullama_vocab_type {
    /** No vocabulary. */
    MULLAMA_VOCAB_NONE = 0,
    /** SentencePiece byte-pair encoding with byte fallback (Llama 2). */
    MULLAMA_VOCAB_SPM = 1,
    /** Byte-level byte-pair encoding (GPT-2, Llama 3, Qwen). */
    MULLAMA_VOCAB_BPE = 2,
    /** WordPiece (BERT). */
    MULLAMA_VOCAB_WPM = 3,
    /** Unigram (T5). */
    MULLAMA_VOCAB_UGM = 4,
    /** Greedy longest match (RWKV). */
    MULLAMA_VOCAB_RWKV = 5,
    /** Cheapest segmentation over an Aho-Corasick automaton (PLaMo-2). */
    MULLAMA_VOCAB_PLAMO2 = 6,
    /** One token a byte: the echo engine's. */
    MULLAMA_VOCAB_BYTES = 7
} mullama_vocab_type_t;

/** What a model can do: bits of mullama_model_info_t.capabilities. */
typedef enum mullama_capability {
    /** It generates text. */
    MULLAMA_CAPABILITY_DECODER = 1,
    /** It has an encoder. */
    MULLAMA_CAPABILITY_ENCODER = 2,
    /** It was made for embeddings: its file names a pooling. */
    MULLAMA_CAPABILITY_EMBEDDING = 4,
    /** It scores pairs of texts. */
    MULLAMA_CAPABILITY_RERANK = 8,
    /** It keeps a state of fixed size instead of a KV cache. */
    MULLAMA_CAPABILITY_RECURRENT = 16,
    /** It has both recurrent and attention layers. */
    MULLAMA_CAPABILITY_HYBRID = 32,
    /** Some of its layers attend to a sliding window only. */
    MULLAMA_CAPABILITY_SLIDING_WINDOW = 64,
    /** It brings a chat template. */
    MULLAMA_CAPABILITY_CHAT_TEMPLATE = 128,
    /** Its feed-forward layers are mixtures of experts. */
    MULLAMA_CAPABILITY_EXPERTS = 256,
    /** It denoises whole blocks of text. */
    MULLAMA_CAPABILITY_DIFFUSION = 512
} mullama_capability_t;

/** How token embeddings become one vector. Values are stable; new ones are added at the end. */
typedef enum mullama_pooling {
    /** Whatever the model's file says; none where it says nothing. */
    MULLAMA_POOLING_DEFAULT = 0,
    /** One vector for each token. */
    MULLAMA_POOLING_NONE = 1,
    /** Their mean. */
    MULLAMA_POOLING_MEAN = 2,
    /** The first token's. */
    MULLAMA_POOLING_CLS = 3,
    /** The last token's. */
    MULLAMA_POOLING_LAST = 4,
    /** The classifier's scores. */
    MULLAMA_POOLING_RANK = 5
} mullama_pooling_t;

/** A model's sizes and abilities. */
typedef struct mullama_model_info {
    /** sizeof(mullama_model_info_t), set by mullama_model_info_init(). */
    size_t struct_size;
    /** How many weights it has. */
    uint64_t n_params;
    /** The bytes of all its tensors. */
    uint64_t size_bytes;
    /** MULLAMA_CAPABILITY_* bits. */
    uint64_t capabilities;
    /** How its text becomes tokens. */
    mullama_vocab_type_t vocab_type;
    /** How its file wants embeddings pooled; MULLAMA_POOLING_NONE where it says nothing. */
    mullama_pooling_t pooling;
    /** How its weights came into memory. */
    mullama_load_mode_t load_mode;
    /** The tokens it knows. */
    int32_t n_vocab;
    /** The context length, in tokens, that it was trained for. */
    int32_t n_ctx_train;
    /** The width of its hidden states. */
    int32_t n_embd;
    /** The length of an embedding it gives. */
    int32_t n_embd_out;
    /** Its layers. */
    int32_t n_layer;
    /** Its attention heads (in the first layer that has any). */
    int32_t n_head;
    /** Its key and value heads (in the first layer that has any). */
    int32_t n_head_kv;
    /** Its experts; 0 where it has none. */
    int32_t n_expert;
    /** The tokens that its sliding window covers; 0 where it has none. */
    int32_t n_swa;
    /** The scores that a reranker or classifier gives; 0 for others. */
    int32_t n_cls_out;
    /** Its layers, output included, in the memory of GPUs. */
    int32_t n_gpu_layers;
    /** The width of the embeddings that it takes in place of tokens; 0 where it takes tokens only:
     * models with an encoder, of M-RoPE, and some whose layers look at the tokens. */
    int32_t n_embd_inp;
} mullama_model_info_t;

/** What a metadata value is; the numbers are GGUF's own. */
typedef enum mullama_metadata_type {
    /** 8 bits, unsigned. */
    MULLAMA_METADATA_UINT8 = 0,
    /** 8 bits, signed. */
    MULLAMA_METADATA_INT8 = 1,
    /** 16 bits, unsigned. */
    MULLAMA_METADATA_UINT16 = 2,
    /** 16 bits, signed. */
    MULLAMA_METADATA_INT16 = 3,
    /** 32 bits, unsigned. */
    MULLAMA_METADATA_UINT32 = 4,
    /** 32 bits, signed. */
    MULLAMA_METADATA_INT32 = 5,
    /** 32 bits, floating point. */
    MULLAMA_METADATA_FLOAT32 = 6,
    /** True or false. */
    MULLAMA_METADATA_BOOL = 7,
    /** Text, or bytes: GGUF does not promise UTF-8. */
    MULLAMA_METADATA_STRING = 8,
    /** 64 bits, unsigned. */
    MULLAMA_METADATA_UINT64 = 10,
    /** 64 bits, signed. */
    MULLAMA_METADATA_INT64 = 11,
    /** 64 bits, floating point. */
    MULLAMA_METADATA_FLOAT64 = 12
} mullama_metadata_type_t;

/** One key of a model's or an adapter's metadata. */
typedef struct mullama_metadata_entry {
    /** sizeof(mullama_metadata_entry_t), set by mullama_metadata_entry_init(). */
    size_t struct_size;
    /** The key, borrowed from the model or the adapter. */
    const char *key;
    /** The key's length in bytes. */
    size_t key_size;
    /** What each element is. */
    mullama_metadata_type_t type;
    /** Whether the value is an array. */
    bool is_array;
    /** How many elements it has; 1 for a scalar. */
    size_t count;
} mullama_metadata_entry_t;

/** What a model and one context would take, in bytes. */
typedef struct mullama_memory_estimate {
    /** sizeof(mullama_memory_estimate_t), set by mullama_memory_estimate_init(). */
    size_t struct_size;
    /** Weights in main memory; mapped ones count, though the system can drop their pages. */
    uint64_t host_weights;
    /** KV cache and recurrent states in main memory. */
    uint64_t host_context;
    /** Work space in main memory. */
    uint64_t host_compute;
    /** Weights in the memory of GPUs. */
    uint64_t device_weights;
    /** KV cache and recurrent states in the memory of GPUs. */
    uint64_t device_context;
    /** Work space in the memory of GPUs. */
    uint64_t device_compute;
    /** All of the above. */
    uint64_t total;
    /** The context length that the figures are for, in tokens. */
    uint32_t n_ctx;
} mullama_memory_estimate_t;

struct mullama_context_options;

/**
 * Fills model options with their defaults.
 *
 * @param[out] options the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_model_options_t) as the caller knows it.
 */
MULLAMA_API void mullama_model_options_init(mullama_model_options_t *options, size_t struct_size);

/**
 * Loads a model from a GGUF file; of a split model, from its first part.
 *
 * The file is checked before the engine sees it, so that a broken one gives an error and not an
 * abort; docs/model-files.md says what that covers.
 *
 * @param path the file's path, UTF-8; the name needs no particular ending.
 * @param path_size its length in bytes.
 * @param options how; NULL for the defaults.
 * @param[out] out the model, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_NOT_FOUND (the file, or a device), _PERMISSION, _IO, _BAD_FILE,
 * _BAD_MODEL, _UNKNOWN_MODEL, _UNSUPPORTED (an engine that this build lacks, a file that goes with
 * a model instead of being one, what this system cannot do), _CANCELLED, _NO_SPACE (the runtime's
 * memory budget), _CRASHED, _ENGINE, _OUT_OF_MEMORY, _OUT_OF_RANGE, _INVALID_UTF8 or
 * _INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_model_load(const char *path, size_t path_size,
                                                const mullama_model_options_t *options,
                                                mullama_model_t **out);

/**
 * Loads a split model whose parts have names of their own.
 *
 * @param paths the parts in order, NUL-terminated UTF-8 paths.
 * @param paths_count how many there are, at least 1.
 * @param options how; NULL for the defaults.
 * @param[out] out the model, owned by the caller.
 * @return as mullama_model_load().
 */
MULLAMA_API mullama_error_t *mullama_model_load_parts(const char *const *paths, size_t paths_count,
                                                      const mullama_model_options_t *options,
                                                      mullama_model_t **out);

/**
 * Loads a model from the bytes of a GGUF file.
 *
 * The bytes are copied into a file that exists in memory only; they need not outlive the call. Only
 * on Linux with /proc, and not with a probe_program: MULLAMA_ERROR_UNSUPPORTED elsewhere.
 *
 * @param data the bytes.
 * @param size how many there are.
 * @param options how; NULL for the defaults.
 * @param[out] out the model, owned by the caller.
 * @return as mullama_model_load().
 */
MULLAMA_API mullama_error_t *mullama_model_load_memory(const void *data, size_t size,
                                                       const mullama_model_options_t *options,
                                                       mullama_model_t **out);

/**
 * Takes one more reference.
 *
 * @param model the model, or NULL.
 * @return the same model; each reference is given back with mullama_model_free().
 */
MULLAMA_API mullama_model_t *mullama_model_retain(mullama_model_t *model);

/**
 * Gives one reference back; the last one frees the model. Contexts hold references of their own.
 *
 * @param model the model, or NULL.
 */
MULLAMA_API void mullama_model_free(mullama_model_t *model);

/**
 * Fills a model description with zeros.
 *
 * @param[out] info the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_model_info_t) as the caller knows it.
 */
MULLAMA_API void mullama_model_info_init(mullama_model_info_t *info, size_t struct_size);

/**
 * A model's sizes and abilities.
 *
 * @param model the model.
 * @param[in,out] info a struct that mullama_model_info_init() filled.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_model_get_info(const mullama_model_t *model,
                                                    mullama_model_info_t *info);

/**
 * The architecture as GGUF names it.
 *
 * @param model the model, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return for example "llama"; borrowed from the model; "" for NULL.
 */
MULLAMA_API const char *mullama_model_architecture(const mullama_model_t *model, size_t *size);

/**
 * The model in a few words: architecture, size class, quantization.
 *
 * @param model the model, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return for example "llama 8B Q4_K - Medium"; borrowed from the model; "" for NULL.
 */
MULLAMA_API const char *mullama_model_description(const mullama_model_t *model, size_t *size);

/**
 * How the weights are stored.
 *
 * @param model the model, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return for example "Q8_0"; borrowed from the model; "" for NULL.
 */
MULLAMA_API const char *mullama_model_quantization(const mullama_model_t *model, size_t *size);

/**
 * A fingerprint of the content: equal for the same tensors and metadata, however the file is named,
 * split or padded. It covers all metadata and a sample of each tensor's bytes
 * (docs/model-files.md): it tells models apart, and is no protection against somebody who wants two
 * to look alike.
 *
 * @param model the model, or NULL.
 * @param[out] size the length in bytes; may be NULL.
 * @return 32 hexadecimal digits; borrowed from the model; "" for NULL.
 */
MULLAMA_API const char *mullama_model_fingerprint(const mullama_model_t *model, size_t *size);

/**
 * A chat template that the model's file brings.
 *
 * @param model the model, or NULL.
 * @param name its name, for example "tool_use"; NULL for the default one, as is "".
 * @param name_size the name's length in bytes.
 * @param[out] size the length of the template in bytes, 0 where there is none; may be NULL.
 * @return the Jinja text, borrowed from the model; NULL where there is none of that name.
 */
MULLAMA_API const char *mullama_model_chat_template(const mullama_model_t *model, const char *name,
                                                    size_t name_size, size_t *size);

/**
 * Counts the metadata's keys.
 *
 * @param model the model, or NULL.
 * @return how many there are.
 */
MULLAMA_API size_t mullama_model_metadata_count(const mullama_model_t *model);

/**
 * Fills a metadata entry with "nothing".
 *
 * @param[out] entry the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_metadata_entry_t) as the caller knows it.
 */
MULLAMA_API void mullama_metadata_entry_init(mullama_metadata_entry_t *entry, size_t struct_size);

/**
 * One key of the metadata, in the file's order.
 *
 * @param model the model.
 * @param index 0 <= index < mullama_model_metadata_count().
 * @param[in,out] entry a struct that mullama_metadata_entry_init() filled.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT or MULLAMA_ERROR_OUT_OF_RANGE.
 */
MULLAMA_API mullama_error_t *mullama_model_get_metadata(const mullama_model_t *model, size_t index,
                                                        mullama_metadata_entry_t *entry);

/**
 * Finds a key.
 *
 * @param model the model.
 * @param key the key, for example "general.name".
 * @param key_size its length in bytes.
 * @param[out] index what the other metadata functions take.
 * @return NULL, or MULLAMA_ERROR_NOT_FOUND or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_model_find_metadata(const mullama_model_t *model,
                                                         const char *key, size_t key_size,
                                                         size_t *index);

/**
 * An element as a whole number.
 *
 * @param model the model.
 * @param index the key's index.
 * @param element which element of an array; 0 for a scalar.
 * @param[out] value the number.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE (index, element, or a number above INT64_MAX) or
 *         MULLAMA_ERROR_INVALID_ARGUMENT for an element that is not a whole number.
 */
MULLAMA_API mullama_error_t *mullama_model_metadata_int(const mullama_model_t *model, size_t index,
                                                        size_t element, int64_t *value);

/**
 * An element as a floating-point number; whole numbers convert.
 *
 * @param model the model.
 * @param index the key's index.
 * @param element which element of an array; 0 for a scalar.
 * @param[out] value the number.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_model_metadata_float(const mullama_model_t *model,
                                                          size_t index, size_t element,
                                                          double *value);

/**
 * An element as true or false.
 *
 * @param model the model.
 * @param index the key's index.
 * @param element which element of an array; 0 for a scalar.
 * @param[out] value the truth value.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_model_metadata_bool(const mullama_model_t *model, size_t index,
                                                         size_t element, bool *value);

/**
 * An element that is a string.
 *
 * @param model the model.
 * @param index the key's index.
 * @param element which element of an array; 0 for a scalar.
 * @param[out] text its bytes, NUL-terminated besides; borrowed from the model.
 * @param[out] size how many there are.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_model_metadata_string(const mullama_model_t *model,
                                                           size_t index, size_t element,
                                                           const char **text, size_t *size);

/**
 * A value as text to show: numbers as they are, strings quoted as JSON does, arrays in brackets.
 *
 * @param model the model.
 * @param index the key's index.
 * @param max_elements how many elements of an array to write before "..."; 0: all.
 * @param[out] out the text, owned by the caller; valid JSON unless cut short: bytes that are not
 *             UTF-8 become U+FFFD, and numbers that JSON has no word for (infinities, no number at
 *             all) null.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_model_metadata_format(const mullama_model_t *model,
                                                           size_t index, size_t max_elements,
                                                           mullama_text_t **out);

/**
 * Fills an estimate with zeros.
 *
 * @param[out] estimate the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_memory_estimate_t) as the caller knows it.
 */
MULLAMA_API void mullama_memory_estimate_init(mullama_memory_estimate_t *estimate,
                                              size_t struct_size);

/**
 * What a model and one context would take, without loading any weights.
 *
 * @param path the file's path, UTF-8.
 * @param path_size its length in bytes.
 * @param model_options as mullama_model_load(); NULL for the defaults.
 * @param context_options as mullama_context_new(); NULL for the defaults.
 * @param[in,out] estimate a struct that mullama_memory_estimate_init() filled.
 * @return as mullama_model_load().
 */
MULLAMA_API mullama_error_t *mullama_model_estimate(
    const char *path, size_t path_size, const mullama_model_options_t *model_options,
    const struct mullama_context_options *context_options, mullama_memory_estimate_t *estimate);

#ifdef __cplusplus
}
#endif

#endif

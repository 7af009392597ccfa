/**
 * @file state.h
 * Saved states: what a context holds, as bytes, in memory or in a file, to go on from later, in
 * another context or another process.
 *
 * A state has a checksum and says what made it. Everything is verified before the context is
 * touched: a state that is truncated or altered, of another model, or of a context that keeps its
 * memory in another way is refused, and the context is as it was. The checksum finds damage; it is
 * no protection against somebody who wants to deceive: what such a state holds is only known to be
 * well-formed.
 *
 * A state holds the logits that each sequence ends in, if the last decode kept them: generation
 * with an empty prompt goes on from there.
 *
 * Thread safety: as context.h; a mullama_state_t is immutable, any thread may read it, one thread
 * frees it.
 */
#ifndef MULLAMA_STATE_H
#define MULLAMA_STATE_H

#include "mullama/context.h"
#include "mullama/error.h"
#include "mullama/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/** In place of a sequence: the whole context. */
#define MULLAMA_SEQUENCE_ALL (-1)

/** What a saved state says about itself. */
typedef struct mullama_state mullama_state_t;

/** The parts of a state that can be told without a context. Texts are borrowed from the
 * mullama_state_t and NUL-terminated; those that the engine does not have are "". */
typedef struct mullama_state_info {
    /** sizeof(mullama_state_info_t), set by mullama_state_info_init(). */
    size_t struct_size;
    /** The version of the container. */
    uint32_t format_version;
    /** The version of the library that saved it. */
    const char *library_version;
    /** The engine and its version, for example "llama.cpp 0.5.0-dev (0c1e570), ggml 0.25.3". It
     * must be the same where the state is loaded. */
    const char *engine_version;
    /** The model's architecture. */
    const char *architecture;
    /** The model's fingerprint, as mullama_model_fingerprint() gives it. */
    const char *fingerprint;
    /** The adapters that were in effect; "" for none. */
    const char *adapters;
    /** How keys are stored, for example "f16". */
    const char *type_k;
    /** How values are stored. */
    const char *type_v;
    /** Whether it is of a whole context rather than of one sequence. */
    bool whole;
    /** Whether every sequence comes with the logits that it ends in. */
    bool has_logits;
    /** The room that its longest sequence takes, in tokens: 0 when it is empty. */
    uint32_t n_ctx;
    /** The sequences that the context had; 1 for a state of one sequence. */
    uint32_t n_seq_max;
    /** How many of them hold tokens. */
    uint32_t n_sequences;
    /** The tokens that they hold together; tokens that sequences share count for each. */
    uint64_t n_tokens;
    /** Its size in bytes. */
    uint64_t size;
} mullama_state_info_t;

/**
 * Saves what a sequence holds, or all of a context.
 *
 * @param context the context.
 * @param sequence the sequence, or MULLAMA_SEQUENCE_ALL.
 * @param[out] out the state, bytes, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_OUT_OF_RANGE (no such sequence), _UNSUPPORTED (a model whose
 *         memory the engine cannot save or restore: encoders, encoder-decoder models, and some
 *         architectures by name), _INVALID_STATE (sequences were copied or moved, which the engine
 *         does at the next decode: decode a token first), _BUSY, _FORKED, _ENGINE, _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_context_save_state(mullama_context_t *context,
                                                        mullama_seq_id_t sequence,
                                                        mullama_text_t **out);

/**
 * The same, to a file. It is written beside its place and renamed when it is whole: a failure
 * leaves no half file, and an older one as it was. Only the user may read it.
 *
 * @param context the context.
 * @param sequence the sequence, or MULLAMA_SEQUENCE_ALL.
 * @param path the file, UTF-8; its folder exists.
 * @param path_size the length of the path in bytes.
 * @return as mullama_context_save_state(), and MULLAMA_ERROR_NO_SPACE (the disk has too little
 *         room; nothing was written), _NOT_FOUND, _PERMISSION, _IO, _INVALID_ARGUMENT or
 *         _INVALID_UTF8.
 */
MULLAMA_API mullama_error_t *mullama_context_save_state_file(mullama_context_t *context,
                                                             mullama_seq_id_t sequence,
                                                             const char *path, size_t path_size);

/**
 * Puts a saved state in place of what a sequence, or all of a context, holds.
 *
 * A state of one sequence can be loaded into any sequence, of a context with another n_ctx or,
 * with kv_unified, another n_seq_max, as long as its tokens fit. Of a model with a sliding window
 * it holds the window only, so that the sequence can then not be shortened. A state of a whole
 * context needs as many sequences as it uses.
 *
 * @param context the context; on failure it is as it was.
 * @param sequence the sequence, or MULLAMA_SEQUENCE_ALL for a state of a whole context.
 * @param data the state.
 * @param size its length in bytes.
 * @return NULL, or
 *         MULLAMA_ERROR_BAD_STATE: truncated, altered, or no state; the position is the offset;
 *         MULLAMA_ERROR_INVALID_ARGUMENT: of another model, engine, KV type or layout, or made
 *         with other adapters or scales (the parameter names what differs, with expected and
 *         actual), or of one sequence where all are asked for, or the other way round;
 *         MULLAMA_ERROR_INVALID_STATE: as for mullama_context_save_state();
 *         MULLAMA_ERROR_NO_SPACE: more tokens or sequences than there is room for;
 *         MULLAMA_ERROR_UNSUPPORTED: a newer format, or a model as for
 *         mullama_context_save_state();
 *         MULLAMA_ERROR_OUT_OF_RANGE, _CANCELLED, _BUSY, _FORKED, _ENGINE or _OUT_OF_MEMORY.
 */
MULLAMA_API mullama_error_t *mullama_context_load_state(mullama_context_t *context,
                                                        mullama_seq_id_t sequence, const char *data,
                                                        size_t size);

/**
 * The same, from a file, which is mapped into memory; nobody may shorten it meanwhile.
 *
 * @param context the context; on failure it is as it was.
 * @param sequence the sequence, or MULLAMA_SEQUENCE_ALL.
 * @param path the file, UTF-8.
 * @param path_size the length of the path in bytes.
 * @return as mullama_context_load_state(), and MULLAMA_ERROR_NOT_FOUND, _PERMISSION, _IO,
 *         _INVALID_ARGUMENT or _INVALID_UTF8 for the path.
 */
MULLAMA_API mullama_error_t *mullama_context_load_state_file(mullama_context_t *context,
                                                             mullama_seq_id_t sequence,
                                                             const char *path, size_t path_size);

/**
 * Reads what a saved state says about itself, after its checksum was compared. Needs no model.
 *
 * @param data the state; not needed any more when this returns.
 * @param size its length in bytes.
 * @param[out] out what it says, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_BAD_STATE (the position is the offset) or _UNSUPPORTED (a newer
 *         format).
 */
MULLAMA_API mullama_error_t *mullama_state_inspect(const char *data, size_t size,
                                                   mullama_state_t **out);

/**
 * The same, of a file.
 *
 * @param path the file, UTF-8.
 * @param path_size the length of the path in bytes.
 * @param[out] out what it says, owned by the caller.
 * @return as mullama_state_inspect(), and MULLAMA_ERROR_NOT_FOUND, _PERMISSION, _IO,
 *         _INVALID_ARGUMENT or _INVALID_UTF8 for the path.
 */
MULLAMA_API mullama_error_t *mullama_state_inspect_file(const char *path, size_t path_size,
                                                        mullama_state_t **out);

/**
 * Gives back what a state said about itself.
 *
 * @param state the object, or NULL.
 */
MULLAMA_API void mullama_state_free(mullama_state_t *state);

/**
 * Fills a state description with zeros.
 *
 * @param[out] info the struct to fill; NULL does nothing.
 * @param struct_size sizeof(mullama_state_info_t) as the caller knows it.
 */
MULLAMA_API void mullama_state_info_init(mullama_state_info_t *info, size_t struct_size);

/**
 * What a state said about itself.
 *
 * @param state the state.
 * @param[in,out] info a struct that mullama_state_info_init() filled; its texts live as long as the
 *                state.
 * @return NULL, or MULLAMA_ERROR_INVALID_ARGUMENT.
 */
MULLAMA_API mullama_error_t *mullama_state_get_info(const mullama_state_t *state,
                                                    mullama_state_info_t *info);

#ifdef __cplusplus
}
#endif

#endif

// What the core asks of an inference engine. An implementation lives in a folder beside this file
// and leaks no type of its own through here. Failures are thrown as base::Error; an implementation
// checks whatever its engine would abort on, since the core knows no engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "mullama/context.h"
#include "mullama/model.h"
#include "mullama/runtime.h"
#include "mullama/vocab.h"

namespace mullama::backend {

using Token = mullama_token_t;
using Position = mullama_pos_t;
using SequenceId = mullama_seq_id_t;

// The most sequences that any context may have; llama.cpp's own limit.
inline constexpr std::uint32_t max_sequences = 256;

struct Device {
    mullama_device_type_t type = MULLAMA_DEVICE_CPU;
    bool available = false;
    std::string name;
    std::string description;
    std::string backend;
    std::string features;
    std::string reason;
    std::uint64_t memory_total = 0;
    std::uint64_t memory_free = 0;
};

struct MetadataOverride {
    std::string key;
    std::variant<std::int64_t, double, bool, std::string> value;
};

struct ModelParams {
    std::int32_t n_gpu_layers = -1;
    mullama_split_mode_t split_mode = MULLAMA_SPLIT_MODE_LAYER;
    std::int32_t main_gpu = 0;
    std::vector<float> tensor_split;
    // The names of the devices to use; absent: all that are available.
    std::optional<std::vector<std::string>> devices;
    mullama_load_mode_t load_mode = MULLAMA_LOAD_MODE_AUTO;
    bool vocab_only = false;
    bool check_tensors = false;
    bool repack = true;
    std::vector<MetadataOverride> overrides;
    // Returns false to cancel. Called on the thread that loads.
    std::function<bool(float)> progress;
};

struct ContextParams {
    // 0 is not allowed here: the core has resolved every default.
    std::uint32_t n_ctx = 0;
    std::uint32_t n_batch = 0;
    std::uint32_t n_ubatch = 0;
    std::uint32_t n_seq_max = 1;
    std::int32_t n_threads = 1;
    std::int32_t n_threads_batch = 1;
    mullama_switch_t flash_attention = MULLAMA_SWITCH_AUTO;
    mullama_cache_type_t type_k = MULLAMA_CACHE_TYPE_F16;
    mullama_cache_type_t type_v = MULLAMA_CACHE_TYPE_F16;
    bool kv_unified = true;
    bool offload_kqv = true;
    bool op_offload = true;
    bool swa_full = true;
    bool embeddings = false;
    mullama_pooling_t pooling = MULLAMA_POOLING_DEFAULT;
    mullama_attention_t attention = MULLAMA_ATTENTION_DEFAULT;
    mullama_rope_scaling_t rope_scaling = MULLAMA_ROPE_SCALING_DEFAULT;
    // 0 (negative for the YaRN factors): the model's.
    float rope_freq_base = 0;
    float rope_freq_scale = 0;
    float yarn_ext_factor = -1;
    float yarn_attn_factor = -1;
    float yarn_beta_fast = -1;
    float yarn_beta_slow = -1;
    std::uint32_t yarn_orig_ctx = 0;
};

// What the engine knows of a loaded model.
struct ModelFacts {
    std::string architecture;
    std::string description;
    std::string quantization;
    std::uint64_t n_params = 0;
    std::uint64_t size_bytes = 0;
    mullama_load_mode_t load_mode = MULLAMA_LOAD_MODE_READ;
    mullama_pooling_t pooling = MULLAMA_POOLING_NONE;
    std::int32_t n_ctx_train = 0;
    // Where positions are learned, one by one, how many there are: a sequence cannot be longer.
    // 0 where they are computed.
    std::int32_t n_positions = 0;
    std::int32_t n_embd = 0;
    std::int32_t n_embd_out = 0;
    // The width of the embeddings that a batch may hold in place of tokens; 0: it takes tokens
    // only.
    std::int32_t n_embd_inp = 0;
    std::int32_t n_layer = 0;
    std::int32_t n_head = 0;
    std::int32_t n_head_kv = 0;
    std::int32_t n_expert = 0;
    std::int32_t n_swa = 0;
    std::int32_t n_cls_out = 0;
    std::int32_t n_gpu_layers = 0;
    bool has_encoder = false;
    bool has_decoder = false;
    bool is_recurrent = false;
    bool is_hybrid = false;
    bool is_diffusion = false;
};

// Tokens of one decode, as parallel arrays: token i stands at positions[i] of the sequences
// sequence_ids[sequence_begin[i] .. sequence_begin[i + 1]).
struct Batch {
    std::vector<Token> tokens;
    // Where n_embd is not 0, the batch holds embeddings instead, n_embd numbers each, and every
    // token is MULLAMA_TOKEN_NONE.
    std::vector<float> embeddings;
    std::size_t n_embd = 0;
    std::vector<Position> positions;
    std::vector<std::uint32_t> sequence_begin{0};
    std::vector<SequenceId> sequence_ids;
    std::vector<std::uint8_t> outputs;

    [[nodiscard]] std::size_t size() const noexcept { return tokens.size(); }

    void add(Token token, Position position, std::span<const SequenceId> sequences, bool output) {
        tokens.push_back(token);
        positions.push_back(position);
        sequence_ids.insert(sequence_ids.end(), sequences.begin(), sequences.end());
        sequence_begin.push_back(static_cast<std::uint32_t>(sequence_ids.size()));
        outputs.push_back(output ? 1 : 0);
    }

    void clear() noexcept {
        tokens.clear();
        embeddings.clear();
        n_embd = 0;
        positions.clear();
        sequence_begin.resize(1);
        sequence_ids.clear();
        outputs.clear();
    }
};

enum class DecodeStatus {
    ok,
    // The KV cache has no room; nothing was changed.
    no_space,
    // The abort flag was seen; the batch is out of memory again. Where the model's memory cannot
    // forget a part of a sequence (recurrent ones), the batch's sequences are empty.
    aborted,
};

// In place of a sequence: all of a context's.
inline constexpr SequenceId all_sequences = -1;

// Names and values.
using StateLayout = std::vector<std::pair<std::string, std::string>>;

// What a state that is to be loaded says about a sequence in it.
struct StateExtent {
    SequenceId sequence = 0;
    Position last = -1;
};

// Thread safety: any number of threads.
class Vocab {
public:
    Vocab() = default;
    Vocab(const Vocab &) = delete;
    Vocab &operator=(const Vocab &) = delete;
    virtual ~Vocab() = default;

    [[nodiscard]] virtual mullama_vocab_type_t type() const noexcept = 0;
    [[nodiscard]] virtual std::int32_t size() const noexcept = 0;

    // Appends to `out`. The text is valid UTF-8 of at most INT32_MAX bytes.
    virtual void tokenize(std::string_view text, bool add_special, bool parse_special,
                          std::vector<Token> &out) const = 0;
    // Appends to `out`. The tokens are within the vocabulary.
    virtual void detokenize(std::span<const Token> tokens, bool remove_special,
                            bool unparse_special, std::string &out) const = 0;
    // Appends the bytes of one token; `special`: a control token shows its spelling.
    virtual void piece(Token token, bool special, std::string &out) const = 0;

    [[nodiscard]] virtual std::string_view text(Token token) const = 0;
    [[nodiscard]] virtual float score(Token token) const = 0;
    // MULLAMA_TOKEN_* bits.
    [[nodiscard]] virtual std::uint32_t attributes(Token token) const = 0;
    [[nodiscard]] virtual Token special(mullama_special_token_t which) const noexcept = 0;
    // Whether tokenizing with add_special puts a beginning (an end, a separator) token there.
    [[nodiscard]] virtual bool adds_bos() const noexcept = 0;
    [[nodiscard]] virtual bool adds_eos() const noexcept = 0;
    [[nodiscard]] virtual bool adds_sep() const noexcept = 0;
};

// A LoRA that an engine has loaded for one of its models. Thread safety: any number of threads.
class Adapter {
public:
    Adapter() = default;
    Adapter(const Adapter &) = delete;
    Adapter &operator=(const Adapter &) = delete;
    virtual ~Adapter() = default;
};

struct ScaledAdapter {
    Adapter *adapter = nullptr;
    float scale = 0.0F;

    bool operator==(const ScaledAdapter &) const = default;
};

// What is added to the output of layers layer_first to layer_last, counted from 0.
struct ControlVector {
    // n_embd numbers for each layer of the model but layer 0.
    std::vector<float> directions;
    std::int32_t layer_first = 0;
    std::int32_t layer_last = 0;

    bool operator==(const ControlVector &) const = default;
};

// Thread safety: one thread at a time, save request_abort().
class Context {
public:
    Context() = default;
    Context(const Context &) = delete;
    Context &operator=(const Context &) = delete;
    virtual ~Context() = default;

    // As they really are, after the engine's rounding.
    [[nodiscard]] virtual std::uint32_t n_ctx() const noexcept = 0;
    [[nodiscard]] virtual std::uint32_t n_ctx_seq() const noexcept = 0;
    [[nodiscard]] virtual std::uint32_t n_batch() const noexcept = 0;
    [[nodiscard]] virtual std::uint32_t n_ubatch() const noexcept = 0;
    [[nodiscard]] virtual std::uint32_t n_seq_max() const noexcept = 0;

    // The batch is refused with base::Error where the engine would abort: too large, a token
    // outside the vocabulary, a sequence outside n_seq_max, a position that does not continue its
    // sequence. Whatever the failure, nothing of the batch stays in memory; a sequence that the
    // model's memory cannot shorten is empty then.
    virtual DecodeStatus decode(const Batch &batch) = 0;
    virtual DecodeStatus encode(const Batch &batch) = 0;

    // n_vocab logits of the batch's token `index`, which had its output flag set; valid until the
    // next decode. The core has checked the index against the batch.
    virtual const float *logits(std::int32_t index) = 0;

    // Embeddings of the last decode, valid until the next one: of the batch's token `index`, which
    // had its output flag set, without pooling; of a sequence, with it. Empty where the last decode
    // gave none.
    [[nodiscard]] virtual std::span<const float> embedding(std::int32_t index) = 0;
    [[nodiscard]] virtual std::span<const float> sequence_embedding(SequenceId sequence) = 0;
    // From the next decode on.
    virtual void set_embeddings(bool embeddings) = 0;
    [[nodiscard]] virtual bool embeddings() const noexcept = 0;
    virtual void set_causal(bool causal) = 0;
    [[nodiscard]] virtual bool causal() const noexcept = 0;
    // As it really is: never MULLAMA_POOLING_DEFAULT.
    [[nodiscard]] virtual mullama_pooling_t pooling() const noexcept = 0;

    // Threads for one token and for many; the persistent threadpool follows. 1 needs no threads.
    virtual void set_threads(std::int32_t n_threads, std::int32_t n_threads_batch) = 0;

    // MULLAMA_CONTEXT_CAN_* bits, and why one of them is missing: "a model ... cannot".
    [[nodiscard]] virtual std::uint64_t abilities() const noexcept = 0;
    [[nodiscard]] virtual std::string why_not(mullama_context_ability_t ability) const = 0;

    // How often the engine could use its last compute graph again; it counts from the beginning.
    [[nodiscard]] virtual std::uint64_t graph_reuses() const noexcept = 0;

    // Replaces all LoRAs, and the control vector (nullptr: none). They are of this context's model,
    // and outlive their use. On failure those of before are set.
    virtual void set_adapters(std::span<const ScaledAdapter> adapters,
                              const ControlVector *vector) = 0;

    virtual void clear() = 0;
    // What follows is called only where abilities() allows it, with sequences that exist and
    // 0 <= begin < end. `to` is empty, and nothing that moves is shared or lands on what is taken.
    virtual void copy(SequenceId from, SequenceId to, Position begin, Position end) = 0;
    virtual void remove(SequenceId sequence, Position begin, Position end) = 0;
    virtual void shift(SequenceId sequence, Position begin, Position end, Position delta) = 0;
    virtual void divide(SequenceId sequence, Position begin, Position end,
                        std::int32_t divisor) = 0;
    // Takes positions from `begin` on out of a sequence; false where the model's memory cannot.
    virtual bool truncate(SequenceId sequence, Position begin) = 0;
    // The first and last position that a sequence holds; -1 when empty.
    [[nodiscard]] virtual Position first_position(SequenceId sequence) const = 0;
    [[nodiscard]] virtual Position last_position(SequenceId sequence) const = 0;

    // How the memory is laid out: a state fits only where all of it is equal.
    [[nodiscard]] virtual StateLayout state_layout() const = 0;
    // Appends the engine's own bytes of a sequence, or of all. Throws MULLAMA_ERROR_UNSUPPORTED
    // where the engine cannot save the model's memory.
    virtual void save_state(SequenceId sequence, std::string &to) = 0;
    // Puts such bytes in place of what a sequence, or the whole context, holds. Everything is
    // checked before the memory is touched: the bytes (MULLAMA_ERROR_BAD_STATE, with the offset in
    // them), that they hold what `extents` says, and the room (MULLAMA_ERROR_NO_SPACE). On failure
    // all sequences are as they were. An empty context may decode meanwhile, so that the logits of
    // earlier decodes are gone.
    virtual void load_state(SequenceId sequence, std::span<const std::byte> state,
                            std::span<const StateExtent> extents) = 0;

    // Any thread: the decode in progress, or the next one, ends with DecodeStatus::aborted.
    virtual void request_abort() noexcept = 0;
};

// Thread safety: any number of threads.
class Model {
public:
    Model() = default;
    Model(const Model &) = delete;
    Model &operator=(const Model &) = delete;
    virtual ~Model() = default;

    [[nodiscard]] virtual const ModelFacts &facts() const noexcept = 0;
    [[nodiscard]] virtual const Vocab &vocab() const noexcept = 0;
    // The Jinja text of a template that the model brings; empty name: the default one.
    [[nodiscard]] virtual std::optional<std::string_view>
    chat_template(const std::string &name) const = 0;
    // The model outlives the context.
    [[nodiscard]] virtual std::unique_ptr<Context> new_context(const ContextParams &params) = 0;
    // Loads a LoRA of `n_pairs` pairs of matrices, which the core has held against the model. The
    // model outlives the adapter.
    [[nodiscard]] virtual std::unique_ptr<Adapter> load_lora(const std::string &path,
                                                             std::size_t n_pairs) = 0;
    // Throws MULLAMA_ERROR_UNSUPPORTED, with the reason, where control vectors change nothing.
    virtual void require_control_vectors() const = 0;
};

struct MemoryEstimate {
    std::uint64_t host_weights = 0;
    std::uint64_t host_context = 0;
    std::uint64_t host_compute = 0;
    std::uint64_t device_weights = 0;
    std::uint64_t device_context = 0;
    std::uint64_t device_compute = 0;
    std::uint32_t n_ctx = 0;
};

// Receives the engine's log lines, whole, without line breaks, on whichever thread makes them.
using LogSink = void (*)(mullama_log_level_t level, std::string_view line);

// Thread safety: any number of threads.
class Backend {
public:
    Backend() = default;
    Backend(const Backend &) = delete;
    Backend &operator=(const Backend &) = delete;
    virtual ~Backend() = default;

    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    // For example "llama.cpp 0.5.0-dev (0c1e570), ggml 0.25.3".
    [[nodiscard]] virtual const std::string &version() const noexcept = 0;
    // Whether models come from GGUF files, which the core then reads and checks first.
    [[nodiscard]] virtual bool reads_files() const noexcept = 0;
    // Whether the engine can build models of this GGUF architecture.
    [[nodiscard]] virtual bool knows_architecture(std::string_view name) const = 0;
    // Those that can be used, then the kinds that cannot, with the reason.
    [[nodiscard]] virtual std::vector<Device> devices() const = 0;
    virtual void set_log_sink(LogSink sink) const noexcept = 0;

    // `paths`: all parts of the model, in order; none for an engine that reads no files.
    [[nodiscard]] virtual std::unique_ptr<Model> load(const std::vector<std::string> &paths,
                                                      const ModelParams &params) const = 0;
    [[nodiscard]] virtual MemoryEstimate estimate(const std::vector<std::string> &paths,
                                                  const ModelParams &model_params,
                                                  const ContextParams &context_params) const = 0;
};

// Each engine's only instance, made on first use. backend/registry.cpp knows those that this build
// has; nullptr for a name it does not know.
[[nodiscard]] const Backend *find_backend(std::string_view name);
// The names it knows.
[[nodiscard]] std::vector<std::string_view> backend_names();

} // namespace mullama::backend

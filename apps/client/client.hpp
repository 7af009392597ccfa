// What a front end asks of Mullama, whoever does the work: this process (in_process.hpp) or a
// daemon at the other end of a connection. A front end knows nothing below this page.
//
// Enums and the structs that describe things are the contract's own (mullama.h). What a caller may
// leave open is an optional, so that the side that does the work keeps the only table of defaults.
#pragma once

#include <chrono>
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

#include "mullama/mullama.h"

namespace mullama::client {

using Token = mullama_token_t;

// Hears how far something is, 0 to 1; returning false stops it with MULLAMA_ERROR_CANCELLED.
using OnProgress = std::function<bool(float)>;

// A LoRA or a control vector, applied to all that is computed.
// Both included, counted from 0.
struct LayerRange {
    std::int32_t first;
    std::int32_t last;
};

struct AdapterSettings {
    std::string path;
    mullama_adapter_kind_t kind;
    float scale;
    // Of a control vector, those that it changes; absent: all that it can.
    std::optional<LayerRange> layers;
};

struct ModelSettings {
    std::optional<std::string> backend;
    std::optional<std::int32_t> n_gpu_layers;
    std::optional<mullama_split_mode_t> split_mode;
    std::optional<std::int32_t> main_gpu;
    // Empty: by free memory.
    std::vector<float> tensor_split;
    // Empty: only the CPU. Absent: all devices.
    std::optional<std::vector<std::string>> devices;
    std::optional<mullama_load_mode_t> load_mode;
    std::optional<bool> vocab_only;
    std::optional<bool> check_tensors;
    std::optional<bool> repack;
    std::vector<std::string> metadata_overrides;
    // Empty: none.
    std::string probe_program;
    std::vector<AdapterSettings> adapters;
};

struct ContextSettings {
    std::optional<std::uint32_t> n_ctx;
    std::optional<std::uint32_t> n_batch;
    std::optional<std::uint32_t> n_ubatch;
    std::optional<std::int32_t> n_threads;
    std::optional<std::int32_t> n_threads_batch;
    std::optional<mullama_switch_t> flash_attention;
    std::optional<mullama_cache_type_t> type_k;
    std::optional<mullama_cache_type_t> type_v;
    std::optional<std::uint32_t> n_seq_max;
    std::optional<mullama_pooling_t> pooling;

    bool operator==(const ContextSettings &) const = default;
};

// A row of the table of sampling stages.
struct SamplingParameter {
    std::string name;
    std::string description;
    // The name in a flat list of settings: "top_k".
    std::string setting;
    mullama_parameter_type_t type;
    double default_value;
    double min_value;
    double max_value;
};

struct SamplingStage {
    std::string name;
    std::string description;
    bool selects;
    std::vector<SamplingParameter> parameters;
};

struct SamplingPreset {
    std::string name;
    std::string description;
};

// A number added to the logit of each of some tokens.
using LogitBiases = std::vector<std::pair<mullama_token_t, float>>;

using SettingValue =
    std::variant<std::int64_t, double, bool, std::string, std::vector<std::string>, LogitBiases>;

// How tokens are chosen. A setting is named as SamplingParameter::setting; one whose stage is not
// among the usual ones adds that stage before the token is selected.
struct Sampling {
    // The chain to begin with. Empty: the usual one.
    std::string preset;
    // In order, in place of a preset's. Empty: the preset's.
    std::vector<std::string> stages;
    std::vector<std::pair<std::string, SettingValue>> settings;
};

struct Generate {
    ContextSettings context;
    Sampling sampling;
    std::string prompt;
    std::vector<std::string> stop;
    std::optional<std::int64_t> max_tokens;
    std::optional<std::int32_t> top_logprobs;
    std::optional<bool> ignore_end;
    std::optional<bool> add_special;
    std::optional<bool> parse_special;
    std::optional<bool> unparse_special;
    // Files with the state to begin with, and for the one at the end. Empty: none.
    std::string state_load;
    std::string state_save;
};

struct GenerateEvents {
    // Returning false ends the generation with MULLAMA_STOP_CANCELLED.
    std::function<bool(const mullama_token_event_t &)> on_token;
    OnProgress on_prefill;
};

struct Generation {
    std::string text;
    mullama_generate_stats_t stats;
    // As it really was.
    mullama_context_info_t context;
};

// A measurement of speed: n_prompt tokens in batches, or n_generate tokens one by one, or both.
struct Bench {
    ContextSettings context;
    std::size_t n_prompt = 0;
    std::size_t n_generate = 0;
    std::size_t repetitions = 1;
};

struct BenchResult {
    // One for each repetition.
    std::vector<std::chrono::nanoseconds> times;
    mullama_context_info_t context;
};

// Texts to be embedded: a row of numbers each, or, with pooling none, a row for each of its tokens.
struct Embed {
    ContextSettings context;
    std::vector<std::string> texts;
    std::optional<bool> normalize;
    std::optional<bool> truncate;
    std::optional<bool> add_special;
    std::optional<bool> parse_special;
};

struct Embeddings {
    std::size_t width;
    std::vector<float> rows;
    // Of each text, before it was cut.
    std::vector<std::size_t> n_tokens;
    mullama_context_info_t context;
};

// Documents to be scored against a query.
struct Rerank {
    ContextSettings context;
    std::string query;
    std::vector<std::string> documents;
    std::optional<bool> truncate;
};

struct Ranking {
    // How many scores each document has: one for each of the model's classes.
    std::size_t width;
    std::vector<float> scores;
    mullama_context_info_t context;
};

struct Perplexity {
    // n_ctx is the window.
    ContextSettings context;
    std::string text;
    std::optional<std::size_t> stride;
    std::optional<std::size_t> max_windows;
    std::optional<bool> parse_special;
};

struct PerplexityResult {
    mullama_perplexity_t perplexity;
    std::size_t n_tokens;
    std::size_t window;
    mullama_context_info_t context;
};

struct Tokenize {
    std::optional<bool> add_special;
    std::optional<bool> parse_special;
};

struct Detokenize {
    std::optional<bool> remove_special;
    std::optional<bool> unparse_special;
};

struct Metadata {
    std::string key;
    mullama_metadata_type_t type;
    bool is_array;
    std::size_t count;
    // JSON, unless an array was cut short.
    std::string value;
};

struct SpecialToken {
    mullama_special_token_t which;
    Token token;
    // The vocabulary's own spelling.
    std::string text;
};

struct Description {
    std::string architecture;
    std::string description;
    std::string quantization;
    std::string fingerprint;
    std::optional<std::string> chat_template;
    std::vector<SpecialToken> special_tokens;
    mullama_model_info_t info;
};

struct Device {
    mullama_device_type_t type;
    bool available;
    std::string name;
    std::string description;
    std::string backend;
    std::string features;
    std::string reason;
    std::uint64_t memory_total;
    std::uint64_t memory_free;
};

struct Version {
    std::string library;
    std::string engine;
    std::int32_t abi;
};

// A model that is loaded. Used by one thread at a time.
class Model {
public:
    Model() = default;
    Model(const Model &) = delete;
    Model &operator=(const Model &) = delete;
    virtual ~Model() = default;

    [[nodiscard]] virtual Description describe() = 0;
    // Arrays are cut after max_elements; 0: never.
    [[nodiscard]] virtual std::vector<Metadata> metadata(std::size_t max_elements) = 0;

    [[nodiscard]] virtual std::vector<Token> tokenize(std::string_view text,
                                                      const Tokenize &settings) = 0;
    [[nodiscard]] virtual std::string detokenize(std::span<const Token> tokens,
                                                 const Detokenize &settings) = 0;
    // The bytes that each token stands for.
    [[nodiscard]] virtual std::vector<std::string> pieces(std::span<const Token> tokens) = 0;

    virtual Generation generate(const Generate &request, const GenerateEvents &events) = 0;
    // on_progress is asked between repetitions.
    virtual BenchResult bench(const Bench &request, const OnProgress &on_progress) = 0;

    virtual Embeddings embed(const Embed &request, const OnProgress &on_progress) = 0;
    virtual Ranking rerank(const Rerank &request, const OnProgress &on_progress) = 0;
    // Returning false stops with MULLAMA_ERROR_CANCELLED.
    using OnWindow = std::function<bool(const mullama_window_event_t &)>;
    virtual PerplexityResult perplexity(const Perplexity &request, const OnWindow &on_window) = 0;
};

// Failures of all functions are client::Failure.
class Client {
public:
    Client() = default;
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;
    virtual ~Client() = default;

    [[nodiscard]] virtual Version version() = 0;
    [[nodiscard]] virtual std::vector<Device> devices() = 0;
    [[nodiscard]] virtual std::vector<SamplingStage> sampling_stages() = 0;
    [[nodiscard]] virtual std::vector<SamplingPreset> sampling_presets() = 0;

    // Lines may come from any thread, several at a time. An empty function: nobody.
    using OnLog = std::function<void(mullama_log_level_t, std::string_view)>;
    virtual void set_log(mullama_log_level_t level, OnLog on_log) = 0;

    // `parts`: a model's name or path; all of them where the files of a split model do not say by
    // their names how they belong together; none where the backend reads no files.
    [[nodiscard]] virtual std::unique_ptr<Model> open(const std::vector<std::string> &parts,
                                                      const ModelSettings &settings,
                                                      const OnProgress &on_progress) = 0;
    // `name`: as the only part.
    [[nodiscard]] virtual mullama_memory_estimate_t estimate(const std::string &name,
                                                             const ModelSettings &model,
                                                             const ContextSettings &context) = 0;
};

} // namespace mullama::client

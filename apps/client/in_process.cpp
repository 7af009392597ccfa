#include "client/in_process.hpp"

#include <algorithm>
#include <utility>

#include "client/in_process_failure.hpp"
#include "client/in_process_sampling.hpp"
#include "client/in_process_texts.hpp"
#include "client/names.hpp"
#include "mullama/mullama.hpp"

namespace mullama::client {
namespace {

// Runs something of the library's; what it throws becomes this interface's exception.
template <class Call>
decltype(auto) translate(Call &&call) {
    try {
        return std::forward<Call>(call)();
    } catch (const Error &error) {
        throw failure_of(error);
    }
}

// The same for a call whose own path is not the model's: failures name `parameter` instead.
template <class Call>
void translate_path(const char *parameter, Call &&call) {
    try {
        std::forward<Call>(call)();
    } catch (const Error &error) {
        FailureParts parts = failure_of(error).parts();
        if (parts.parameter.empty() || parts.parameter == "path") {
            parts.parameter = parameter;
        }
        throw Failure(std::move(parts));
    }
}

template <class To, class From>
void set_if(To &to, const std::optional<From> &from) {
    if (from) {
        to = *from;
    }
}

// The library's options, and the arrays of pointers that they borrow.
class ModelOptions {
public:
    explicit ModelOptions(const ModelSettings &settings) {
        if (settings.backend) {
            options_.backend = settings.backend->c_str();
        }
        set_if(options_.n_gpu_layers, settings.n_gpu_layers);
        set_if(options_.split_mode, settings.split_mode);
        set_if(options_.main_gpu, settings.main_gpu);
        set_if(options_.load_mode, settings.load_mode);
        set_if(options_.vocab_only, settings.vocab_only);
        set_if(options_.check_tensors, settings.check_tensors);
        set_if(options_.repack, settings.repack);
        if (!settings.tensor_split.empty()) {
            options_.tensor_split = settings.tensor_split.data();
            options_.tensor_split_count = settings.tensor_split.size();
        }
        if (settings.devices) {
            // An empty list still needs an address: it means the CPU only, NULL means all devices.
            devices_.reserve(settings.devices->size() + 1);
            for (const std::string &name : *settings.devices) {
                devices_.push_back(name.c_str());
            }
            options_.devices_count = devices_.size();
            devices_.push_back(nullptr);
            options_.devices = devices_.data();
        }
        for (const std::string &text : settings.metadata_overrides) {
            overrides_.push_back(text.c_str());
        }
        if (!overrides_.empty()) {
            options_.metadata_overrides = overrides_.data();
            options_.metadata_overrides_count = overrides_.size();
        }
        if (!settings.probe_program.empty()) {
            options_.probe_program = settings.probe_program.c_str();
        }
    }
    ModelOptions(const ModelOptions &) = delete;
    ModelOptions &operator=(const ModelOptions &) = delete;

    [[nodiscard]] const mullama_model_options_t &get() const noexcept { return options_; }

private:
    mullama_model_options_t options_ = options<mullama_model_options_t>();
    std::vector<const char *> devices_;
    std::vector<const char *> overrides_;
};

mullama_context_options_t context_options(const ContextSettings &settings) {
    auto result = options<mullama_context_options_t>();
    set_if(result.n_ctx, settings.n_ctx);
    set_if(result.n_batch, settings.n_batch);
    set_if(result.n_ubatch, settings.n_ubatch);
    set_if(result.n_threads, settings.n_threads);
    set_if(result.n_threads_batch, settings.n_threads_batch);
    set_if(result.flash_attention, settings.flash_attention);
    set_if(result.type_k, settings.type_k);
    set_if(result.type_v, settings.type_v);
    set_if(result.n_seq_max, settings.n_seq_max);
    set_if(result.pooling, settings.pooling);
    return result;
}

// Pseudo-random tokens, the same in every run.
std::vector<Token> bench_tokens(std::size_t count, std::int32_t n_vocab) {
    std::vector<Token> tokens(count);
    std::uint64_t state = 1;
    for (Token &token : tokens) {
        state = state * 6364136223846793005U + 1442695040888963407U; // Knuth, MMIX
        token = static_cast<Token>((state >> 33) % static_cast<std::uint64_t>(n_vocab));
    }
    return tokens;
}

ScaledAdapter load_adapter(const mullama::Model &model, const AdapterSettings &settings) {
    try {
        auto how = options<mullama_adapter_options_t>();
        if (settings.layers) {
            how.layer_first = settings.layers->first;
            how.layer_last = settings.layers->last;
        }
        Adapter adapter(model, settings.path, how);
        if (adapter.info().kind != settings.kind) {
            throw Failure({.code = MULLAMA_ERROR_UNSUPPORTED,
                           .message = "'" + settings.path +
                                      (settings.kind == MULLAMA_ADAPTER_LORA
                                           ? "' is a control vector, not a LoRA"
                                           : "' is a LoRA, not a control vector")});
        }
        return {std::move(adapter), settings.scale};
    } catch (const Error &error) {
        FailureParts parts = failure_of(error).parts();
        // The path that front ends know by this name is the model's; the message has this one.
        if (parts.parameter == "path") {
            parts.parameter.clear();
        }
        throw Failure(std::move(parts));
    }
}

class InProcessModel final : public Model {
public:
    InProcessModel(mullama::Model model, const ModelSettings &settings) : model_(std::move(model)) {
        for (const AdapterSettings &adapter : settings.adapters) {
            adapters_.push_back(load_adapter(model_, adapter));
        }
    }

    Description describe() override {
        return translate([&] {
            Description result{.architecture = std::string(model_.architecture()),
                               .description = std::string(model_.description()),
                               .quantization = std::string(model_.quantization()),
                               .fingerprint = std::string(model_.fingerprint()),
                               .chat_template = {},
                               .special_tokens = {},
                               .info = model_.info()};
            if (const auto text = model_.chat_template()) {
                result.chat_template = std::string(*text);
            }
            for (const auto &[name, which] : special_tokens) {
                const Token token = model_.special(which);
                if (token != MULLAMA_TOKEN_NONE) {
                    const mullama_token_info_t info = model_.token(token);
                    result.special_tokens.push_back(
                        {which, token, std::string(info.text, info.text_size)});
                }
            }
            return result;
        });
    }

    std::vector<Metadata> metadata(std::size_t max_elements) override {
        return translate([&] {
            std::vector<Metadata> result;
            for (std::size_t i = 0; i < model_.metadata_count(); ++i) {
                const mullama_metadata_entry_t entry = model_.metadata(i);
                result.push_back({.key = std::string(entry.key, entry.key_size),
                                  .type = entry.type,
                                  .is_array = entry.is_array,
                                  .count = entry.count,
                                  .value = model_.format_metadata(i, max_elements)});
            }
            return result;
        });
    }

    std::vector<Token> tokenize(std::string_view text, const Tokenize &settings) override {
        return translate([&] {
            auto how = options<mullama_tokenize_options_t>();
            set_if(how.add_special, settings.add_special);
            set_if(how.parse_special, settings.parse_special);
            return model_.tokenize(text, how);
        });
    }

    std::string detokenize(std::span<const Token> tokens, const Detokenize &settings) override {
        return translate([&] {
            auto how = options<mullama_detokenize_options_t>();
            set_if(how.remove_special, settings.remove_special);
            set_if(how.unparse_special, settings.unparse_special);
            return model_.detokenize(tokens, how);
        });
    }

    std::vector<std::string> pieces(std::span<const Token> tokens) override {
        return translate([&] {
            std::vector<std::string> result;
            result.reserve(tokens.size());
            for (const Token token : tokens) {
                const mullama_token_info_t info = model_.token(token);
                result.emplace_back(info.piece, info.piece_size);
            }
            return result;
        });
    }

    Generation generate(const Generate &request, const GenerateEvents &events) override {
        return translate([&] {
            Sampler sampler = make_sampler(request.sampling, model_);
            Context &context = fresh_context(request.context);
            auto how = options<mullama_generate_options_t>();
            set_if(how.max_tokens, request.max_tokens);
            set_if(how.top_logprobs, request.top_logprobs);
            set_if(how.ignore_end, request.ignore_end);
            set_if(how.add_special, request.add_special);
            set_if(how.parse_special, request.parse_special);
            set_if(how.unparse_special, request.unparse_special);
            std::vector<const char *> stop;
            std::vector<std::size_t> stop_sizes;
            for (const std::string &text : request.stop) {
                stop.push_back(text.data());
                stop_sizes.push_back(text.size());
            }
            how.stop = stop.data();
            how.stop_sizes = stop_sizes.data();
            how.stop_count = stop.size();
            if (!request.state_load.empty()) {
                translate_path("state_load",
                               [&] { context.load_state_file(request.state_load, 0); });
            }
            if (!request.state_save.empty()) {
                // What cannot be saved is refused before it is waited for.
                translate_path("state_save", [&] { static_cast<void>(context.save_state(0)); });
            }
            std::optional<Token> last;
            const auto on_token = [&](const mullama_token_event_t &event) {
                last = event.token;
                return !events.on_token || events.on_token(event);
            };
            mullama::Generation made =
                context.generate(request.prompt, &sampler, on_token, how, events.on_prefill);
            if (!request.state_save.empty()) {
                complete(context, last);
                translate_path("state_save",
                               [&] { context.save_state_file(request.state_save, 0); });
            }
            return Generation{std::move(made.text), made.stats, context.info()};
        });
    }

    BenchResult bench(const Bench &request, const OnProgress &on_progress) override {
        return translate([&] {
            ContextSettings settings = request.context;
            if (!settings.n_ctx) {
                settings.n_ctx = static_cast<std::uint32_t>(
                    std::max<std::size_t>(request.n_prompt + request.n_generate, 1));
            }
            Context &context = fresh_context(settings);
            context.warm_up();
            const std::vector<Token> prompt = bench_tokens(request.n_prompt, model_.info().n_vocab);
            const std::vector<Token> generated =
                bench_tokens(request.n_generate, model_.info().n_vocab);

            // The first time through touches every page and is not counted.
            BenchResult result{{}, {}};
            for (std::size_t i = 0; i <= request.repetitions; ++i) {
                const float progress =
                    static_cast<float>(i) / static_cast<float>(request.repetitions + 1);
                if (on_progress && !on_progress(progress)) {
                    throw Failure({.code = MULLAMA_ERROR_CANCELLED, .message = "cancelled"});
                }
                const auto time = run_once(context, prompt, generated);
                if (i > 0) {
                    result.times.push_back(time);
                }
            }
            result.context = context.info();
            return result;
        });
    }

    Embeddings embed(const Embed &request, const OnProgress &on_progress) override {
        return translate([&] {
            const Texts texts(model_, request);
            Context &context = fresh_context(texts.context_settings());
            return texts.embed(context, on_progress);
        });
    }

    Ranking rerank(const Rerank &request, const OnProgress &on_progress) override {
        return translate([&] {
            const Documents documents(model_, request);
            Context &context = fresh_context(documents.context_settings());
            return documents.rerank(context, on_progress);
        });
    }

    PerplexityResult perplexity(const Perplexity &request, const OnWindow &on_window) override {
        return translate([&] {
            auto how = options<mullama_perplexity_options_t>();
            set_if(how.stride, request.stride);
            set_if(how.max_windows, request.max_windows);
            auto tokenize = options<mullama_tokenize_options_t>();
            set_if(tokenize.parse_special, request.parse_special);
            const std::vector<Token> tokens = model_.tokenize(request.text, tokenize);
            const ContextSettings settings = window_settings(model_, request);
            // The engine may round its room up.
            how.window = *settings.n_ctx;
            Context &context = fresh_context(settings);
            return PerplexityResult{context.perplexity(tokens, how, on_window), tokens.size(),
                                    how.window, context.info()};
        });
    }

private:
    // The token that ends a generation is not in memory yet; a state has all of them.
    static void complete(Context &context, const std::optional<Token> &last) {
        if (last && context.sequence_size() < context.info().n_ctx_seq) {
            context.prefill({&*last, 1});
        }
    }

    static std::chrono::nanoseconds run_once(Context &context, std::span<const Token> prompt,
                                             std::span<const Token> generated) {
        context.clear();
        const auto begin = std::chrono::steady_clock::now();
        if (!prompt.empty()) {
            context.prefill(prompt);
        }
        for (const Token &token : generated) {
            context.prefill({&token, 1});
        }
        return std::chrono::steady_clock::now() - begin;
    }

    // An empty context of these settings; the last one is kept for the next call.
    Context &fresh_context(const ContextSettings &settings) {
        if (context_ && context_settings_ == settings) {
            context_->clear();
        } else {
            context_.reset();
            context_.emplace(model_, context_options(settings));
            context_->set_adapters(adapters_);
            context_settings_ = settings;
        }
        return *context_;
    }

    mullama::Model model_;
    std::vector<ScaledAdapter> adapters_;
    std::optional<Context> context_;
    ContextSettings context_settings_;
};

class InProcess final : public Client {
public:
    InProcess() {
        if (mullama_abi_version() != MULLAMA_ABI_VERSION) {
            throw Failure({.code = MULLAMA_ERROR_ABI,
                           .message = "this program and the Mullama library that it found speak "
                                      "different versions of the contract",
                           .expected = std::to_string(MULLAMA_ABI_VERSION),
                           .actual = std::to_string(mullama_abi_version())});
        }
    }

    ~InProcess() override {
        mullama_error_free(
            mullama_runtime_set_log(runtime_.get(), MULLAMA_LOG_NONE, nullptr, nullptr));
    }

    Version version() override {
        return {mullama_version(), mullama_engine_version(), mullama_abi_version()};
    }

    std::vector<Device> devices() override {
        return translate([&] {
            std::vector<Device> result;
            for (const mullama_device_info_t &info : runtime_.devices()) {
                result.push_back({.type = info.type,
                                  .available = info.available,
                                  .name = info.name,
                                  .description = info.description,
                                  .backend = info.backend,
                                  .features = info.features,
                                  .reason = info.reason,
                                  .memory_total = info.memory_total,
                                  .memory_free = info.memory_free});
            }
            return result;
        });
    }

    std::vector<SamplingStage> sampling_stages() override {
        return translate([] { return read_sampling_table(); });
    }

    std::vector<SamplingPreset> sampling_presets() override {
        return translate([] { return read_sampling_presets(); });
    }

    void set_log(mullama_log_level_t level, OnLog on_log) override {
        translate([&] {
            // The old sink is gone for certain before its function is replaced.
            runtime_.set_log(MULLAMA_LOG_NONE, nullptr, nullptr);
            on_log_ = std::move(on_log);
            if (on_log_) {
                runtime_.set_log(
                    level,
                    [](mullama_log_level_t line_level, const char *text, std::size_t size,
                       void *user_data) {
                        static_cast<InProcess *>(user_data)->on_log_(line_level, {text, size});
                    },
                    this);
            }
        });
    }

    std::unique_ptr<Model> open(const std::vector<std::string> &parts,
                                const ModelSettings &settings,
                                const OnProgress &on_progress) override {
        return translate([&]() -> std::unique_ptr<Model> {
            const ModelOptions how(settings);
            if (parts.size() > 1) {
                return std::make_unique<InProcessModel>(
                    mullama::Model(parts, how.get(), on_progress), settings);
            }
            const std::string_view path = parts.empty() ? std::string_view() : parts.front();
            return std::make_unique<InProcessModel>(mullama::Model(path, how.get(), on_progress),
                                                    settings);
        });
    }

    mullama_memory_estimate_t estimate(const std::string &name, const ModelSettings &model,
                                       const ContextSettings &context) override {
        return translate([&] {
            return mullama::Model::estimate(name, ModelOptions(model).get(),
                                            context_options(context));
        });
    }

private:
    Runtime runtime_;
    OnLog on_log_;
};

} // namespace

std::unique_ptr<Client> in_process() {
    return std::make_unique<InProcess>();
}

} // namespace mullama::client

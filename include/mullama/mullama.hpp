/**
 * @file mullama.hpp
 * The contract for C++20: objects that give themselves back, failures as exceptions, text as
 * std::string_view. Header only, over the C functions; it adds no behaviour of its own.
 *
 * A moved-from object may only be assigned to or destroyed. Thread safety is that of the C object.
 */
#ifndef MULLAMA_MULLAMA_HPP
#define MULLAMA_MULLAMA_HPP

#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mullama/mullama.h"

namespace mullama {

/** A token: an index into the model's vocabulary. */
using Token = mullama_token_t;

/**
 * Hears how far a long operation is, 0 to 1; returning false cancels it. It may throw: the
 * exception reaches the caller.
 */
using OnProgress = std::function<bool(float)>;

/** A failed call. Copies share one error object. */
class Error : public std::exception {
public:
    /** Takes ownership of an error that a C function returned. */
    explicit Error(mullama_error_t *error) : error_(error, &mullama_error_free) {}

    /** What kind of failure it is. */
    [[nodiscard]] mullama_error_code_t code() const noexcept {
        return mullama_error_code(error_.get());
    }
    /** What went wrong and what to do about it. */
    [[nodiscard]] std::string_view message() const noexcept { return view(mullama_error_message); }
    /** The parameter at fault; empty where none is. */
    [[nodiscard]] std::string_view parameter() const noexcept {
        return view(mullama_error_parameter);
    }
    /** What would have been right; empty where it makes no sense. */
    [[nodiscard]] std::string_view expected() const noexcept {
        return view(mullama_error_expected);
    }
    /** What was found instead; empty where it makes no sense. */
    [[nodiscard]] std::string_view actual() const noexcept { return view(mullama_error_actual); }
    /** The engine's own warnings and errors during the call, a line each. */
    [[nodiscard]] std::string_view log() const noexcept { return view(mullama_error_log); }
    /** Whether the same call can succeed later. */
    [[nodiscard]] bool retryable() const noexcept { return mullama_error_retryable(error_.get()); }
    /** Where in the input it went wrong, if that is known. */
    [[nodiscard]] std::optional<mullama_error_position_t> position() const noexcept {
        mullama_error_position_t position;
        mullama_error_position_init(&position, sizeof position);
        if (!mullama_error_get_position(error_.get(), &position)) {
            return std::nullopt;
        }
        return position;
    }
    /** The message, NUL-terminated. */
    [[nodiscard]] const char *what() const noexcept override {
        return mullama_error_message(error_.get(), nullptr);
    }
    /** The C object, borrowed. */
    [[nodiscard]] const mullama_error_t *get() const noexcept { return error_.get(); }

private:
    [[nodiscard]] std::string_view view(const char *(*part)(const mullama_error_t *,
                                                            size_t *)) const noexcept {
        size_t size = 0;
        const char *text = part(error_.get(), &size);
        return {text, size};
    }

    std::shared_ptr<mullama_error_t> error_;
};

/** Throws the error that a C function returned, if it returned one. */
inline void check(mullama_error_t *error) {
    if (error != nullptr) [[unlikely]] {
        throw Error(error);
    }
}

namespace detail {

template <class T, void (*Free)(T *)>
struct Deleter {
    void operator()(T *object) const noexcept { Free(object); }
};

template <class T, void (*Free)(T *)>
using Handle = std::unique_ptr<T, Deleter<T, Free>>;

inline std::string take(mullama_text_t *text) {
    const Handle<mullama_text_t, mullama_text_free> owned(text);
    size_t size = 0;
    const char *data = mullama_text_data(text, &size);
    return {data, size};
}

// Carries an exception out of a callback, past the C frames between.
class Courier {
public:
    template <class Callback>
    bool call(Callback &&callback) noexcept {
        try {
            return std::forward<Callback>(callback)();
        } catch (...) {
            exception_ = std::current_exception();
            return false;
        }
    }

    // The callback's own exception comes before the error that its refusal led to.
    void deliver(mullama_error_t *error) {
        if (exception_) {
            mullama_error_free(error);
            std::rethrow_exception(exception_);
        }
        check(error);
    }

private:
    std::exception_ptr exception_;
};

} // namespace detail

/** Defines a struct with its defaults: `auto o = options<mullama_model_options_t>();` */
template <class T>
[[nodiscard]] T options() noexcept;

/** Adapter options with their defaults. */
template <>
inline mullama_adapter_options_t options() noexcept {
    mullama_adapter_options_t result;
    mullama_adapter_options_init(&result, sizeof result);
    return result;
}
/** Runtime options with their defaults. */
template <>
inline mullama_runtime_options_t options() noexcept {
    mullama_runtime_options_t result;
    mullama_runtime_options_init(&result, sizeof result);
    return result;
}

/** Model options with their defaults. */
template <>
inline mullama_model_options_t options() noexcept {
    mullama_model_options_t result;
    mullama_model_options_init(&result, sizeof result);
    return result;
}

/** Context options with their defaults. */
template <>
inline mullama_context_options_t options() noexcept {
    mullama_context_options_t result;
    mullama_context_options_init(&result, sizeof result);
    return result;
}

/** Tokenize options with their defaults. */
template <>
inline mullama_tokenize_options_t options() noexcept {
    mullama_tokenize_options_t result;
    mullama_tokenize_options_init(&result, sizeof result);
    return result;
}

/** Detokenize options with their defaults. */
template <>
inline mullama_detokenize_options_t options() noexcept {
    mullama_detokenize_options_t result;
    mullama_detokenize_options_init(&result, sizeof result);
    return result;
}

/** Generate options with their defaults. */
template <>
inline mullama_generate_options_t options() noexcept {
    mullama_generate_options_t result;
    mullama_generate_options_init(&result, sizeof result);
    return result;
}

/** Embed options with their defaults. */
template <>
inline mullama_embed_options_t options() noexcept {
    mullama_embed_options_t result;
    mullama_embed_options_init(&result, sizeof result);
    return result;
}

/** Rerank options with their defaults. */
template <>
inline mullama_rerank_options_t options() noexcept {
    mullama_rerank_options_t result;
    mullama_rerank_options_init(&result, sizeof result);
    return result;
}

/** Perplexity options with their defaults. */
template <>
inline mullama_perplexity_options_t options() noexcept {
    mullama_perplexity_options_t result;
    mullama_perplexity_options_init(&result, sizeof result);
    return result;
}

/** Engine options with their defaults. */
template <>
inline mullama_engine_options_t options() noexcept {
    mullama_engine_options_t result;
    mullama_engine_options_init(&result, sizeof result);
    return result;
}

/** Request options with their defaults. */
template <>
inline mullama_request_options_t options() noexcept {
    mullama_request_options_t result;
    mullama_request_options_init(&result, sizeof result);
    return result;
}

namespace detail {

// Which length two vectors have in common.
inline size_t common_size(std::span<const float> a, std::span<const float> b) {
    if (a.size() != b.size()) {
        throw std::invalid_argument("vectors of different lengths: " + std::to_string(a.size()) +
                                    " and " + std::to_string(b.size()));
    }
    return a.size();
}

} // namespace detail

/** The dot product. Vectors of different lengths throw std::invalid_argument. */
[[nodiscard]] inline double dot(std::span<const float> a, std::span<const float> b) {
    const size_t size = detail::common_size(a, b);
    double result = 0;
    check(mullama_vector_dot(a.data(), b.data(), size, &result));
    return result;
}
/** The cosine of the angle between two vectors, -1 to 1; 0 where one of them is all zeros. */
[[nodiscard]] inline double cosine(std::span<const float> a, std::span<const float> b) {
    const size_t size = detail::common_size(a, b);
    double result = 0;
    check(mullama_vector_cosine(a.data(), b.data(), size, &result));
    return result;
}
/** The Euclidean distance. */
[[nodiscard]] inline double distance(std::span<const float> a, std::span<const float> b) {
    const size_t size = detail::common_size(a, b);
    double result = 0;
    check(mullama_vector_distance(a.data(), b.data(), size, &result));
    return result;
}
/** Scales a vector to length 1, in place. */
inline void normalize(std::span<float> vector) {
    check(mullama_vector_normalize(vector.data(), vector.size(), vector.data()));
}

/** What a process shares: budgets, log sink, devices. */
class Runtime {
public:
    /** The process's default runtime. */
    Runtime() = default;
    /** A runtime of its own. */
    explicit Runtime(const mullama_runtime_options_t &options) {
        mullama_runtime_t *runtime = nullptr;
        check(mullama_runtime_new(&options, &runtime));
        runtime_.reset(runtime);
    }

    /** All devices: those that can be used, then the kinds that cannot. */
    [[nodiscard]] std::vector<mullama_device_info_t> devices() const {
        size_t count = 0;
        check(mullama_runtime_device_count(get(), &count));
        std::vector<mullama_device_info_t> result(count);
        for (size_t i = 0; i < count; ++i) {
            mullama_device_info_init(&result[i], sizeof result[i]);
            check(mullama_runtime_get_device(get(), i, &result[i]));
        }
        return result;
    }

    /** Replaces the log sink; see mullama_runtime_set_log(). */
    void set_log(mullama_log_level_t level, mullama_log_fn log, void *user_data) {
        check(mullama_runtime_set_log(get(), level, log, user_data));
    }

    /** The C object, borrowed; NULL for the default runtime. */
    [[nodiscard]] mullama_runtime_t *get() const noexcept { return runtime_.get(); }

private:
    detail::Handle<mullama_runtime_t, mullama_runtime_free> runtime_;
};

/** A loaded model. Copies share it. */
class Model {
public:
    /** Loads a GGUF file. The callback of `options` is used where `on_progress` is empty. */
    explicit Model(std::string_view path,
                   mullama_model_options_t options = mullama::options<mullama_model_options_t>(),
                   const OnProgress &on_progress = {}) {
        load(options, on_progress, [&](mullama_model_t **model) {
            return mullama_model_load(path.data(), path.size(), &options, model);
        });
    }
    /** Loads a split model whose parts have names of their own, in order. */
    explicit Model(std::span<const std::string> parts,
                   mullama_model_options_t options = mullama::options<mullama_model_options_t>(),
                   const OnProgress &on_progress = {}) {
        std::vector<const char *> paths;
        for (const std::string &part : parts) {
            paths.push_back(part.c_str());
        }
        load(options, on_progress, [&](mullama_model_t **model) {
            return mullama_model_load_parts(paths.data(), paths.size(), &options, model);
        });
    }
    /** Loads the bytes of a GGUF file. */
    explicit Model(std::span<const std::byte> file,
                   mullama_model_options_t options = mullama::options<mullama_model_options_t>(),
                   const OnProgress &on_progress = {}) {
        load(options, on_progress, [&](mullama_model_t **model) {
            return mullama_model_load_memory(file.data(), file.size(), &options, model);
        });
    }
    /** Takes ownership of one reference. */
    explicit Model(mullama_model_t *model) noexcept : model_(model) {}
    /** Shares the model. */
    Model(const Model &other) noexcept : model_(mullama_model_retain(other.get())) {}
    /** Moves. */
    Model(Model &&) noexcept = default;
    /** Shares the model. */
    Model &operator=(const Model &other) noexcept {
        model_.reset(mullama_model_retain(other.get()));
        return *this;
    }
    /** Moves. */
    Model &operator=(Model &&) noexcept = default;
    ~Model() = default;

    /** What a model and one context would take, without loading any weights. */
    [[nodiscard]] static mullama_memory_estimate_t
    estimate(std::string_view path, const mullama_model_options_t &model_options,
             const mullama_context_options_t &context_options) {
        mullama_memory_estimate_t result;
        mullama_memory_estimate_init(&result, sizeof result);
        check(mullama_model_estimate(path.data(), path.size(), &model_options, &context_options,
                                     &result));
        return result;
    }

    /** Sizes and abilities. */
    [[nodiscard]] mullama_model_info_t info() const {
        mullama_model_info_t result;
        mullama_model_info_init(&result, sizeof result);
        check(mullama_model_get_info(get(), &result));
        return result;
    }
    /** The architecture as GGUF names it. */
    [[nodiscard]] std::string_view architecture() const noexcept {
        return view(mullama_model_architecture);
    }
    /** The model in a few words. */
    [[nodiscard]] std::string_view description() const noexcept {
        return view(mullama_model_description);
    }
    /** How the weights are stored. */
    [[nodiscard]] std::string_view quantization() const noexcept {
        return view(mullama_model_quantization);
    }
    /** The fingerprint of the content. */
    [[nodiscard]] std::string_view fingerprint() const noexcept {
        return view(mullama_model_fingerprint);
    }
    /** The Jinja text of a chat template; the default one for an empty name. */
    [[nodiscard]] std::optional<std::string_view>
    chat_template(std::string_view name = {}) const noexcept {
        size_t size = 0;
        const char *text = mullama_model_chat_template(get(), name.empty() ? nullptr : name.data(),
                                                       name.size(), &size);
        if (text == nullptr) {
            return std::nullopt;
        }
        return std::string_view(text, size);
    }

    /** How many keys the metadata has. */
    [[nodiscard]] size_t metadata_count() const noexcept {
        return mullama_model_metadata_count(get());
    }
    /** One key of the metadata. */
    [[nodiscard]] mullama_metadata_entry_t metadata(size_t index) const {
        mullama_metadata_entry_t result;
        mullama_metadata_entry_init(&result, sizeof result);
        check(mullama_model_get_metadata(get(), index, &result));
        return result;
    }
    /** A key's index; nothing where the model lacks it. */
    [[nodiscard]] std::optional<size_t> find_metadata(std::string_view key) const {
        size_t index = 0;
        mullama_error_t *error = mullama_model_find_metadata(get(), key.data(), key.size(), &index);
        if (mullama_error_code(error) == MULLAMA_ERROR_NOT_FOUND) {
            mullama_error_free(error);
            return std::nullopt;
        }
        check(error);
        return index;
    }
    /** A value as text to show. */
    [[nodiscard]] std::string format_metadata(size_t index, size_t max_elements = 0) const {
        mullama_text_t *text = nullptr;
        check(mullama_model_metadata_format(get(), index, max_elements, &text));
        return detail::take(text);
    }

    /** Turns text into tokens. */
    [[nodiscard]] std::vector<Token>
    tokenize(std::string_view text, const mullama_tokenize_options_t &options =
                                        mullama::options<mullama_tokenize_options_t>()) const {
        mullama_tokens_t *tokens = nullptr;
        check(mullama_model_tokenize(get(), text.data(), text.size(), &options, &tokens));
        const detail::Handle<mullama_tokens_t, mullama_tokens_free> owned(tokens);
        size_t count = 0;
        const Token *data = mullama_tokens_data(tokens, &count);
        return {data, data + count};
    }
    /** Turns tokens into bytes. */
    [[nodiscard]] std::string
    detokenize(std::span<const Token> tokens,
               const mullama_detokenize_options_t &options =
                   mullama::options<mullama_detokenize_options_t>()) const {
        mullama_text_t *text = nullptr;
        check(mullama_model_detokenize(get(), tokens.data(), tokens.size(), &options, &text));
        return detail::take(text);
    }
    /** Describes a token. */
    [[nodiscard]] mullama_token_info_t token(Token token) const {
        mullama_token_info_t result;
        mullama_token_info_init(&result, sizeof result);
        check(mullama_model_get_token(get(), token, &result));
        return result;
    }
    /** A token with a meaning of its own; MULLAMA_TOKEN_NONE where the model has none. */
    [[nodiscard]] Token special(mullama_special_token_t which) const noexcept {
        return mullama_model_special_token(get(), which);
    }

    /** The C object, borrowed. */
    [[nodiscard]] mullama_model_t *get() const noexcept { return model_.get(); }

private:
    template <class Call>
    void load(mullama_model_options_t &options, const OnProgress &on_progress, Call &&call) {
        struct State {
            const OnProgress &on_progress;
            detail::Courier courier;
        } state{on_progress, {}};
        if (on_progress) {
            options.progress_user_data = &state;
            options.progress = [](float progress, void *user_data) {
                auto &self = *static_cast<State *>(user_data);
                return self.courier.call([&] { return self.on_progress(progress); });
            };
        }
        mullama_model_t *model = nullptr;
        mullama_error_t *error = call(&model);
        model_.reset(model);
        state.courier.deliver(error);
    }

    [[nodiscard]] std::string_view view(const char *(*part)(const mullama_model_t *,
                                                            size_t *)) const noexcept {
        size_t size = 0;
        const char *text = part(get(), &size);
        return {text, size};
    }

    detail::Handle<mullama_model_t, mullama_model_free> model_;
};

/** A LoRA or a control vector for one model; a value that shares it. */
class Adapter {
public:
    /** Loads one. */
    Adapter(
        const Model &model, std::string_view path,
        const mullama_adapter_options_t &options = mullama::options<mullama_adapter_options_t>()) {
        mullama_adapter_t *adapter = nullptr;
        check(mullama_adapter_load(model.get(), path.data(), path.size(), &options, &adapter));
        adapter_.reset(adapter);
    }
    /** Takes ownership of a reference. */
    explicit Adapter(mullama_adapter_t *adapter) noexcept : adapter_(adapter) {}
    /** Shares the adapter. */
    Adapter(const Adapter &other) noexcept : adapter_(mullama_adapter_retain(other.get())) {}
    /** Shares the adapter. */
    Adapter &operator=(const Adapter &other) noexcept {
        adapter_.reset(mullama_adapter_retain(other.get()));
        return *this;
    }
    Adapter(Adapter &&) noexcept = default;
    Adapter &operator=(Adapter &&) noexcept = default;
    ~Adapter() = default;

    /** Its kind and sizes. */
    [[nodiscard]] mullama_adapter_info_t info() const {
        mullama_adapter_info_t result;
        mullama_adapter_info_init(&result, sizeof result);
        check(mullama_adapter_get_info(get(), &result));
        return result;
    }
    /** What its file calls it. */
    [[nodiscard]] std::string_view name() const noexcept { return view(mullama_adapter_name); }
    /** What its file says about it. */
    [[nodiscard]] std::string_view description() const noexcept {
        return view(mullama_adapter_description);
    }
    /** The same for what does the same to the same model. */
    [[nodiscard]] std::string_view fingerprint() const noexcept {
        return view(mullama_adapter_fingerprint);
    }
    /** What an activated LoRA waits for; empty for all others. */
    [[nodiscard]] std::span<const Token> invocation_tokens() const noexcept {
        size_t count = 0;
        const Token *tokens = mullama_adapter_invocation_tokens(get(), &count);
        return {tokens, count};
    }

    /** How many keys its metadata has. */
    [[nodiscard]] size_t metadata_count() const noexcept {
        return mullama_adapter_metadata_count(get());
    }
    /** One key of the metadata. */
    [[nodiscard]] mullama_metadata_entry_t metadata(size_t index) const {
        mullama_metadata_entry_t result;
        mullama_metadata_entry_init(&result, sizeof result);
        check(mullama_adapter_get_metadata(get(), index, &result));
        return result;
    }
    /** A value as text to show. */
    [[nodiscard]] std::string format_metadata(size_t index, size_t max_elements = 0) const {
        mullama_text_t *text = nullptr;
        check(mullama_adapter_metadata_format(get(), index, max_elements, &text));
        return detail::take(text);
    }

    /** The C object, borrowed. */
    [[nodiscard]] mullama_adapter_t *get() const noexcept { return adapter_.get(); }

private:
    [[nodiscard]] std::string_view view(const char *(*part)(const mullama_adapter_t *,
                                                            size_t *)) const noexcept {
        size_t size = 0;
        const char *text = part(get(), &size);
        return {text, size};
    }

    detail::Handle<mullama_adapter_t, mullama_adapter_free> adapter_;
};

/** An adapter, and how strongly it is applied. */
struct ScaledAdapter {
    /** The adapter. */
    Adapter adapter;
    /** Its scale. */
    float scale = 1.0F;
};

/** Turns tokens into text one by one, never giving out half a character. */
class Detokenizer {
public:
    /** Starts a text. */
    explicit Detokenizer(const Model &model, const mullama_detokenize_options_t &options =
                                                 mullama::options<mullama_detokenize_options_t>()) {
        mullama_detokenizer_t *detokenizer = nullptr;
        check(mullama_detokenizer_new(model.get(), &options, &detokenizer));
        detokenizer_.reset(detokenizer);
    }

    /** Takes the next token; the text is valid until the next call. */
    std::string_view push(Token token) {
        const char *text = nullptr;
        size_t size = 0;
        check(mullama_detokenizer_push(get(), token, &text, &size));
        return {text, size};
    }
    /** Ends the text; what it returns is valid until the next call. */
    std::string_view finish() {
        const char *text = nullptr;
        size_t size = 0;
        check(mullama_detokenizer_finish(get(), &text, &size));
        return {text, size};
    }

    /** The C object, borrowed. */
    [[nodiscard]] mullama_detokenizer_t *get() const noexcept { return detokenizer_.get(); }

private:
    detail::Handle<mullama_detokenizer_t, mullama_detokenizer_free> detokenizer_;
};

/** The tokens of one decode. */
class Batch {
public:
    /** An empty batch. */
    Batch() {
        mullama_batch_t *batch = nullptr;
        check(mullama_batch_new(&batch));
        batch_.reset(batch);
    }

    /** Adds a token to some sequences. */
    void add(Token token, mullama_pos_t position, std::span<const mullama_seq_id_t> sequences,
             bool output) {
        check(
            mullama_batch_add(get(), token, position, sequences.data(), sequences.size(), output));
    }
    /** Adds a token to one sequence. */
    void add(Token token, mullama_pos_t position, mullama_seq_id_t sequence, bool output) {
        check(mullama_batch_add(get(), token, position, &sequence, 1, output));
    }
    /** Adds an embedding, in place of a token, to one sequence. */
    void add_embedding(std::span<const float> embedding, mullama_pos_t position,
                       mullama_seq_id_t sequence, bool output) {
        check(mullama_batch_add_embedding(get(), embedding.data(), embedding.size(), position,
                                          &sequence, 1, output));
    }
    /** How many tokens it holds. */
    [[nodiscard]] size_t size() const noexcept { return mullama_batch_count(get()); }
    /** Takes all tokens out. */
    void clear() noexcept { mullama_batch_clear(get()); }

    /** The C object, borrowed. */
    [[nodiscard]] mullama_batch_t *get() const noexcept { return batch_.get(); }

private:
    detail::Handle<mullama_batch_t, mullama_batch_free> batch_;
};

class Context;

/** Tokens that can still be selected. */
class Candidates {
public:
    /** Every token of a vocabulary. */
    [[nodiscard]] static Candidates of_logits(std::span<const float> logits) {
        Candidates result;
        check(mullama_candidates_set_logits(result.get(), logits.data(), logits.size()));
        return result;
    }
    /** A list. */
    [[nodiscard]] static Candidates of_list(std::span<const mullama_candidate_t> list) {
        Candidates result;
        check(mullama_candidates_set_list(result.get(), list.data(), list.size()));
        return result;
    }
    /** Takes ownership, except of what a custom stage gets. */
    explicit Candidates(mullama_candidates_t *candidates) noexcept : candidates_(candidates) {}

    /** How many there are. */
    [[nodiscard]] size_t size() const noexcept { return mullama_candidates_count(get()); }
    /** The list; valid until the candidates change. */
    [[nodiscard]] std::span<const mullama_candidate_t> list() {
        const mullama_candidate_t *list = nullptr;
        size_t count = 0;
        check(mullama_candidates_list(get(), &list, &count));
        return {list, count};
    }
    /** The list, to be changed in place; valid until the next call. */
    [[nodiscard]] std::span<mullama_candidate_t> edit() {
        mullama_candidate_t *list = nullptr;
        size_t count = 0;
        check(mullama_candidates_edit(get(), &list, &count));
        return {list, count};
    }
    /** Puts another list in place of this one. */
    void set_list(std::span<const mullama_candidate_t> list) {
        check(mullama_candidates_set_list(get(), list.data(), list.size()));
    }
    /** Leaves the first of the list. */
    void truncate(size_t count) { check(mullama_candidates_truncate(get(), count)); }
    /** Puts the likeliest first. */
    void sort() { check(mullama_candidates_sort(get())); }
    /** Gives each its probability. */
    void softmax() { check(mullama_candidates_softmax(get())); }
    /** Selects one. */
    void select(size_t index) { check(mullama_candidates_select(get(), index)); }
    /** Which one is selected. */
    [[nodiscard]] std::optional<size_t> selected() const noexcept {
        const int64_t index = mullama_candidates_selected(get());
        return index < 0 ? std::nullopt : std::optional(static_cast<size_t>(index));
    }

    /** The C object, borrowed. */
    [[nodiscard]] mullama_candidates_t *get() const noexcept { return candidates_.get(); }

private:
    Candidates() {
        mullama_candidates_t *candidates = nullptr;
        check(mullama_candidates_new(&candidates));
        candidates_.reset(candidates);
    }

    detail::Handle<mullama_candidates_t, mullama_candidates_free> candidates_;
};

/** A token, and what is added to its logit. */
struct Bias {
    Token token;
    float value;
};

/** A chain of sampling stages. */
class Sampler {
public:
    /** An empty chain. */
    Sampler() {
        mullama_sampler_t *sampler = nullptr;
        check(mullama_sampler_new(&sampler));
        sampler_.reset(sampler);
    }
    /** The usual stages at their defaults. */
    [[nodiscard]] static Sampler defaults() {
        mullama_sampler_t *sampler = nullptr;
        check(mullama_sampler_new_default(&sampler));
        return Sampler(sampler);
    }
    /** The chain of a preset: "precise", "balanced", "creative" or, with a model, "model". */
    [[nodiscard]] static Sampler preset(std::string_view name, const Model *model = nullptr) {
        mullama_sampler_t *sampler = nullptr;
        check(mullama_sampler_new_preset(name.data(), name.size(),
                                         model == nullptr ? nullptr : model->get(), &sampler));
        return Sampler(sampler);
    }
    /** Takes ownership. */
    explicit Sampler(mullama_sampler_t *sampler) noexcept : sampler_(sampler) {}

    /** A copy with all its state. */
    [[nodiscard]] Sampler clone() const {
        mullama_sampler_t *sampler = nullptr;
        check(mullama_sampler_clone(get(), &sampler));
        return Sampler(sampler);
    }
    /** Adds a stage; returns its index. */
    size_t add(std::string_view stage) {
        size_t index = 0;
        check(mullama_sampler_add(get(), stage.data(), stage.size(), &index));
        return index;
    }
    /** Adds a stage in front of the one at `index`. */
    void insert(size_t index, std::string_view stage) {
        check(mullama_sampler_insert(get(), index, stage.data(), stage.size()));
    }
    /** Adds a stage of the program's own in front of the one at `index`: `apply` narrows or
     * reshapes the candidates; an exception of its ends the call with MULLAMA_ERROR_CANCELLED.
     * Copies of the chain share it. */
    void insert(size_t index, const char *name, std::function<void(Candidates &)> apply) {
        auto owned = std::make_unique<std::shared_ptr<std::function<void(Candidates &)>>>(
            std::make_shared<std::function<void(Candidates &)>>(std::move(apply)));
        using Owner = std::shared_ptr<std::function<void(Candidates &)>>;
        mullama_custom_stage_t stage;
        mullama_custom_stage_init(&stage, sizeof stage);
        stage.name = name;
        stage.user_data = owned.release();
        stage.apply = [](mullama_candidates_t *candidates, void *user_data) {
            try {
                // Freeing what a stage gets does nothing.
                Candidates shown(candidates);
                (**static_cast<Owner *>(user_data))(shown);
                return true;
            } catch (...) {
                return false;
            }
        };
        stage.clone = [](void *user_data, void **copy) {
            *copy = new (std::nothrow) Owner(*static_cast<Owner *>(user_data));
            return *copy != nullptr;
        };
        stage.release = [](void *user_data) { delete static_cast<Owner *>(user_data); };
        check(mullama_sampler_insert_custom(get(), index, &stage));
    }
    /** The first stage of that name, added where the table has it if there is none. */
    size_t ensure(std::string_view stage) {
        size_t index = 0;
        check(mullama_sampler_ensure(get(), stage.data(), stage.size(), &index));
        return index;
    }
    /** Takes a stage out. */
    void remove(size_t stage) { check(mullama_sampler_remove(get(), stage)); }
    /** Says whose tokens these are. */
    void set_model(const Model &model) { check(mullama_sampler_set_model(get(), model.get())); }
    /** Sets a whole number. */
    void set_int(size_t stage, std::string_view parameter, int64_t value) {
        check(mullama_sampler_set_int(get(), stage, parameter.data(), parameter.size(), value));
    }
    /** Sets a real number. */
    void set_float(size_t stage, std::string_view parameter, double value) {
        check(mullama_sampler_set_float(get(), stage, parameter.data(), parameter.size(), value));
    }
    /** Sets true or false. */
    void set_bool(size_t stage, std::string_view parameter, bool value) {
        check(mullama_sampler_set_bool(get(), stage, parameter.data(), parameter.size(), value));
    }
    /** Sets a text. */
    void set_text(size_t stage, std::string_view parameter, std::string_view text) {
        check(mullama_sampler_set_text(get(), stage, parameter.data(), parameter.size(),
                                       text.data(), text.size()));
    }
    /** Sets a list of texts. */
    void set_texts(size_t stage, std::string_view parameter, std::span<const std::string> texts) {
        std::vector<const char *> data;
        std::vector<size_t> sizes;
        for (const std::string &text : texts) {
            data.push_back(text.data());
            sizes.push_back(text.size());
        }
        check(mullama_sampler_set_texts(get(), stage, parameter.data(), parameter.size(),
                                        data.data(), sizes.data(), data.size()));
    }
    /** Sets what is added to the logits of some tokens. */
    void set_biases(size_t stage, std::string_view parameter, std::span<const Bias> biases) {
        std::vector<Token> tokens;
        std::vector<float> values;
        for (const Bias &bias : biases) {
            tokens.push_back(bias.token);
            values.push_back(bias.value);
        }
        check(mullama_sampler_set_biases(get(), stage, parameter.data(), parameter.size(),
                                         tokens.data(), values.data(), tokens.size()));
    }
    /** A number, or a truth value as 0 or 1. */
    [[nodiscard]] double number(size_t stage, std::string_view parameter) const {
        double value = 0;
        check(mullama_sampler_get_number(get(), stage, parameter.data(), parameter.size(), &value));
        return value;
    }
    /** A text, or one of a list; valid until the chain changes. */
    [[nodiscard]] std::string_view text(size_t stage, std::string_view parameter,
                                        size_t index = 0) const {
        const char *text = nullptr;
        size_t size = 0;
        check(mullama_sampler_get_text(get(), stage, parameter.data(), parameter.size(), index,
                                       &text, &size));
        return {text, size};
    }
    /** One of a list of biases. */
    [[nodiscard]] Bias bias(size_t stage, std::string_view parameter, size_t index) const {
        Bias result{};
        check(mullama_sampler_get_bias(get(), stage, parameter.data(), parameter.size(), index,
                                       &result.token, &result.value));
        return result;
    }
    /** How long a list is; 1 for anything else. */
    [[nodiscard]] size_t value_count(size_t stage, std::string_view parameter) const {
        size_t count = 0;
        check(
            mullama_sampler_value_count(get(), stage, parameter.data(), parameter.size(), &count));
        return count;
    }
    /** How many stages it has. */
    [[nodiscard]] size_t size() const noexcept { return mullama_sampler_count(get()); }
    /** A stage's name. */
    [[nodiscard]] std::string_view stage_name(size_t stage) const noexcept {
        const char *name = mullama_sampler_stage_name(get(), stage);
        return name == nullptr ? std::string_view() : std::string_view(name);
    }

    /** Selects a token from logits, and accepts it. */
    Token sample(std::span<const float> logits) {
        Token token = MULLAMA_TOKEN_NONE;
        check(mullama_sampler_sample(get(), logits.data(), logits.size(), &token));
        return token;
    }
    /** Selects a token from the logits that a context holds, and accepts it. */
    Token sample(Context &context, int32_t index = -1);
    /** Runs the chain over candidates of the caller's own; nothing is accepted. */
    void apply(Candidates &candidates) { check(mullama_sampler_apply(get(), candidates.get())); }
    /** Tells the stages of a generated token that they did not select. */
    void accept(Token token) { check(mullama_sampler_accept(get(), token)); }
    /** Tells the stages of a prompt's tokens. */
    void accept_prompt(std::span<const Token> tokens) {
        check(mullama_sampler_accept_prompt(get(), tokens.data(), tokens.size()));
    }
    /** Puts history and random state back to the beginning. */
    void reset() { check(mullama_sampler_reset(get())); }

    /** The table of all kinds of stage that the library has. */
    [[nodiscard]] static std::vector<mullama_stage_info_t> table() {
        std::vector<mullama_stage_info_t> result(mullama_sampler_stage_count());
        for (size_t row = 0; row < result.size(); ++row) {
            mullama_stage_info_init(&result[row], sizeof result[row]);
            check(mullama_sampler_get_stage(row, &result[row]));
        }
        return result;
    }
    /** The presets. */
    [[nodiscard]] static std::vector<mullama_preset_info_t> presets() {
        std::vector<mullama_preset_info_t> result(mullama_sampler_preset_count());
        for (size_t row = 0; row < result.size(); ++row) {
            mullama_preset_info_init(&result[row], sizeof result[row]);
            check(mullama_sampler_get_preset(row, &result[row]));
        }
        return result;
    }
    /** The parameters of a row of the table. */
    [[nodiscard]] static std::vector<mullama_parameter_info_t> parameters(size_t row) {
        mullama_stage_info_t stage;
        mullama_stage_info_init(&stage, sizeof stage);
        check(mullama_sampler_get_stage(row, &stage));
        std::vector<mullama_parameter_info_t> result(stage.parameter_count);
        for (size_t i = 0; i < result.size(); ++i) {
            mullama_parameter_info_init(&result[i], sizeof result[i]);
            check(mullama_sampler_get_parameter(row, i, &result[i]));
        }
        return result;
    }

    /** The C object, borrowed. */
    [[nodiscard]] mullama_sampler_t *get() const noexcept { return sampler_.get(); }

private:
    detail::Handle<mullama_sampler_t, mullama_sampler_free> sampler_;
};

/** What a generation gave. */
struct Generation {
    /** The text. */
    std::string text;
    /** What was done, and why it ended. */
    mullama_generate_stats_t stats;
};

/** What a saved state says about itself. */
class State {
public:
    /** Reads a state; its bytes are not needed any more afterwards. */
    [[nodiscard]] static State inspect(std::string_view state) {
        mullama_state_t *result = nullptr;
        check(mullama_state_inspect(state.data(), state.size(), &result));
        return State(result);
    }
    /** The same, of a file. */
    [[nodiscard]] static State inspect_file(std::string_view path) {
        mullama_state_t *result = nullptr;
        check(mullama_state_inspect_file(path.data(), path.size(), &result));
        return State(result);
    }

    /** All of it; its texts live as long as this object. */
    [[nodiscard]] mullama_state_info_t info() const {
        mullama_state_info_t result;
        mullama_state_info_init(&result, sizeof result);
        check(mullama_state_get_info(get(), &result));
        return result;
    }

    /** The C object, borrowed. */
    [[nodiscard]] const mullama_state_t *get() const noexcept { return state_.get(); }

private:
    explicit State(mullama_state_t *state) noexcept : state_(state) {}

    detail::Handle<mullama_state_t, mullama_state_free> state_;
};

/** A model's working memory. */
class Context {
public:
    /** Makes a context. */
    explicit Context(const Model &model, const mullama_context_options_t &options =
                                             mullama::options<mullama_context_options_t>()) {
        mullama_context_t *context = nullptr;
        check(mullama_context_new(model.get(), &options, &context));
        context_.reset(context);
    }

    /** The context as it really is. */
    [[nodiscard]] mullama_context_info_t info() const {
        mullama_context_info_t result;
        mullama_context_info_init(&result, sizeof result);
        check(mullama_context_get_info(get(), &result));
        return result;
    }
    /** Measures now how many threads are fastest. */
    void warm_up() { check(mullama_context_warm_up(get())); }
    /** Decodes one batch. */
    void decode(const Batch &batch) { check(mullama_context_decode(get(), batch.get())); }
    /** Runs the encoder of an encoder-decoder model. */
    void encode(const Batch &batch) { check(mullama_context_encode(get(), batch.get())); }
    /** Appends tokens to a sequence. */
    void prefill(std::span<const Token> tokens, mullama_output_t output = MULLAMA_OUTPUT_LAST,
                 mullama_seq_id_t sequence = 0) {
        check(mullama_context_prefill(get(), sequence, tokens.data(), tokens.size(), output));
    }
    /** The logits of one token of the last decode; valid until the next one. */
    [[nodiscard]] std::span<const float> logits(int32_t index = -1) {
        const float *logits = nullptr;
        size_t count = 0;
        check(mullama_context_logits(get(), index, &logits, &count));
        return {logits, count};
    }
    /** Replaces all adapters; what the context holds stays as it was computed. */
    void set_adapters(std::span<const ScaledAdapter> adapters) {
        std::vector<mullama_adapter_t *> list;
        std::vector<float> scales;
        for (const ScaledAdapter &scaled : adapters) {
            list.push_back(scaled.adapter.get());
            scales.push_back(scaled.scale);
        }
        check(mullama_context_set_adapters(get(), list.data(), scales.data(), list.size()));
    }
    /** The adapters, in the order in which they were set. */
    [[nodiscard]] std::vector<ScaledAdapter> adapters() const {
        size_t count = 0;
        check(mullama_context_adapter_count(get(), &count));
        std::vector<ScaledAdapter> result;
        for (size_t i = 0; i < count; ++i) {
            mullama_adapter_t *adapter = nullptr;
            float scale = 0;
            check(mullama_context_get_adapter(get(), i, &adapter, &scale));
            result.push_back({Adapter(mullama_adapter_retain(adapter)), scale});
        }
        return result;
    }
    /** How many tokens a sequence holds. */
    [[nodiscard]] size_t sequence_size(mullama_seq_id_t sequence = 0) {
        size_t count = 0;
        check(mullama_context_sequence_size(get(), sequence, &count));
        return count;
    }
    /** Log-probabilities of the whole vocabulary after one token of the last decode. */
    [[nodiscard]] std::vector<float> logprobs(int32_t index = -1) {
        std::vector<float> result(logits(index).size());
        check(mullama_context_logprobs(get(), index, result.data(), result.size()));
        return result;
    }
    /** Gives embeddings besides logits, or stops to. */
    void set_embeddings(bool embeddings) {
        check(mullama_context_set_embeddings(get(), embeddings));
    }
    /** Lets tokens look at those before them only, or at all of their batch. */
    void set_causal(bool causal) { check(mullama_context_set_causal(get(), causal)); }
    /** The embedding of one token of the last decode; valid until the next one. */
    [[nodiscard]] std::span<const float> embedding(int32_t index = -1) {
        const float *embedding = nullptr;
        size_t count = 0;
        check(mullama_context_embedding(get(), index, &embedding, &count));
        return {embedding, count};
    }
    /** The pooled embedding of a sequence in the last decode; valid until the next one. */
    [[nodiscard]] std::span<const float> sequence_embedding(mullama_seq_id_t sequence = 0) {
        const float *embedding = nullptr;
        size_t count = 0;
        check(mullama_context_sequence_embedding(get(), sequence, &embedding, &count));
        return {embedding, count};
    }

    /** The first and the last position that a sequence holds; -1 and -1 when it is empty. */
    [[nodiscard]] std::pair<mullama_pos_t, mullama_pos_t>
    sequence_positions(mullama_seq_id_t sequence = 0) {
        std::pair<mullama_pos_t, mullama_pos_t> result;
        check(mullama_context_sequence_positions(get(), sequence, &result.first, &result.second));
        return result;
    }
    /** The tokens that a sequence was made of. */
    [[nodiscard]] std::vector<Token> sequence_tokens(mullama_seq_id_t sequence = 0) {
        mullama_tokens_t *tokens = nullptr;
        check(mullama_context_sequence_tokens(get(), sequence, &tokens));
        const detail::Handle<mullama_tokens_t, mullama_tokens_free> owned(tokens);
        size_t count = 0;
        const Token *data = mullama_tokens_data(tokens, &count);
        return {data, data + count};
    }
    /** Copies a sequence, or a part, to an empty one. */
    void copy_sequence(mullama_seq_id_t from, mullama_seq_id_t to, mullama_pos_t begin = 0,
                       mullama_pos_t end = MULLAMA_POSITION_END) {
        check(mullama_context_sequence_copy(get(), from, to, begin, end));
    }
    /** Takes tokens out of a sequence. */
    void remove(mullama_seq_id_t sequence, mullama_pos_t begin = 0,
                mullama_pos_t end = MULLAMA_POSITION_END) {
        check(mullama_context_sequence_remove(get(), sequence, begin, end));
    }
    /** Empties all sequences but one. */
    void keep(mullama_seq_id_t sequence) { check(mullama_context_sequence_keep(get(), sequence)); }
    /** Moves positions. */
    void shift(mullama_seq_id_t sequence, mullama_pos_t begin, mullama_pos_t end,
               mullama_pos_t delta) {
        check(mullama_context_sequence_shift(get(), sequence, begin, end, delta));
    }
    /** Divides positions. */
    void divide(mullama_seq_id_t sequence, mullama_pos_t begin, mullama_pos_t end,
                int32_t divisor) {
        check(mullama_context_sequence_divide(get(), sequence, begin, end, divisor));
    }
    /** Empties every sequence. */
    void clear() { check(mullama_context_clear(get())); }

    /** Ends the computation in progress, or the next one; from any thread. */
    void abort() { check(mullama_context_abort(get())); }
    /** Computes with other numbers of threads; 0: measured now. */
    void set_threads(int32_t n_threads, int32_t n_threads_batch) {
        check(mullama_context_set_threads(get(), n_threads, n_threads_batch));
    }
    /** What the context has done. */
    [[nodiscard]] mullama_context_counters_t counters() {
        mullama_context_counters_t result;
        mullama_context_counters_init(&result, sizeof result);
        check(mullama_context_get_counters(get(), &result));
        return result;
    }
    /** Counts from zero again. */
    void reset_counters() { check(mullama_context_reset_counters(get())); }

    /** What a sequence holds, or all of the context, as bytes; see state.h. */
    [[nodiscard]] std::string save_state(mullama_seq_id_t sequence = MULLAMA_SEQUENCE_ALL) {
        mullama_text_t *state = nullptr;
        check(mullama_context_save_state(get(), sequence, &state));
        return detail::take(state);
    }
    /** The same, to a file. */
    void save_state_file(std::string_view path, mullama_seq_id_t sequence = MULLAMA_SEQUENCE_ALL) {
        check(mullama_context_save_state_file(get(), sequence, path.data(), path.size()));
    }
    /** Puts a saved state in place of what a sequence, or all of the context, holds. */
    void load_state(std::string_view state, mullama_seq_id_t sequence = MULLAMA_SEQUENCE_ALL) {
        check(mullama_context_load_state(get(), sequence, state.data(), state.size()));
    }
    /** The same, from a file. */
    void load_state_file(std::string_view path, mullama_seq_id_t sequence = MULLAMA_SEQUENCE_ALL) {
        check(mullama_context_load_state_file(get(), sequence, path.data(), path.size()));
    }

    /** Hears of each token; returning false stops. It may throw: the exception reaches the caller.
     */
    using OnToken = std::function<bool(const mullama_token_event_t &)>;

    /**
     * Generates from a text. A NULL sampler is greedy. The callbacks of `options` are used where
     * `on_token` and `on_prefill` are both empty.
     */
    Generation
    generate(std::string_view prompt, Sampler *sampler = nullptr, const OnToken &on_token = {},
             mullama_generate_options_t options = mullama::options<mullama_generate_options_t>(),
             const OnProgress &on_prefill = {}) {
        return generate(
            [&](mullama_generate_stats_t *stats, mullama_text_t **text) {
                return mullama_context_generate(get(), native(sampler), prompt.data(),
                                                prompt.size(), &options, stats, text);
            },
            on_token, on_prefill, options);
    }
    /** Generates from tokens. */
    Generation
    generate(std::span<const Token> prompt, Sampler *sampler = nullptr,
             const OnToken &on_token = {},
             mullama_generate_options_t options = mullama::options<mullama_generate_options_t>(),
             const OnProgress &on_prefill = {}) {
        return generate(
            [&](mullama_generate_stats_t *stats, mullama_text_t **text) {
                return mullama_context_generate_tokens(get(), native(sampler), prompt.data(),
                                                       prompt.size(), &options, stats, text);
            },
            on_token, on_prefill, options);
    }

    /**
     * The embedding of each text: a row of info().n_embd_sequence numbers. The callback of
     * `options` is used where `on_progress` is empty.
     */
    [[nodiscard]] std::vector<float>
    embed(std::span<const std::string_view> texts,
          mullama_embed_options_t options = mullama::options<mullama_embed_options_t>(),
          const OnProgress &on_progress = {}) {
        const TextList list = split(texts);
        std::vector<float> rows(texts.size() * row_size());
        watch(options, on_progress, [&] {
            return mullama_context_embed(get(), list.data.data(), list.sizes.data(), texts.size(),
                                         &options, rows.data(), rows.size());
        });
        return rows;
    }
    /** The embedding of one text. */
    [[nodiscard]] std::vector<float>
    embed(std::string_view text,
          const mullama_embed_options_t &options = mullama::options<mullama_embed_options_t>()) {
        return embed(std::span(&text, 1), options);
    }
    /** The embedding of one text that is tokenized already. */
    [[nodiscard]] std::vector<float>
    embed(std::span<const Token> text,
          const mullama_embed_options_t &options = mullama::options<mullama_embed_options_t>()) {
        const Token *data = text.data();
        const size_t size = text.size();
        std::vector<float> row(row_size());
        check(
            mullama_context_embed_tokens(get(), &data, &size, 1, &options, row.data(), row.size()));
        return row;
    }
    /**
     * The embedding of each token of each text: rows of `width` numbers, the model's n_embd_out.
     * The callback of `options` is used where `on_progress` is empty.
     */
    [[nodiscard]] std::vector<float>
    embed_each_token(std::span<const std::vector<Token>> texts, size_t width,
                     mullama_embed_options_t options = mullama::options<mullama_embed_options_t>(),
                     const OnProgress &on_progress = {}) {
        std::vector<const Token *> data;
        std::vector<size_t> sizes;
        size_t rows_count = 0;
        for (const std::vector<Token> &text : texts) {
            data.push_back(text.data());
            sizes.push_back(text.size());
            rows_count += text.size();
        }
        std::vector<float> rows(rows_count * width);
        watch(options, on_progress, [&] {
            return mullama_context_embed_each_token(get(), data.data(), sizes.data(), texts.size(),
                                                    &options, rows.data(), rows.size());
        });
        return rows;
    }
    /** A reranker's scores of documents: a row of info().n_embd_sequence numbers for each. */
    [[nodiscard]] std::vector<float>
    rerank(std::string_view query, std::span<const std::string_view> documents,
           mullama_rerank_options_t options = mullama::options<mullama_rerank_options_t>(),
           const OnProgress &on_progress = {}) {
        const TextList list = split(documents);
        std::vector<float> scores(documents.size() * row_size());
        watch(options, on_progress, [&] {
            return mullama_context_rerank(get(), query.data(), query.size(), list.data.data(),
                                          list.sizes.data(), documents.size(), &options,
                                          scores.data(), scores.size());
        });
        return scores;
    }
    /** Appends tokens to a sequence, and tells how likely those from `first` on were. */
    [[nodiscard]] std::vector<float> prefill_logprobs(std::span<const Token> tokens,
                                                      size_t first = 1,
                                                      mullama_seq_id_t sequence = 0) {
        std::vector<float> logprobs(tokens.size() -
                                    (first < tokens.size() ? first : tokens.size()));
        check(mullama_context_prefill_logprobs(get(), sequence, tokens.data(), tokens.size(), first,
                                               logprobs.data(), logprobs.size()));
        return logprobs;
    }
    /** Hears of each window of a perplexity; returning false stops. It may throw: the exception
     * reaches the caller. */
    using OnWindow = std::function<bool(const mullama_window_event_t &)>;
    /** How well the model foresees a text. The callback of `options` is used where `on_window` is
     * empty. */
    [[nodiscard]] mullama_perplexity_t perplexity(
        std::span<const Token> tokens,
        mullama_perplexity_options_t options = mullama::options<mullama_perplexity_options_t>(),
        const OnWindow &on_window = {}) {
        struct Callback {
            const OnWindow &on_window;
            detail::Courier courier;
        } state{on_window, {}};
        if (on_window) {
            options.user_data = &state;
            options.on_window = [](const mullama_window_event_t *event, void *user_data) {
                auto &self = *static_cast<Callback *>(user_data);
                return self.courier.call([&] { return self.on_window(*event); });
            };
        }
        mullama_perplexity_t result;
        mullama_perplexity_init(&result, sizeof result);
        state.courier.deliver(
            mullama_context_perplexity(get(), tokens.data(), tokens.size(), &options, &result));
        return result;
    }

    /** The C object, borrowed. */
    [[nodiscard]] mullama_context_t *get() const noexcept { return context_.get(); }

private:
    [[nodiscard]] size_t row_size() const { return static_cast<size_t>(info().n_embd_sequence); }

    // Texts as C has them.
    struct TextList {
        std::vector<const char *> data;
        std::vector<size_t> sizes;
    };
    static TextList split(std::span<const std::string_view> texts) {
        TextList result;
        result.data.reserve(texts.size());
        result.sizes.reserve(texts.size());
        for (const std::string_view text : texts) {
            result.data.push_back(text.data());
            result.sizes.push_back(text.size());
        }
        return result;
    }

    // A call whose options have a progress callback.
    template <class Options, class Call>
    static void watch(Options &options, const OnProgress &on_progress, Call &&call) {
        struct Callback {
            const OnProgress &on_progress;
            detail::Courier courier;
        } state{on_progress, {}};
        if (on_progress) {
            options.user_data = &state;
            options.progress = [](float progress, void *user_data) {
                auto &self = *static_cast<Callback *>(user_data);
                return self.courier.call([&] { return self.on_progress(progress); });
            };
        }
        state.courier.deliver(call());
    }

    static mullama_sampler_t *native(Sampler *sampler) noexcept {
        return sampler == nullptr ? nullptr : sampler->get();
    }

    template <class Call>
    static Generation generate(Call &&call, const OnToken &on_token, const OnProgress &on_prefill,
                               mullama_generate_options_t &options) {
        struct Callbacks {
            const OnToken &on_token;
            const OnProgress &on_prefill;
            detail::Courier courier;
        } state{on_token, on_prefill, {}};
        if (on_token || on_prefill) {
            // The two share user_data, so neither can be left to the caller's own.
            options.user_data = &state;
            options.on_token = [](const mullama_token_event_t *event, void *user_data) {
                auto &self = *static_cast<Callbacks *>(user_data);
                return !self.on_token || self.courier.call([&] { return self.on_token(*event); });
            };
            options.on_prefill = [](float progress, void *user_data) {
                auto &self = *static_cast<Callbacks *>(user_data);
                return !self.on_prefill ||
                       self.courier.call([&] { return self.on_prefill(progress); });
            };
        }
        Generation result;
        mullama_generate_stats_init(&result.stats, sizeof result.stats);
        mullama_text_t *text = nullptr;
        mullama_error_t *error = call(&result.stats, &text);
        const detail::Handle<mullama_text_t, mullama_text_free> owned(text);
        state.courier.deliver(error);
        size_t size = 0;
        const char *data = mullama_text_data(text, &size);
        result.text.assign(data, size);
        return result;
    }

    detail::Handle<mullama_context_t, mullama_context_free> context_;
};

/** What an engine is asked. */
class Request {
public:
    /** Goes on from a text. */
    explicit Request(std::string_view text, const mullama_request_options_t &options =
                                                mullama::options<mullama_request_options_t>())
        : Request(options) {
        check(mullama_request_set_text(get(), text.data(), text.size()));
    }
    /** Goes on from tokens. */
    explicit Request(
        std::span<const Token> tokens,
        const mullama_request_options_t &options = mullama::options<mullama_request_options_t>())
        : Request(options) {
        check(mullama_request_set_tokens(get(), tokens.data(), tokens.size()));
    }

    /** Chooses tokens with a copy of this chain. */
    Request &sampler(Sampler &sampler) {
        check(mullama_request_set_sampler(get(), sampler.get()));
        return *this;
    }
    /** Computes with these adapters. */
    Request &adapters(std::span<const ScaledAdapter> adapters) {
        std::vector<mullama_adapter_t *> list;
        std::vector<float> scales;
        for (const ScaledAdapter &scaled : adapters) {
            list.push_back(scaled.adapter.get());
            scales.push_back(scaled.scale);
        }
        check(mullama_request_set_adapters(get(), list.data(), scales.data(), list.size()));
        return *this;
    }

    /** The C object, borrowed. */
    [[nodiscard]] mullama_request_t *get() const noexcept { return request_.get(); }

private:
    explicit Request(const mullama_request_options_t &options) {
        mullama_request_t *request = nullptr;
        check(mullama_request_new(&request));
        request_.reset(request);
        check(mullama_request_set_options(request, &options));
    }

    detail::Handle<mullama_request_t, mullama_request_free> request_;
};

/** A request in flight; one that is destroyed is cancelled. */
class Stream {
public:
    /** Takes ownership of a stream that mullama_engine_submit() made. */
    explicit Stream(mullama_stream_t *stream) noexcept : stream_(stream) {}

    /** Waits for the next event; what it points to is valid until the next call. */
    [[nodiscard]] mullama_stream_event_t next(int64_t timeout_ms = -1) {
        mullama_stream_event_t event;
        mullama_stream_event_init(&event, sizeof event);
        check(mullama_stream_next(get(), timeout_ms, &event));
        return event;
    }
    /** Waits for the end, and gives the text of continuation 0. Throws what it failed with. */
    [[nodiscard]] std::string text() {
        std::string text;
        for (auto event = next(); event.kind != MULLAMA_EVENT_END; event = next()) {
            if (event.kind == MULLAMA_EVENT_TOKEN && event.continuation == 0) {
                text.append(event.text, event.text_size);
            }
        }
        mullama_error_t *failure = nullptr;
        check(mullama_stream_get_failure(get(), 0, &failure));
        check(failure);
        return text;
    }
    /** How a continuation went. */
    [[nodiscard]] mullama_stream_result_t result(uint32_t continuation = 0) const {
        mullama_stream_result_t result;
        mullama_stream_result_init(&result, sizeof result);
        check(mullama_stream_get_result(get(), continuation, &result));
        return result;
    }
    /** Ends all continuations; any thread. */
    void cancel() { check(mullama_stream_cancel(get())); }

    /** The C object, borrowed. */
    [[nodiscard]] mullama_stream_t *get() const noexcept { return stream_.get(); }

private:
    detail::Handle<mullama_stream_t, mullama_stream_free> stream_;
};

/** Events of many streams behind one handle. */
class Queue {
public:
    /** Makes a queue whose events are taken. */
    Queue() {
        mullama_queue_t *queue = nullptr;
        check(mullama_queue_new(&queue));
        queue_.reset(queue);
    }

    /** What poll and its like can wait for. */
    [[nodiscard]] intptr_t handle() const {
        intptr_t handle = 0;
        check(mullama_queue_handle(get(), &handle));
        return handle;
    }
    /** Hands at most `most` events that are there to `each(tag, event)`, waiting for the first;
     * how many there were. */
    template <class Each>
    size_t take(size_t most, int64_t timeout_ms, Each &&each) {
        mullama_events_t *taken = nullptr;
        check(mullama_queue_take(get(), most, timeout_ms, &taken));
        const detail::Handle<mullama_events_t, mullama_events_free> events(taken);
        const size_t count = mullama_events_count(taken);
        for (size_t i = 0; i < count; ++i) {
            mullama_stream_event_t event;
            mullama_stream_event_init(&event, sizeof event);
            uint64_t tag = 0;
            check(mullama_events_get(taken, i, &tag, &event));
            each(tag, event);
        }
        return count;
    }

    /** The C object, borrowed. */
    [[nodiscard]] mullama_queue_t *get() const noexcept { return queue_.get(); }

private:
    detail::Handle<mullama_queue_t, mullama_queue_free> queue_;
};

/** Many requests at once on one model. */
class Engine {
public:
    /** Makes an engine and starts its threads. */
    explicit Engine(const Model &model, const mullama_engine_options_t &options =
                                            mullama::options<mullama_engine_options_t>()) {
        mullama_engine_t *engine = nullptr;
        check(mullama_engine_new(model.get(), &options, &engine));
        engine_.reset(engine);
    }

    /** Submits a request, and returns at once. */
    [[nodiscard]] Stream submit(const Request &request) {
        mullama_stream_t *stream = nullptr;
        check(mullama_engine_submit(get(), request.get(), nullptr, 0, &stream));
        return Stream(stream);
    }
    /** The same, with its events to a queue, under this tag. */
    [[nodiscard]] Stream submit(const Request &request, Queue &queue, uint64_t tag) {
        mullama_stream_t *stream = nullptr;
        check(mullama_engine_submit(get(), request.get(), queue.get(), tag, &stream));
        return Stream(stream);
    }
    /** Takes no more requests, and waits for those that were submitted; whether all have ended. */
    bool drain(int64_t timeout_ms = -1) {
        bool done = false;
        check(mullama_engine_drain(get(), timeout_ms, &done));
        return done;
    }
    /** Forgets all prefixes that no request uses. */
    void clear_cache() { check(mullama_engine_clear_cache(get())); }
    /** What it does and did. */
    [[nodiscard]] mullama_engine_stats_t stats() const {
        mullama_engine_stats_t result;
        mullama_engine_stats_init(&result, sizeof result);
        check(mullama_engine_get_stats(get(), &result));
        return result;
    }

    /** The C object, borrowed. */
    [[nodiscard]] mullama_engine_t *get() const noexcept { return engine_.get(); }

private:
    detail::Handle<mullama_engine_t, mullama_engine_free> engine_;
};

inline Token Sampler::sample(Context &context, int32_t index) {
    Token token = MULLAMA_TOKEN_NONE;
    check(mullama_sampler_sample_context(get(), context.get(), index, &token));
    return token;
}

} // namespace mullama

#endif

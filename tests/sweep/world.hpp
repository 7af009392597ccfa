// The objects that calls are made with, and the memory that their arguments lie in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/adapter.hpp"
#include "support/context.hpp"
#include "support/engine.hpp"
#include "support/temporary_folder.hpp"
#include "sweep/description.hpp"

namespace mullama::sweep {

// 0xff begins no character.
inline constexpr std::string_view not_utf8("ab\xff");
inline constexpr std::int64_t not_utf8_offset = 2;

// Which engine a sweep runs with.
enum class Engine { echo, llama };

// Becomes a pointer to an output of whatever type the parameter has: see World::out().
class World;
class Out {
public:
    explicit Out(World &world) : world_(world) {}
    template <class T>
    operator T *() const;

private:
    World &world_;
};

// Thread safety: one thread.
class World {
public:
    explicit World(Engine engine);
    World(const World &) = delete;
    World &operator=(const World &) = delete;
    ~World();

    [[nodiscard]] bool is_llama() const { return engine_ == Engine::llama; }

    // Objects are made when they are first asked for and last as long as the world.
    mullama_runtime_t *runtime();
    // Generates text; vocabulary above 200.
    mullama_model_t *model();
    std::size_t n_vocab();
    std::size_t n_embd();
    std::size_t metadata_index(std::string_view key);
    // A path, and options that load it again; nothing for the echo engine.
    std::string_view model_path();
    const mullama_model_options_t *model_options();
    // Of another architecture, with another vocabulary; needs llama.
    mullama_model_t *other_model();
    mullama_model_t *encoder_decoder();
    mullama_model_t *vocabulary(); // model() without weights
    // Room for 4 sequences, empty now.
    mullama_context_t *context();
    // The same, sequence 0 holding tokens(), the logits of each kept.
    mullama_context_t *decoded();
    // Pools embeddings or does not; empty now.
    mullama_context_t *pooled(mullama_pooling_t pooling);
    mullama_context_t *encoding_context();
    mullama_context_t *ranking_context();
    // As context(), and not used for anything else.
    mullama_context_t *context_of_its_own();
    // The same, with an abort that ends its next computation.
    mullama_context_t *aborted();
    // The usual stages, afresh.
    mullama_sampler_t *sampler();
    mullama_sampler_t *empty_sampler();
    // One stage of this name.
    mullama_sampler_t *sampler_of(std::string_view stage);
    // Three tokens.
    mullama_candidates_t *candidates();
    mullama_candidates_t *empty_candidates();
    mullama_detokenizer_t *detokenizer();
    mullama_adapter_t *adapter();
    // It has, besides what a LoRA needs, the keys general.sweep_truth and general.sweep_no.
    std::string_view adapter_path();
    std::size_t adapter_index(std::string_view key);
    std::string_view vector_path();     // a control vector
    mullama_adapter_t *other_adapter(); // another model's
    // decoded() with adapter() set.
    mullama_context_t *adapted();
    mullama_text_t *text();
    mullama_tokens_t *list();
    mullama_error_t *error();
    mullama_state_t *state();
    // A saved state of sequence 0 of decoded().
    std::string_view saved_state();
    // One of other_model().
    std::string_view other_state();

    // Serves model().
    mullama_engine_t *engine();
    mullama_engine_t *drained_engine();
    // With a prompt, and without.
    mullama_request_t *request();
    mullama_request_t *empty_request();
    // Of request(), all of its events there.
    mullama_stream_t *stream();
    mullama_stream_t *queued_stream();
    // With something to take, always.
    mullama_queue_t *queue();
    mullama_queue_t *calling_queue();
    mullama_events_t *events();

    // A batch of the given tokens at positions 0, 1, 2 of sequence 0, all of them outputs.
    mullama_batch_t *batch(std::initializer_list<mullama_token_t> tokens);

    // Three tokens that any model knows.
    [[nodiscard]] const mullama_token_t *tokens() const { return tokens_.data(); }
    [[nodiscard]] std::size_t n_tokens() const { return tokens_.size(); }

    // Bytes to work with, that live on.
    std::string &scratch_text() { return scratch_text_; }
    // A file in a scratch folder; it need not exist.
    std::string_view scratch(std::string_view name);
    // A folder's file written with these bytes.
    std::string_view file(std::string_view name, std::string_view bytes);

    // --- memory of one call's arguments

    // Forgets the arguments of the last call.
    void begin();
    // An output, filled with a pattern; a struct has its struct_size.
    [[nodiscard]] Out out() { return Out(*this); }
    template <class T>
    T *outputs(std::size_t count);
    // In and out: it starts with this value.
    template <class T>
    T *in_out(const T &value);
    // Input that lives until begin().
    template <class T>
    T *keep(const T &value);
    // Options as their init function fills them, changed by `change`.
    template <class T, class Init, class Change>
    const T *options(Init init, Change &&change);

    // Takes the outputs as they are now for what they must be after a failure.
    void note_outputs();
    [[nodiscard]] bool outputs_untouched() const;

private:
    struct Block {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t size = 0;
        std::vector<std::byte> noted;
    };
    std::byte *allocate(std::vector<Block> &blocks, std::size_t size);

    Engine engine_;
    mullama::test::TemporaryFolder folder_;
    std::map<std::string, std::string, std::less<>> paths_;
    std::vector<Block> inputs_;
    std::vector<Block> outputs_;
    std::vector<mullama_token_t> tokens_{65, 66, 67};

    mullama::test::RuntimeHandle runtime_;
    mullama::test::ModelHandle model_;
    mullama::test::ModelHandle other_model_;
    mullama::test::ModelHandle encoder_decoder_;
    mullama::test::ModelHandle vocabulary_;
    mullama::test::ContextHandle context_;
    mullama::test::ContextHandle encoding_context_;
    mullama::test::ModelHandle ranking_model_;
    mullama::test::ContextHandle ranking_context_;
    std::vector<mullama::test::ContextHandle> own_contexts_;
    std::map<mullama_pooling_t, mullama::test::ContextHandle> pooled_;
    mullama::test::SamplerHandle sampler_;
    std::unique_ptr<mullama_candidates_t, mullama::test::Deleter<mullama_candidates_free>>
        candidates_;
    mullama::test::DetokenizerHandle detokenizer_;
    mullama::test::AdapterHandle adapter_;
    mullama::test::AdapterHandle other_adapter_;
    mullama::test::TextHandle text_;
    mullama::test::TokensHandle list_;
    mullama::test::ErrorHandle error_;
    std::unique_ptr<mullama_state_t, mullama::test::Deleter<mullama_state_free>> state_;
    mullama::test::BatchHandle batch_;
    mullama::test::EngineHandle engine_of_model_;
    mullama::test::EngineHandle drained_engine_;
    mullama::test::RequestHandle request_;
    mullama::test::RequestHandle empty_request_;
    mullama::test::StreamHandle stream_;
    mullama::test::QueueHandle queue_;
    mullama::test::QueueHandle calling_queue_;
    mullama::test::EventsHandle events_;
    std::vector<mullama::test::StreamHandle> queued_streams_;
    std::string saved_state_;
    std::string other_state_;
    std::string scratch_text_;
    mullama_model_options_t model_options_{};
};

// What outputs hold before a call: nothing that any call would write.
inline constexpr int output_pattern = 0xa5;

template <class T>
T *World::outputs(std::size_t count) {
    std::byte *const bytes = allocate(outputs_, count * sizeof(T));
    std::memset(bytes, output_pattern, count * sizeof(T));
    auto *const values = reinterpret_cast<T *>(bytes);
    if constexpr (SizedStruct<T>)
        values->struct_size = sizeof(T);
    return values;
}

template <class T>
T *World::in_out(const T &value) {
    T *const kept = outputs<T>(1);
    std::memcpy(static_cast<void *>(kept), &value, sizeof value);
    return kept;
}

template <class T>
T *World::keep(const T &value) {
    std::byte *const bytes = allocate(inputs_, sizeof value);
    std::memcpy(bytes, &value, sizeof value);
    return reinterpret_cast<T *>(bytes);
}

template <class T, class Init, class Change>
const T *World::options(Init init, Change &&change) {
    T options;
    init(&options, sizeof options);
    change(options);
    return keep(options);
}

template <class T>
Out::operator T *() const {
    return world_.outputs<T>(1);
}

} // namespace mullama::sweep

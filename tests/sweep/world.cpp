#include "sweep/world.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "support/gguf_builder.hpp"
#include "support/manifest.hpp"

namespace mullama::sweep {

using namespace mullama::test;

namespace {

// The log ring that next_log() reads from has lines only if a runtime keeps some.
RuntimeHandle new_runtime() {
    mullama_runtime_t *runtime = nullptr;
    EXPECT_OK(mullama_runtime_new(nullptr, &runtime));
    return RuntimeHandle(runtime);
}

ContextHandle small_context(mullama_model_t *model, mullama_pooling_t pooling) {
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_seq_max = 4;
    options.pooling = pooling;
    if (pooling != MULLAMA_POOLING_DEFAULT)
        options.embeddings = MULLAMA_SWITCH_ON;
    return new_context(model, options);
}

mullama_model_info_t info_of(const mullama_model_t *model) {
    mullama_model_info_t info;
    mullama_model_info_init(&info, sizeof info);
    EXPECT_OK(mullama_model_get_info(model, &info));
    return info;
}

// What sequence 0 holds.
std::string state_of(mullama_context_t *context) {
    mullama_text_t *saved = nullptr;
    EXPECT_OK(mullama_context_save_state(context, 0, &saved));
    const TextHandle owned(saved);
    return text_of(saved);
}

// A GGUF file with two more keys, 32 bytes each, so that all that is aligned in it stays aligned.
std::string with_more_metadata(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(file), {});
    constexpr std::size_t header_size = 24;
    constexpr std::size_t count_offset = 16;
    Bytes more;
    more.text("general.sweep_truth").put(gguf_type_of<bool>).put(std::uint8_t{1});
    more.text("general.sweep_no").put(gguf_type_of<std::int32_t>).put(std::int32_t{7});
    EXPECT_EQ(more.size(), 64U);
    bytes.insert(header_size, reinterpret_cast<const char *>(more.data().data()), more.size());
    std::uint64_t count = 0;
    std::memcpy(&count, bytes.data() + count_offset, sizeof count);
    count += 2;
    std::memcpy(bytes.data() + count_offset, &count, sizeof count);
    return bytes;
}

} // namespace

World::World(Engine engine) : engine_(engine) {
    mullama_model_options_init(&model_options_, sizeof model_options_);
    if (!is_llama())
        model_options_.backend = "echo";
}

World::~World() = default;

mullama_runtime_t *World::runtime() {
    if (!runtime_)
        runtime_ = new_runtime();
    return runtime_.get();
}

std::string_view World::model_path() {
    std::string &path = paths_["model"];
    if (path.empty() && is_llama())
        path = fixture_path("llama.gguf");
    return path;
}

const mullama_model_options_t *World::model_options() {
    return keep(model_options_);
}

mullama_model_t *World::model() {
    if (!model_)
        model_ = is_llama() ? load_model(fixture_path("llama.gguf")) : echo_model();
    return model_.get();
}

std::size_t World::n_vocab() {
    return static_cast<std::size_t>(info_of(model()).n_vocab);
}

std::size_t World::n_embd() {
    return static_cast<std::size_t>(info_of(model()).n_embd_out);
}

std::size_t World::metadata_index(std::string_view key) {
    std::size_t index = 0;
    EXPECT_OK(mullama_model_find_metadata(model(), key.data(), key.size(), &index)) << key;
    return index;
}

mullama_model_t *World::other_model() {
    if (!other_model_)
        other_model_ = load_model(fixture_path("moe.gguf"));
    return other_model_.get();
}

mullama_model_t *World::encoder_decoder() {
    if (!encoder_decoder_)
        encoder_decoder_ = load_model(fixture_path("t5.gguf"));
    return encoder_decoder_.get();
}

mullama_model_t *World::vocabulary() {
    if (!vocabulary_) {
        mullama_model_options_t options = model_options_;
        options.vocab_only = true;
        vocabulary_ = load_model(fixture_path("llama.gguf"), &options);
    }
    return vocabulary_.get();
}

mullama_context_t *World::context() {
    if (!context_)
        context_ = small_context(model(), MULLAMA_POOLING_DEFAULT);
    EXPECT_OK(mullama_context_clear(context_.get()));
    return context_.get();
}

mullama_context_t *World::decoded() {
    mullama_context_t *const context = this->context();
    EXPECT_OK(mullama_context_prefill(context, 0, tokens(), n_tokens(), MULLAMA_OUTPUT_ALL));
    return context;
}

mullama_context_t *World::pooled(mullama_pooling_t pooling) {
    ContextHandle &context = pooled_[pooling];
    if (!context)
        context = small_context(model(), pooling);
    EXPECT_OK(mullama_context_clear(context.get()));
    return context.get();
}

mullama_context_t *World::encoding_context() {
    if (!encoding_context_)
        encoding_context_ = small_context(encoder_decoder(), MULLAMA_POOLING_DEFAULT);
    EXPECT_OK(mullama_context_clear(encoding_context_.get()));
    return encoding_context_.get();
}

mullama_context_t *World::ranking_context() {
    if (!ranking_context_) {
        ranking_model_ = load_model(fixture_path("qwen_rank.gguf"));
        ranking_context_ = small_context(ranking_model_.get(), MULLAMA_POOLING_RANK);
    }
    EXPECT_OK(mullama_context_clear(ranking_context_.get()));
    return ranking_context_.get();
}

mullama_context_t *World::context_of_its_own() {
    own_contexts_.push_back(small_context(model(), MULLAMA_POOLING_DEFAULT));
    return own_contexts_.back().get();
}

mullama_context_t *World::aborted() {
    mullama_context_t *const context = context_of_its_own();
    EXPECT_OK(mullama_context_abort(context));
    return context;
}

mullama_sampler_t *World::empty_sampler() {
    sampler_ = new_sampler();
    return sampler_.get();
}

mullama_sampler_t *World::sampler() {
    mullama_sampler_t *sampler = nullptr;
    EXPECT_OK(mullama_sampler_new_default(&sampler));
    sampler_.reset(sampler);
    return sampler;
}

mullama_sampler_t *World::sampler_of(std::string_view stage) {
    mullama_sampler_t *const sampler = empty_sampler();
    add_stage(sampler, stage);
    return sampler;
}

mullama_candidates_t *World::empty_candidates() {
    mullama_candidates_t *candidates = nullptr;
    EXPECT_OK(mullama_candidates_new(&candidates));
    candidates_.reset(candidates);
    return candidates;
}

mullama_candidates_t *World::candidates() {
    mullama_candidates_t *const candidates = empty_candidates();
    const std::array<float, 3> logits{1, 3, 2};
    EXPECT_OK(mullama_candidates_set_logits(candidates, logits.data(), logits.size()));
    return candidates;
}

mullama_detokenizer_t *World::detokenizer() {
    if (!detokenizer_) {
        mullama_detokenizer_t *detokenizer = nullptr;
        EXPECT_OK(mullama_detokenizer_new(model(), nullptr, &detokenizer));
        detokenizer_.reset(detokenizer);
    }
    return detokenizer_.get();
}

mullama_adapter_t *World::adapter() {
    if (!adapter_)
        adapter_ = load_adapter(model(), std::string(adapter_path()));
    return adapter_.get();
}

std::string_view World::adapter_path() {
    if (!paths_.contains("scratch adapter"))
        return file("adapter", with_more_metadata(fixture_path("lora_llama.gguf")));
    return scratch("adapter");
}

std::string_view World::vector_path() {
    std::string &path = paths_["vector"];
    if (path.empty())
        path = fixture_path("vector_llama.gguf");
    return path;
}

std::size_t World::adapter_index(std::string_view key) {
    std::size_t index = 0;
    EXPECT_OK(mullama_adapter_find_metadata(adapter(), key.data(), key.size(), &index)) << key;
    return index;
}

mullama_context_t *World::adapted() {
    mullama_adapter_t *const adapter = this->adapter();
    const float scale = 0.5F;
    mullama_context_t *const context = this->context();
    EXPECT_OK(mullama_context_set_adapters(context, &adapter, &scale, 1));
    return context;
}

mullama_adapter_t *World::other_adapter() {
    if (!other_adapter_)
        other_adapter_ = load_adapter(other_model(), fixture_path("lora_moe.gguf"));
    return other_adapter_.get();
}

mullama_text_t *World::text() {
    if (!text_) {
        mullama_text_t *text = nullptr;
        EXPECT_OK(mullama_model_detokenize(model(), tokens(), n_tokens(), nullptr, &text));
        text_.reset(text);
    }
    return text_.get();
}

mullama_tokens_t *World::list() {
    if (!list_) {
        mullama_tokens_t *list = nullptr;
        EXPECT_OK(mullama_model_tokenize(model(), "abc", 3, nullptr, &list));
        list_.reset(list);
    }
    return list_.get();
}

mullama_error_t *World::error() {
    if (!error_) {
        mullama_tokens_t *none = nullptr;
        error_.reset(
            mullama_model_tokenize(model(), not_utf8.data(), not_utf8.size(), nullptr, &none));
    }
    return error_.get();
}

std::string_view World::saved_state() {
    if (saved_state_.empty())
        saved_state_ = state_of(decoded());
    return saved_state_;
}

std::string_view World::other_state() {
    if (other_state_.empty()) {
        const ContextHandle context = small_context(other_model(), MULLAMA_POOLING_DEFAULT);
        EXPECT_OK(
            mullama_context_prefill(context.get(), 0, tokens(), n_tokens(), MULLAMA_OUTPUT_LAST));
        other_state_ = state_of(context.get());
    }
    return other_state_;
}

mullama_state_t *World::state() {
    if (!state_) {
        mullama_state_t *state = nullptr;
        const std::string_view bytes = saved_state();
        EXPECT_OK(mullama_state_inspect(bytes.data(), bytes.size(), &state));
        state_.reset(state);
    }
    return state_.get();
}

mullama_engine_t *World::engine() {
    if (!engine_of_model_)
        engine_of_model_ = new_engine(model(), engine_context(256, 4));
    return engine_of_model_.get();
}

mullama_engine_t *World::drained_engine() {
    if (!drained_engine_)
        drained_engine_ = new_engine(model(), engine_context(256, 4));
    return drained_engine_.get();
}

mullama_request_t *World::request() {
    mullama_request_options_t options = request_options();
    options.max_tokens = 4;
    request_ = new_request(std::vector<mullama_token_t>(tokens(), tokens() + n_tokens()), options);
    return request_.get();
}

mullama_request_t *World::empty_request() {
    mullama_request_t *request = nullptr;
    EXPECT_OK(mullama_request_new(&request));
    empty_request_.reset(request);
    return request;
}

mullama_stream_t *World::stream() {
    if (!stream_) {
        request();
        stream_ = submit(engine(), request_);
    }
    return stream_.get();
}

mullama_queue_t *World::queue() {
    if (!queue_) {
        mullama_queue_t *queue = nullptr;
        EXPECT_OK(mullama_queue_new(&queue));
        queue_.reset(queue);
    }
    request();
    queued_streams_.push_back(submit(engine(), request_, queue_.get(), 9));
    return queue_.get();
}

mullama_stream_t *World::queued_stream() {
    queue();
    return queued_streams_.back().get();
}

mullama_queue_t *World::calling_queue() {
    if (!calling_queue_) {
        mullama_queue_t *queue = nullptr;
        EXPECT_OK(mullama_queue_new_callback(
            [](std::uint64_t, const mullama_stream_event_t *, void *) {}, nullptr, &queue));
        calling_queue_.reset(queue);
    }
    return calling_queue_.get();
}

mullama_events_t *World::events() {
    if (!events_) {
        mullama_events_t *events = nullptr;
        EXPECT_OK(mullama_queue_take(queue(), 1, -1, &events));
        events_.reset(events);
    }
    return events_.get();
}

mullama_batch_t *World::batch(std::initializer_list<mullama_token_t> tokens) {
    if (!batch_)
        batch_ = new_batch();
    mullama_batch_clear(batch_.get());
    mullama_pos_t position = 0;
    for (const mullama_token_t token : tokens)
        EXPECT_OK(add(batch_.get(), token, position++, {0}, true));
    return batch_.get();
}

std::string_view World::scratch(std::string_view name) {
    std::string &path = paths_["scratch " + std::string(name)];
    if (path.empty())
        path = folder_.path(name);
    return path;
}

std::string_view World::file(std::string_view name, std::string_view bytes) {
    folder_.write(name, bytes);
    return scratch(name);
}

void World::begin() {
    inputs_.clear();
    outputs_.clear();
    own_contexts_.clear();
}

std::byte *World::allocate(std::vector<Block> &blocks, std::size_t size) {
    Block &block = blocks.emplace_back();
    block.bytes = std::make_unique<std::byte[]>(size);
    block.size = size;
    return block.bytes.get();
}

void World::note_outputs() {
    for (Block &block : outputs_)
        block.noted.assign(block.bytes.get(), block.bytes.get() + block.size);
}

bool World::outputs_untouched() const {
    return std::ranges::all_of(outputs_, [](const Block &block) {
        return std::equal(block.noted.begin(), block.noted.end(), block.bytes.get());
    });
}

} // namespace mullama::sweep

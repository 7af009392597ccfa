// Every allocation of a call fails once: each time the caller gets the error that needs no memory,
// the outputs are untouched, and nothing is lost (LeakSanitizer watches).
#include "support/adapter.hpp"
#include "support/context.hpp"
#include "support/manifest.hpp"

#include <cstdlib>
#include <new>

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool leaks_are_watched = true;
#elif defined(__has_feature)
constexpr bool leaks_are_watched = __has_feature(address_sanitizer);
#else
constexpr bool leaks_are_watched = false;
#endif

// How many allocations of this thread still succeed; -1: all.
thread_local long allowed = -1;

void *allocate(std::size_t size) noexcept {
    if (allowed == 0)
        return nullptr;
    if (allowed > 0)
        --allowed;
    return std::malloc(size == 0 ? 1 : size);
}

void *allocate_or_throw(std::size_t size) {
    void *const memory = allocate(size);
    if (memory == nullptr)
        throw std::bad_alloc();
    return memory;
}

} // namespace

// Replaced for the whole program: the shared library calls these too.
void *operator new(std::size_t size) {
    return allocate_or_throw(size);
}
void *operator new[](std::size_t size) {
    return allocate_or_throw(size);
}
void *operator new(std::size_t size, const std::nothrow_t &) noexcept {
    return allocate(size);
}
void *operator new[](std::size_t size, const std::nothrow_t &) noexcept {
    return allocate(size);
}
void operator delete(void *memory) noexcept {
    std::free(memory);
}
void operator delete[](void *memory) noexcept {
    std::free(memory);
}
void operator delete(void *memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void *memory, std::size_t) noexcept {
    std::free(memory);
}

namespace {

using namespace mullama::test;

// Calls with 0, 1, 2, ... allocations until it succeeds; returns how many it takes.
template <class Call>
long fail_each_allocation(Call &&call) {
    for (long count = 0; count < 100000; ++count) {
        allowed = count;
        mullama_error_t *const error = call();
        allowed = -1;
        if (error == nullptr)
            return count;
        EXPECT_EQ(mullama_error_code(error), MULLAMA_ERROR_OUT_OF_MEMORY) << message_of(error);
        EXPECT_STREQ(mullama_error_message(error, nullptr), "out of memory");
        EXPECT_TRUE(mullama_error_retryable(error));
        mullama_error_free(error);
    }
    ADD_FAILURE() << "the call never succeeded";
    return -1;
}

TEST(OutOfMemory, Runtime) {
    mullama_runtime_t *runtime = nullptr;
    EXPECT_GT(fail_each_allocation([&] {
                  mullama_error_t *const error = mullama_runtime_new(nullptr, &runtime);
                  EXPECT_EQ(error != nullptr, runtime == nullptr);
                  return error;
              }),
              0);
    mullama_runtime_free(runtime);
}

TEST(OutOfMemory, EchoModel) {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.backend = "echo";
    const char *const overrides[] = {"echo.n_ctx_train=int:100"};
    options.metadata_overrides = overrides;
    options.metadata_overrides_count = 1;
    mullama_model_t *model = nullptr;
    EXPECT_GT(fail_each_allocation([&] {
                  mullama_error_t *const error = mullama_model_load(nullptr, 0, &options, &model);
                  EXPECT_EQ(error != nullptr, model == nullptr);
                  return error;
              }),
              10);
    mullama_model_free(model);
}

TEST(OutOfMemory, Vocabulary) {
    const ModelHandle model = echo_model();
    mullama_tokens_t *tokens = nullptr;
    fail_each_allocation(
        [&] { return mullama_model_tokenize(model.get(), "some text", 9, nullptr, &tokens); });
    const TokensHandle owned_tokens(tokens);
    size_t count = 0;
    const mullama_token_t *const data = mullama_tokens_data(tokens, &count);
    ASSERT_EQ(count, 11U);

    mullama_text_t *text = nullptr;
    fail_each_allocation(
        [&] { return mullama_model_detokenize(model.get(), data, count, nullptr, &text); });
    EXPECT_EQ(text_of(TextHandle(text).get()), "some text");

    // The first one builds the table of pieces; failing leaves it to be built again.
    mullama_token_info_t info;
    mullama_token_info_init(&info, sizeof info);
    EXPECT_GT(
        fail_each_allocation([&] { return mullama_model_get_token(model.get(), data[1], &info); }),
        5);
    EXPECT_EQ(
        fail_each_allocation([&] { return mullama_model_get_token(model.get(), data[1], &info); }),
        0);
    EXPECT_STREQ(info.piece, "s");
}

TEST(OutOfMemory, Batch) {
    mullama_batch_t *batch = nullptr;
    fail_each_allocation([&] { return mullama_batch_new(&batch); });
    const BatchHandle owned(batch);
    for (mullama_pos_t i = 0; i < 40; ++i)
        fail_each_allocation([&] { return add(batch, 'x', i, {0, 1, 2}, true); });
    EXPECT_EQ(mullama_batch_count(batch), 40U);
}

TEST(OutOfMemory, Sampler) {
    mullama_sampler_t *sampler = nullptr;
    EXPECT_GT(fail_each_allocation([&] { return mullama_sampler_new_default(&sampler); }), 5);
    const SamplerHandle owned(sampler);
    mullama_sampler_t *copy = nullptr;
    EXPECT_GT(fail_each_allocation([&] { return mullama_sampler_clone(sampler, &copy); }), 5);
    mullama_sampler_free(copy);

    const std::vector<float> logits(1000, 1.0F);
    mullama_token_t token = -1;
    const auto sample_one = [&] {
        return mullama_sampler_sample(sampler, logits.data(), logits.size(), &token);
    };
    fail_each_allocation(sample_one);
    EXPECT_EQ(fail_each_allocation(sample_one), 0) << "after the first, sampling allocates nothing";
}

TEST(OutOfMemory, Embed) {
    const ModelHandle model = echo_model();
    mullama_context_options_t options = one_thread();
    options.n_seq_max = 2;
    options.pooling = MULLAMA_POOLING_MEAN;
    const ContextHandle context = new_context(model.get(), options);
    mullama_context_info_t info;
    mullama_context_info_init(&info, sizeof info);
    ASSERT_OK(mullama_context_get_info(context.get(), &info));
    const auto width = static_cast<std::size_t>(info.n_embd_sequence);
    const char *const texts[] = {"one", "a longer text", "three"};
    std::vector<float> rows(3 * width, 7);
    const auto untouched = rows;
    EXPECT_GT(fail_each_allocation([&] {
                  mullama_error_t *const error = mullama_context_embed(
                      context.get(), texts, nullptr, 3, nullptr, rows.data(), rows.size());
                  allowed = -1;
                  EXPECT_EQ(rows == untouched, error != nullptr);
                  EXPECT_EQ(mullama_context_get_info(context.get(), &info), nullptr);
                  EXPECT_EQ(info.n_used, 0U) << "its sequences are empty again";
                  EXPECT_FALSE(info.embeddings);
                  return error;
              }),
              5);

    const std::vector<mullama_token_t> tokens(40, 'y');
    mullama_perplexity_options_t how;
    mullama_perplexity_options_init(&how, sizeof how);
    how.window = 8;
    mullama_perplexity_t perplexity;
    mullama_perplexity_init(&perplexity, sizeof perplexity);
    fail_each_allocation([&] {
        mullama_error_t *const error = mullama_context_perplexity(context.get(), tokens.data(),
                                                                  tokens.size(), &how, &perplexity);
        allowed = -1;
        EXPECT_EQ(perplexity.n_windows, error == nullptr ? 5U : 0U);
        EXPECT_EQ(mullama_context_get_info(context.get(), &info), nullptr);
        EXPECT_EQ(info.n_used, 0U);
        return error;
    });
}

TEST(OutOfMemory, Context) {
    const ModelHandle model = echo_model();
    mullama_context_options_t options = one_thread();
    options.n_seq_max = 2;
    mullama_context_t *context = nullptr;
    EXPECT_GT(
        fail_each_allocation([&] { return mullama_context_new(model.get(), &options, &context); }),
        3);
    const ContextHandle owned(context);
    const BatchHandle batch = new_batch();
    for (mullama_pos_t i = 0; i < 40; ++i)
        ASSERT_OK(add(batch.get(), 'x', i, {0, 1}, i % 2 == 1));
    std::size_t size = 0;
    fail_each_allocation([&] {
        mullama_error_t *const error = mullama_context_decode(context, batch.get());
        allowed = -1;
        EXPECT_EQ(mullama_context_sequence_size(context, 1, &size), nullptr);
        EXPECT_EQ(size, error == nullptr ? 40U : 0U) << "all of it or none of it";
        return error;
    });
    const std::vector<mullama_token_t> tokens(200, 'y');
    fail_each_allocation([&] {
        mullama_error_t *const error =
            mullama_context_prefill(context, 0, tokens.data(), tokens.size(), MULLAMA_OUTPUT_ALL);
        allowed = -1;
        EXPECT_EQ(mullama_context_sequence_size(context, 0, &size), nullptr);
        EXPECT_EQ(size, error == nullptr ? 240U : 40U);
        return error;
    });
    const float *logits = nullptr;
    fail_each_allocation([&] { return mullama_context_logits(context, 199, &logits, &size); });
}

TEST(OutOfMemory, Generate) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const char *const stop[] = {"xyz", "lo, w"};
    mullama_generate_options_t options = generate_options();
    options.stop = stop;
    options.stop_count = 2;
    options.top_logprobs = 200;
    mullama_generate_stats_t stats = generate_stats();
    mullama_text_t *text = nullptr;
    EXPECT_GT(fail_each_allocation([&] {
                  EXPECT_EQ(mullama_context_clear(context.get()), nullptr);
                  mullama_error_t *const error = mullama_context_generate(
                      context.get(), nullptr, "hello, world", 12, &options, &stats, &text);
                  allowed = -1;
                  EXPECT_EQ(error != nullptr, text == nullptr);
                  EXPECT_EQ(error != nullptr, stats.stop_reason == MULLAMA_STOP_NONE);
                  return error;
              }),
              10);
    EXPECT_EQ(text_of(TextHandle(text).get()), "hel");
    EXPECT_EQ(stats.stop_index, 1);
}

// What an error itself needs can be missing, too.
TEST(OutOfMemory, Refusals) {
    const ModelHandle model = echo_model();
    mullama_tokens_t *tokens = nullptr;
    for (long count = 0;; ++count) {
        allowed = count;
        mullama_error_t *const error =
            mullama_model_tokenize(model.get(), "\xFF", 1, nullptr, &tokens);
        allowed = -1;
        const ErrorHandle owned(error);
        ASSERT_NE(error, nullptr);
        if (mullama_error_code(error) == MULLAMA_ERROR_INVALID_UTF8)
            break;
        ASSERT_EQ(mullama_error_code(error), MULLAMA_ERROR_OUT_OF_MEMORY);
        ASSERT_LT(count, 1000);
    }
}

// The engine keeps lists of its own, and may fail between two of them.
TEST(OutOfMemory, Adapters) {
    const ModelHandle model = load_model(path_of(fixture("llama")));
    const AdapterHandle first = load_adapter(model.get(), path_of(fixture("lora_llama")));
    const ContextHandle context = new_context(model.get());
    const auto logits = [&] {
        const mullama_token_t token = 7;
        EXPECT_OK(mullama_context_clear(context.get()));
        EXPECT_OK(mullama_context_prefill(context.get(), 0, &token, 1, MULLAMA_OUTPUT_LAST));
        const float *row = nullptr;
        size_t count = 0;
        EXPECT_OK(mullama_context_logits(context.get(), -1, &row, &count));
        return std::vector<float>(row, row + count);
    };
    mullama_adapter_t *const one = first.get();
    const float scale = 0.5F;
    const AdapterHandle room = load_adapter(model.get(), path_of(fixture("vector_llama")));
    mullama_adapter_t *const both[] = {one, room.get()};
    const float both_scales[] = {1, 1};
    EXPECT_OK(mullama_context_set_adapters(context.get(), both, both_scales, 2));
    EXPECT_OK(mullama_context_set_adapters(context.get(), &one, &scale, 1));
    const std::vector<float> before = logits();
    long failures = 0;
    for (bool done = false; !done && failures < 1000; ++failures) {
        // New ones each time: what a failed call held on to must not be gone.
        const AdapterHandle lora = load_adapter(model.get(), path_of(fixture("lora_llama")));
        const AdapterHandle vector = load_adapter(model.get(), path_of(fixture("vector_llama")));
        mullama_adapter_t *const list[] = {lora.get(), vector.get(), one};
        const float scales[] = {1, 2, 3};
        allowed = failures;
        mullama_error_t *const error = mullama_context_set_adapters(context.get(), list, scales, 3);
        allowed = -1;
        done = error == nullptr;
        if (done)
            break;
        EXPECT_EQ(mullama_error_code(error), MULLAMA_ERROR_OUT_OF_MEMORY) << message_of(error);
        mullama_error_free(error);
        size_t count = 0;
        EXPECT_OK(mullama_context_adapter_count(context.get(), &count));
        EXPECT_EQ(count, 1U);
        ASSERT_EQ(logits(), before) << failures;
    }
    EXPECT_GT(failures, 10);
    EXPECT_NE(logits(), before);
}

// The engine makes room for the first control vector of a context, and cannot try again.
TEST(OutOfMemory, FirstControlVector) {
    if (leaks_are_watched)
        GTEST_SKIP() << "llama.cpp loses what it had made of a control vector when memory runs out";
    const ModelHandle model = load_model(path_of(fixture("llama")));
    const AdapterHandle vector = load_adapter(model.get(), path_of(fixture("vector_llama")));
    mullama_adapter_t *const list = vector.get();
    const float scale = 1;
    const mullama_token_t token = 7;
    long failures = 0;
    for (bool done = false; !done && failures < 1000; ++failures) {
        const ContextHandle context = new_context(model.get());
        allowed = failures;
        mullama_error_t *const error =
            mullama_context_set_adapters(context.get(), &list, &scale, 1);
        allowed = -1;
        done = error == nullptr;
        mullama_error_free(error);
        if (!done) {
            // It may work now, or not; it does no harm.
            mullama_error_free(mullama_context_set_adapters(context.get(), &list, &scale, 1));
        }
        EXPECT_OK(mullama_context_prefill(context.get(), 0, &token, 1, MULLAMA_OUTPUT_LAST));
    }
    EXPECT_GT(failures, 10);
}

} // namespace

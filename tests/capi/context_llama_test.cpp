// Contexts over llama.cpp: what depends on the kind of model.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;
using Tokens = std::vector<mullama_token_t>;

ModelHandle fixture(const std::string &name) {
    return load_model(fixture_path(name + ".gguf"));
}

std::size_t size_of(mullama_context_t *context) {
    std::size_t size = 12345;
    EXPECT_OK(mullama_context_sequence_size(context, 0, &size));
    return size;
}

std::vector<float> logits_of(mullama_context_t *context, std::int32_t index = -1) {
    const float *logits = nullptr;
    std::size_t count = 0;
    EXPECT_OK(mullama_context_logits(context, index, &logits, &count));
    return {logits, logits + count};
}

mullama_error_t *prefill(mullama_context_t *context, const Tokens &tokens) {
    return mullama_context_prefill(context, 0, tokens.data(), tokens.size(), MULLAMA_OUTPUT_LAST);
}

Tokens tokens_of(std::size_t count) {
    Tokens tokens;
    for (std::size_t i = 0; i < count; ++i)
        tokens.push_back(static_cast<mullama_token_t>(5 + i * 7 % 200));
    return tokens;
}

BatchHandle batch_of(const Tokens &tokens) {
    BatchHandle batch = new_batch();
    for (std::size_t i = 0; i < tokens.size(); ++i)
        EXPECT_OK(add(batch.get(), tokens[i], static_cast<mullama_pos_t>(i), {0}, true));
    return batch;
}

Tokens generate(mullama_context_t *context, const Tokens &prompt) {
    mullama_generate_options_t options = generate_options();
    options.max_tokens = 20;
    options.ignore_end = true;
    Tokens result;
    options.user_data = &result;
    options.on_token = [](const mullama_token_event_t *event, void *user_data) {
        static_cast<Tokens *>(user_data)->push_back(event->token);
        return true;
    };
    EXPECT_OK(mullama_context_generate_tokens(context, nullptr, prompt.data(), prompt.size(),
                                              &options, nullptr, nullptr));
    return result;
}

TEST(LlamaContext, AnEncoderKeepsNoSequences) {
    for (const char *const name : {"bert_none", "bert_mean", "bert_rank"}) {
        SCOPED_TRACE(name);
        const ModelHandle model = fixture(name);
        const ContextHandle context = new_context(model.get());
        const Tokens tokens = tokens_of(20);
        const BatchHandle batch = batch_of(tokens);
        // Each text anew, by either name.
        EXPECT_OK(mullama_context_decode(context.get(), batch.get()));
        EXPECT_OK(mullama_context_decode(context.get(), batch.get()));
        EXPECT_OK(mullama_context_encode(context.get(), batch.get()));
        EXPECT_EQ(size_of(context.get()), 0U);
        const float *logits = nullptr;
        std::size_t count = 0;
        EXPECT_REFUSED(mullama_context_logits(context.get(), -1, &logits, &count),
                       MULLAMA_ERROR_UNSUPPORTED);
        EXPECT_REFUSED(prefill(context.get(), tokens), MULLAMA_ERROR_UNSUPPORTED);
        EXPECT_REFUSED(
            mullama_context_generate(context.get(), nullptr, "a", 1, nullptr, nullptr, nullptr),
            MULLAMA_ERROR_UNSUPPORTED);
    }
}

TEST(LlamaContext, AnEncoderTakesItsTextAtOnce) {
    const ModelHandle model = fixture("bert_none");
    mullama_context_options_t options = one_thread();
    options.n_ubatch = 16;
    const ContextHandle context = new_context(model.get(), options);
    EXPECT_REFUSED(mullama_context_decode(context.get(), batch_of(tokens_of(17)).get()),
                   MULLAMA_ERROR_NO_SPACE, "batch");
    EXPECT_OK(mullama_context_decode(context.get(), batch_of(tokens_of(16)).get()));
}

TEST(LlamaContext, ADecoderNeedsItsEncoderFirst) {
    const ModelHandle model = fixture("t5");
    const ContextHandle context = new_context(model.get());
    const Tokens text = tokens_of(30);
    const mullama_token_t start =
        mullama_model_special_token(model.get(), MULLAMA_SPECIAL_DECODER_START);
    ASSERT_NE(start, MULLAMA_TOKEN_NONE);
    EXPECT_REFUSED(prefill(context.get(), {start}), MULLAMA_ERROR_INVALID_STATE);
    ASSERT_OK(mullama_context_encode(context.get(), batch_of(text).get()));
    EXPECT_EQ(size_of(context.get()), 0U);
    ASSERT_OK(prefill(context.get(), {start}));
    const std::vector<float> logits = logits_of(context.get());
    const auto best = static_cast<mullama_token_t>(std::max_element(logits.begin(), logits.end()) -
                                                   logits.begin());

    EXPECT_REFUSED(mullama_context_generate_tokens(context.get(), nullptr, text.data(), text.size(),
                                                   nullptr, nullptr, nullptr),
                   MULLAMA_ERROR_INVALID_STATE, "sequence");
    ASSERT_OK(mullama_context_clear(context.get()));
    EXPECT_EQ(generate(context.get(), text).front(), best);
    ASSERT_OK(mullama_context_clear(context.get()));
    EXPECT_REFUSED(mullama_context_generate_tokens(context.get(), nullptr, nullptr, 0, nullptr,
                                                   nullptr, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "prompt");
}

bool cancel(float, void *) {
    return false;
}

// A cancelled prefill leaves the sequence as it was, and what follows is as if nothing had been.
TEST(LlamaContext, ACancelledPrefillIsUndone) {
    for (const char *const name : {"llama", "qwen", "moe", "swa"}) {
        SCOPED_TRACE(name);
        const ModelHandle model = fixture(name);
        mullama_context_options_t options = one_thread();
        options.n_batch = 16;
        const ContextHandle context = new_context(model.get(), options);
        const ContextHandle fresh = new_context(model.get(), options);
        ASSERT_OK(prefill(context.get(), tokens_of(10)));
        ASSERT_OK(prefill(fresh.get(), tokens_of(10)));
        mullama_generate_options_t how = generate_options();
        how.on_prefill = cancel;
        const Tokens more = tokens_of(50);
        EXPECT_REFUSED(mullama_context_generate_tokens(context.get(), nullptr, more.data(),
                                                       more.size(), &how, nullptr, nullptr),
                       MULLAMA_ERROR_CANCELLED);
        EXPECT_EQ(size_of(context.get()), 10U);
        ASSERT_OK(prefill(context.get(), {42}));
        ASSERT_OK(prefill(fresh.get(), {42}));
        const std::vector<float> mine = logits_of(context.get());
        const std::vector<float> expected = logits_of(fresh.get());
        for (std::size_t i = 0; i < mine.size(); ++i)
            ASSERT_NEAR(mine[i], expected[i], 1e-4) << i;
    }
}

// A state that cannot go back is empty, never half a text.
TEST(LlamaContext, ACancelledPrefillEmptiesARecurrentModel) {
    for (const char *const name : {"recurrent", "rwkv", "hybrid", "plamo2"}) {
        SCOPED_TRACE(name);
        const ModelHandle model = fixture(name);
        mullama_context_options_t options = one_thread();
        options.n_batch = 16;
        const ContextHandle context = new_context(model.get(), options);
        ASSERT_OK(prefill(context.get(), tokens_of(10)));
        mullama_generate_options_t how = generate_options();
        how.on_prefill = cancel;
        const Tokens more = tokens_of(50);
        EXPECT_REFUSED(mullama_context_generate_tokens(context.get(), nullptr, more.data(),
                                                       more.size(), &how, nullptr, nullptr),
                       MULLAMA_ERROR_CANCELLED);
        EXPECT_EQ(size_of(context.get()), 0U);
        const ContextHandle fresh = new_context(model.get(), options);
        EXPECT_EQ(generate(context.get(), more), generate(fresh.get(), more));
    }
}

TEST(LlamaContext, CacheTypes) {
    // Its heads are 64 wide: a multiple of every block.
    const ModelHandle model = fixture("llama_q8_0");
    const ModelHandle wide = fixture("llama_q4_k");
    for (int type = MULLAMA_CACHE_TYPE_F16; type <= MULLAMA_CACHE_TYPE_IQ4_NL; ++type) {
        SCOPED_TRACE(type);
        mullama_context_options_t options = one_thread();
        options.type_k = static_cast<mullama_cache_type_t>(type);
        options.type_v = options.type_k;
        const ContextHandle context = new_context(wide.get(), options);
        ASSERT_NE(context, nullptr);
        EXPECT_EQ(generate(context.get(), tokens_of(40)).size(), 20U);
        // Heads of 16 are no multiple of a block of 32.
        mullama_context_t *narrow = nullptr;
        if (type >= MULLAMA_CACHE_TYPE_Q8_0) {
            EXPECT_REFUSED(mullama_context_new(model.get(), &options, &narrow),
                           MULLAMA_ERROR_UNSUPPORTED);
            EXPECT_EQ(narrow, nullptr);
        }
    }
}

// Measured numbers are remembered for the model, and measuring leaves nothing behind.
TEST(LlamaContext, ThreadsAreMeasuredOnce) {
    mullama_runtime_options_t runtime_options;
    mullama_runtime_options_init(&runtime_options, sizeof runtime_options);
    runtime_options.max_threads = 2;
    for (const char *const name : {"llama", "recurrent", "t5", "bert_none"}) {
        SCOPED_TRACE(name);
        mullama_runtime_t *runtime = nullptr;
        ASSERT_OK(mullama_runtime_new(&runtime_options, &runtime));
        const RuntimeHandle owned(runtime);
        mullama_model_options_t model_options;
        mullama_model_options_init(&model_options, sizeof model_options);
        model_options.runtime = runtime;
        const ModelHandle model =
            load_model(fixture_path(std::string(name) + ".gguf"), &model_options);
        mullama_context_options_t options;
        mullama_context_options_init(&options, sizeof options);
        const ContextHandle context = new_context(model.get(), options);
        mullama_context_info_t info;
        mullama_context_info_init(&info, sizeof info);
        ASSERT_OK(mullama_context_get_info(context.get(), &info));
        EXPECT_EQ(info.n_threads, 0);
        EXPECT_EQ(info.n_threads_batch, 0);
        ASSERT_OK(mullama_context_warm_up(context.get()));
        ASSERT_OK(mullama_context_get_info(context.get(), &info));
        EXPECT_GE(info.n_threads, 1);
        EXPECT_LE(info.n_threads, 2);
        EXPECT_GE(info.n_threads_batch, 1);
        EXPECT_LE(info.n_threads_batch, 2);
        EXPECT_EQ(size_of(context.get()), 0U);

        const ContextHandle second = new_context(model.get(), options);
        mullama_context_info_t remembered;
        mullama_context_info_init(&remembered, sizeof remembered);
        ASSERT_OK(mullama_context_get_info(second.get(), &remembered));
        EXPECT_EQ(remembered.n_threads, info.n_threads);
        EXPECT_EQ(remembered.n_threads_batch, info.n_threads_batch);
        if (std::string(name) == "bert_none")
            continue;
        mullama_context_options_t told = options;
        told.n_threads = info.n_threads;
        told.n_threads_batch = info.n_threads_batch;
        const ContextHandle third = new_context(model.get(), told);
        const Tokens expected = generate(third.get(), tokens_of(40));
        EXPECT_EQ(generate(context.get(), tokens_of(40)), expected);
        EXPECT_EQ(generate(second.get(), tokens_of(40)), expected);
    }
}

} // namespace

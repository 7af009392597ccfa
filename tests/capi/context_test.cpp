// Contexts over the pretend engine: defaults, ranges, batches, prefill, logits, and every refusal.
#include <algorithm>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "support/context.hpp"

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

using namespace mullama::test;

constexpr mullama_token_t bos = 256;
constexpr mullama_token_t sep = 259;
constexpr std::size_t n_vocab = 265;

ModelHandle echo_model_with(std::initializer_list<const char *> overrides,
                            mullama_runtime_t *runtime = nullptr, bool vocab_only = false) {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.backend = "echo";
    options.runtime = runtime;
    options.vocab_only = vocab_only;
    options.metadata_overrides = overrides.begin();
    options.metadata_overrides_count = overrides.size();
    mullama_model_t *model = nullptr;
    EXPECT_OK(mullama_model_load(nullptr, 0, &options, &model));
    return ModelHandle(model);
}

mullama_context_info_t info_of(mullama_context_t *context) {
    mullama_context_info_t info;
    mullama_context_info_init(&info, sizeof info);
    EXPECT_OK(mullama_context_get_info(context, &info));
    return info;
}

std::size_t size_of(mullama_context_t *context, mullama_seq_id_t sequence) {
    std::size_t size = 12345;
    EXPECT_OK(mullama_context_sequence_size(context, sequence, &size));
    return size;
}

// The token with the greatest logit.
mullama_token_t best(mullama_context_t *context, std::int32_t index) {
    const float *logits = nullptr;
    std::size_t count = 0;
    EXPECT_OK(mullama_context_logits(context, index, &logits, &count));
    if (count == 0)
        return -1;
    return static_cast<mullama_token_t>(std::max_element(logits, logits + count) - logits);
}

mullama_error_t *prefill(mullama_context_t *context, mullama_seq_id_t sequence,
                         const std::vector<mullama_token_t> &tokens,
                         mullama_output_t output = MULLAMA_OUTPUT_LAST) {
    return mullama_context_prefill(context, sequence, tokens.data(), tokens.size(), output);
}

TEST(Context, DefaultsComeFromTheModel) {
    const ModelHandle small = echo_model_with({"echo.n_ctx_train=int:1000"});
    const mullama_context_info_t info = info_of(new_context(small.get()).get());
    EXPECT_EQ(info.n_ctx, 1024U);
    EXPECT_EQ(info.n_ctx_seq, 1024U);
    EXPECT_EQ(info.n_batch, 1000U);
    EXPECT_EQ(info.n_ubatch, 512U);
    EXPECT_EQ(info.n_seq_max, 1U);
    EXPECT_EQ(info.n_threads, 1);
    EXPECT_EQ(info.n_threads_batch, 1);

    const ModelHandle large = echo_model_with({"echo.n_ctx_train=int:131072"});
    const mullama_context_info_t other = info_of(new_context(large.get()).get());
    EXPECT_EQ(other.n_ctx, 4096U);
    EXPECT_EQ(other.n_batch, 2048U);
    EXPECT_EQ(other.n_ubatch, 512U);
}

TEST(Context, OptionsAreKept) {
    const ModelHandle model = echo_model();
    mullama_context_options_t options = one_thread();
    options.n_ctx = 512;
    options.n_batch = 64;
    options.n_ubatch = 9999; // no more than fits a batch
    options.n_seq_max = 4;
    const mullama_context_info_t unified = info_of(new_context(model.get(), options).get());
    EXPECT_EQ(unified.n_ctx, 512U);
    EXPECT_EQ(unified.n_ctx_seq, 512U);
    EXPECT_EQ(unified.n_batch, 64U);
    EXPECT_EQ(unified.n_ubatch, 64U);
    EXPECT_EQ(unified.n_seq_max, 4U);
    options.kv_unified = false;
    options.n_ctx = 2048;
    const mullama_context_info_t apart = info_of(new_context(model.get(), options).get());
    EXPECT_EQ(apart.n_ctx, 2048U);
    EXPECT_EQ(apart.n_ctx_seq, 512U);
}

TEST(Context, OptionsOutOfRangeAreNamed) {
    const ModelHandle model = echo_model();
    mullama_context_t *context = nullptr;
    const auto refuse = [&](mullama_error_code_t code, std::string_view parameter, auto change) {
        mullama_context_options_t options = one_thread();
        change(options);
        EXPECT_REFUSED(mullama_context_new(model.get(), &options, &context), code, parameter);
    };
    const auto range = MULLAMA_ERROR_OUT_OF_RANGE;
    const auto argument = MULLAMA_ERROR_INVALID_ARGUMENT;
    refuse(range, "n_ctx", [](auto &o) { o.n_ctx = 20000000; });
    refuse(range, "n_seq_max", [](auto &o) { o.n_seq_max = 0; });
    refuse(range, "n_seq_max", [](auto &o) { o.n_seq_max = 257; });
    refuse(range, "n_threads", [](auto &o) { o.n_threads = -1; });
    refuse(range, "n_threads", [](auto &o) { o.n_threads = 513; });
    refuse(range, "n_threads_batch", [](auto &o) { o.n_threads_batch = -1; });
    refuse(argument, "flash_attention",
           [](auto &o) { o.flash_attention = static_cast<mullama_switch_t>(3); });
    refuse(argument, "type_k", [](auto &o) { o.type_k = static_cast<mullama_cache_type_t>(9); });
    refuse(argument, "type_v", [](auto &o) { o.type_v = static_cast<mullama_cache_type_t>(15); });
    refuse(MULLAMA_ERROR_UNSUPPORTED, "type_v", [](auto &o) {
        o.type_v = MULLAMA_CACHE_TYPE_Q8_0;
        o.flash_attention = MULLAMA_SWITCH_OFF;
    });
    refuse(argument, "options->struct_size", [](auto &o) { o.struct_size = 1; });
    EXPECT_REFUSED(mullama_context_new(nullptr, nullptr, &context), argument, "model");
    EXPECT_REFUSED(mullama_context_new(model.get(), nullptr, nullptr), argument, "out");
    EXPECT_EQ(context, nullptr);
}

TEST(Context, NoMoreThreadsThanTheRuntimeAllows) {
    mullama_runtime_options_t runtime_options;
    mullama_runtime_options_init(&runtime_options, sizeof runtime_options);
    runtime_options.max_threads = 3;
    mullama_runtime_t *runtime = nullptr;
    ASSERT_OK(mullama_runtime_new(&runtime_options, &runtime));
    const RuntimeHandle owned(runtime);
    const ModelHandle model = echo_model_with({}, runtime);
    mullama_context_options_t options = one_thread();
    options.n_threads = 2;
    options.n_threads_batch = 64;
    const mullama_context_info_t info = info_of(new_context(model.get(), options).get());
    EXPECT_EQ(info.n_threads, 2);
    EXPECT_EQ(info.n_threads_batch, 3);
}

TEST(Context, TheMemoryBudgetHolds) {
    mullama_runtime_options_t runtime_options;
    mullama_runtime_options_init(&runtime_options, sizeof runtime_options);
    runtime_options.max_memory = 16 << 20;
    mullama_runtime_t *runtime = nullptr;
    ASSERT_OK(mullama_runtime_new(&runtime_options, &runtime));
    const RuntimeHandle owned(runtime);
    const ModelHandle model = echo_model_with({}, runtime);
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_ubatch = 32;
    mullama_context_t *context = nullptr;
    // Contexts give back what they took.
    for (int i = 0; i < 1000; ++i) {
        ASSERT_OK(mullama_context_new(model.get(), &options, &context));
        mullama_context_free(context);
        context = nullptr;
    }
    std::vector<ContextHandle> held;
    mullama_error_t *error = nullptr;
    while (held.size() < 100000 && error == nullptr) {
        error = mullama_context_new(model.get(), &options, &context);
        if (error == nullptr)
            held.emplace_back(context);
    }
    EXPECT_REFUSED(error, MULLAMA_ERROR_NO_SPACE);
    EXPECT_GT(held.size(), 1U);
}

TEST(Context, AVocabularyAloneMakesNone) {
    const ModelHandle model = echo_model_with({}, nullptr, true);
    mullama_context_t *context = nullptr;
    EXPECT_REFUSED(mullama_context_new(model.get(), nullptr, &context), MULLAMA_ERROR_UNSUPPORTED,
                   "model");
}

TEST(Context, KeepsItsModelAlive) {
    ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    model.reset();
    ASSERT_OK(prefill(context.get(), 0, {bos, 'h', 'i', sep}));
    EXPECT_EQ(best(context.get(), -1), 'h');
}

TEST(Context, DecodesBatchesOfSeveralSequences) {
    const ModelHandle model = echo_model();
    mullama_context_options_t options = one_thread();
    options.n_seq_max = 3;
    const ContextHandle context = new_context(model.get(), options);
    const BatchHandle batch = new_batch();
    ASSERT_OK(add(batch.get(), 'x', 0, {0, 1}, false));
    ASSERT_OK(add(batch.get(), sep, 1, {0}, true));
    ASSERT_OK(add(batch.get(), 'y', 1, {1}, false));
    ASSERT_OK(add(batch.get(), sep, 2, {1}, true));
    ASSERT_OK(mullama_context_decode(context.get(), batch.get()));
    EXPECT_EQ(size_of(context.get(), 0), 2U);
    EXPECT_EQ(size_of(context.get(), 1), 3U);
    EXPECT_EQ(size_of(context.get(), 2), 0U);
    // By the index in the batch, and from the end of those that were kept.
    EXPECT_EQ(best(context.get(), 1), 'x');
    EXPECT_EQ(best(context.get(), 3), 'x');
    EXPECT_EQ(best(context.get(), -2), 'x');
    EXPECT_EQ(best(context.get(), -1), 'x');

    mullama_batch_clear(batch.get());
    ASSERT_OK(add(batch.get(), 'x', 3, {1}, true));
    ASSERT_OK(mullama_context_decode(context.get(), batch.get()));
    EXPECT_EQ(best(context.get(), 0), 'y');
}

TEST(Context, ABadBatchChangesNothing) {
    const ModelHandle model = echo_model();
    mullama_context_options_t options = one_thread();
    options.n_batch = 4;
    options.n_seq_max = 2;
    const ContextHandle context = new_context(model.get(), options);
    ASSERT_OK(prefill(context.get(), 0, {bos, 'a', sep}));
    const BatchHandle batch = new_batch();
    const auto refuse = [&](mullama_error_code_t code, std::string_view parameter,
                            std::int64_t offset) {
        EXPECT_REFUSED(mullama_context_decode(context.get(), batch.get()), code, parameter, offset);
        EXPECT_EQ(size_of(context.get(), 0), 3U);
        EXPECT_EQ(size_of(context.get(), 1), 0U);
        mullama_batch_clear(batch.get());
    };
    refuse(MULLAMA_ERROR_INVALID_ARGUMENT, "batch", -1);

    ASSERT_OK(add(batch.get(), 'b', 3, {0}, true));
    ASSERT_OK(add(batch.get(), n_vocab, 4, {0}, true));
    refuse(MULLAMA_ERROR_OUT_OF_RANGE, "token", 1);
    ASSERT_OK(add(batch.get(), -1, 3, {0}, true));
    refuse(MULLAMA_ERROR_OUT_OF_RANGE, "token", 0);

    ASSERT_OK(add(batch.get(), 'b', 4, {0}, true));
    refuse(MULLAMA_ERROR_OUT_OF_RANGE, "position", 0);
    ASSERT_OK(add(batch.get(), 'b', 3, {0}, true));
    ASSERT_OK(add(batch.get(), 'b', 3, {0}, true));
    refuse(MULLAMA_ERROR_OUT_OF_RANGE, "position", 1);

    ASSERT_OK(add(batch.get(), 'b', 0, {1}, true));
    ASSERT_OK(add(batch.get(), 'b', 0, {2}, true));
    refuse(MULLAMA_ERROR_OUT_OF_RANGE, "sequences", 1);

    for (mullama_pos_t i = 0; i < 5; ++i)
        ASSERT_OK(add(batch.get(), 'b', i, {1}, true));
    refuse(MULLAMA_ERROR_NO_SPACE, "batch", -1);

    EXPECT_REFUSED(mullama_context_decode(context.get(), nullptr), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "batch");
    EXPECT_REFUSED(mullama_context_decode(nullptr, batch.get()), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "context");
    // It goes on as if nothing had been.
    ASSERT_OK(add(batch.get(), 'a', 3, {0}, true));
    ASSERT_OK(mullama_context_decode(context.get(), batch.get()));
    EXPECT_EQ(best(context.get(), -1), 257);
}

TEST(Context, AFullCacheIsNoSpace) {
    const ModelHandle model = echo_model();
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_seq_max = 2;
    const ContextHandle context = new_context(model.get(), options);
    ASSERT_OK(prefill(context.get(), 0, std::vector<mullama_token_t>(200, 'a')));
    // It fits the sequence, but not beside the other one.
    EXPECT_REFUSED(prefill(context.get(), 1, std::vector<mullama_token_t>(100, 'b')),
                   MULLAMA_ERROR_NO_SPACE);
    EXPECT_EQ(size_of(context.get(), 1), 0U);
    ASSERT_OK(mullama_context_clear(context.get()));
    EXPECT_EQ(size_of(context.get(), 0), 0U);
    ASSERT_OK(prefill(context.get(), 1, std::vector<mullama_token_t>(100, 'b')));
}

TEST(Context, PrefillInPartsEqualsOneDecode) {
    const ModelHandle model = echo_model();
    std::vector<mullama_token_t> prompt{bos};
    for (int i = 0; i < 600; ++i)
        prompt.push_back('a' + i % 26);
    prompt.push_back(sep);
    std::vector<float> expected;
    for (const std::uint32_t n_batch : {1000U, 512U, 64U, 7U, 1U}) {
        mullama_context_options_t options = one_thread();
        options.n_batch = n_batch;
        const ContextHandle context = new_context(model.get(), options);
        ASSERT_OK(prefill(context.get(), 0, prompt));
        EXPECT_EQ(size_of(context.get(), 0), prompt.size());
        const float *logits = nullptr;
        std::size_t count = 0;
        ASSERT_OK(mullama_context_logits(context.get(), -1, &logits, &count));
        ASSERT_EQ(count, n_vocab);
        if (expected.empty())
            expected.assign(logits, logits + count);
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), logits)) << n_batch;
        // By its index in what was prefilled.
        const float *same = nullptr;
        ASSERT_OK(mullama_context_logits(
            context.get(), static_cast<std::int32_t>(prompt.size() - 1), &same, &count));
        EXPECT_EQ(same, logits);
    }
}

TEST(Context, PrefillKeepsTheLogitsAskedFor) {
    const ModelHandle model = echo_model();
    mullama_context_options_t options = one_thread();
    options.n_batch = 8;
    const ContextHandle context = new_context(model.get(), options);
    const float *logits = nullptr;
    std::size_t count = 7;
    const std::vector<mullama_token_t> prompt{bos, 'h', 'i', sep, 'h'};
    ASSERT_OK(prefill(context.get(), 0, prompt, MULLAMA_OUTPUT_ALL));
    EXPECT_EQ(best(context.get(), 3), 'h');
    EXPECT_EQ(best(context.get(), 4), 'i');
    EXPECT_EQ(best(context.get(), -1), 'i');
    EXPECT_EQ(best(context.get(), -2), 'h');
    for (const std::int32_t index : {5, -6, 1000, INT32_MIN, INT32_MAX}) {
        EXPECT_REFUSED(mullama_context_logits(context.get(), index, &logits, &count),
                       MULLAMA_ERROR_OUT_OF_RANGE, "index");
    }
    ASSERT_OK(prefill(context.get(), 0, {'i'}, MULLAMA_OUTPUT_NONE));
    EXPECT_REFUSED(mullama_context_logits(context.get(), -1, &logits, &count),
                   MULLAMA_ERROR_INVALID_STATE, "index");
    ASSERT_OK(prefill(context.get(), 0, {'x', 'y'}, MULLAMA_OUTPUT_LAST));
    EXPECT_OK(mullama_context_logits(context.get(), 1, &logits, &count));
    EXPECT_REFUSED(mullama_context_logits(context.get(), 0, &logits, &count),
                   MULLAMA_ERROR_OUT_OF_RANGE, "index");
    EXPECT_REFUSED(
        prefill(context.get(), 0, std::vector<mullama_token_t>(9, 'a'), MULLAMA_OUTPUT_ALL),
        MULLAMA_ERROR_NO_SPACE, "tokens");
    EXPECT_EQ(size_of(context.get(), 0), 8U);
    // Nothing to do is nothing done.
    ASSERT_OK(prefill(context.get(), 0, {}));
    EXPECT_OK(mullama_context_logits(context.get(), 1, &logits, &count));
}

TEST(Context, PrefillRefusesWithNothingDone) {
    const ModelHandle model = echo_model();
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_batch = 4;
    const ContextHandle context = new_context(model.get(), options);
    ASSERT_OK(prefill(context.get(), 0, {bos, 'h'}));
    std::vector<mullama_token_t> bad(50, 'a');
    bad[37] = n_vocab;
    EXPECT_REFUSED(prefill(context.get(), 0, bad), MULLAMA_ERROR_OUT_OF_RANGE, "tokens", 37);
    EXPECT_REFUSED(prefill(context.get(), 0, std::vector<mullama_token_t>(255, 'a')),
                   MULLAMA_ERROR_NO_SPACE, "tokens");
    EXPECT_REFUSED(prefill(context.get(), 1, {'a'}), MULLAMA_ERROR_OUT_OF_RANGE, "sequence");
    EXPECT_REFUSED(prefill(context.get(), -1, {'a'}), MULLAMA_ERROR_OUT_OF_RANGE, "sequence");
    EXPECT_REFUSED(mullama_context_prefill(context.get(), 0, nullptr, 1, MULLAMA_OUTPUT_LAST),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "tokens");
    EXPECT_REFUSED(prefill(context.get(), 0, {'a'}, static_cast<mullama_output_t>(3)),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "output");
    EXPECT_EQ(size_of(context.get(), 0), 2U);
    ASSERT_OK(prefill(context.get(), 0, std::vector<mullama_token_t>(254, 'a')));
}

TEST(Context, AFailureInTheMiddleOfAPrefillLeavesNothing) {
    const ModelHandle model = echo_model_with({"echo.fail_decode_at=int:4"});
    mullama_context_options_t options = one_thread();
    options.n_batch = 4;
    const ContextHandle context = new_context(model.get(), options);
    ASSERT_OK(prefill(context.get(), 0, {bos, 'h', 'i'}));
    mullama_error_t *error = prefill(context.get(), 0, std::vector<mullama_token_t>(20, 'a'));
    const float *logits = nullptr;
    std::size_t count = 0;
    EXPECT_NE(std::string(mullama_error_log(error, nullptr)).find("fail_decode_at"),
              std::string::npos);
    EXPECT_REFUSED(error, MULLAMA_ERROR_ENGINE);
    EXPECT_EQ(size_of(context.get(), 0), 3U);
    EXPECT_REFUSED(mullama_context_logits(context.get(), -1, &logits, &count),
                   MULLAMA_ERROR_INVALID_STATE, "index");
    // The next one goes on from there.
    ASSERT_OK(prefill(context.get(), 0, {sep}));
    EXPECT_EQ(best(context.get(), -1), 'h');
}

TEST(Context, LogitsNeedADecode) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const float *logits = nullptr;
    std::size_t count = 7;
    const auto refuse = [&] {
        EXPECT_REFUSED(mullama_context_logits(context.get(), -1, &logits, &count),
                       MULLAMA_ERROR_INVALID_STATE, "index");
        EXPECT_EQ(logits, nullptr);
        EXPECT_EQ(count, 7U);
    };
    refuse();
    ASSERT_OK(prefill(context.get(), 0, {bos}));
    ASSERT_OK(mullama_context_clear(context.get()));
    refuse();
    EXPECT_REFUSED(mullama_context_logits(context.get(), -1, nullptr, &count),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "logits");
    EXPECT_REFUSED(mullama_context_logits(context.get(), -1, &logits, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "count");
}

TEST(Context, ADecoderHasNoEncoder) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const BatchHandle batch = new_batch();
    ASSERT_OK(add(batch.get(), 'a', 0, {0}, true));
    EXPECT_REFUSED(mullama_context_encode(context.get(), batch.get()), MULLAMA_ERROR_UNSUPPORTED);
}

TEST(Context, WarmsUpOnlyWhenEmpty) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    ASSERT_OK(mullama_context_warm_up(context.get()));
    ASSERT_OK(prefill(context.get(), 0, {bos}));
    EXPECT_REFUSED(mullama_context_warm_up(context.get()), MULLAMA_ERROR_INVALID_STATE);
    ASSERT_OK(mullama_context_clear(context.get()));
    EXPECT_OK(mullama_context_warm_up(context.get()));
}

TEST(Context, RefusesNull) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const auto refuse = [](mullama_error_t *error, std::string_view parameter) {
        EXPECT_REFUSED(error, MULLAMA_ERROR_INVALID_ARGUMENT, parameter);
    };
    std::size_t count = 0;
    mullama_context_info_t info;
    mullama_context_info_init(&info, sizeof info);
    refuse(mullama_context_get_info(nullptr, &info), "context");
    refuse(mullama_context_get_info(context.get(), nullptr), "info");
    refuse(mullama_context_warm_up(nullptr), "context");
    refuse(mullama_context_clear(nullptr), "context");
    refuse(mullama_context_sequence_size(nullptr, 0, &count), "context");
    refuse(mullama_context_sequence_size(context.get(), 0, nullptr), "count");
    EXPECT_REFUSED(mullama_context_sequence_size(context.get(), 1, &count),
                   MULLAMA_ERROR_OUT_OF_RANGE, "sequence");
    mullama_context_free(nullptr);
}

#if !defined(_WIN32)
// A forked child has neither the threads of its parent nor an idea of what its locks are up to.
TEST(Context, AForkedChildIsRefused) {
    const ModelHandle model = echo_model();
    ContextHandle context = new_context(model.get());
    ASSERT_OK(prefill(context.get(), 0, {bos}));
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        std::size_t size = 0;
        const ErrorHandle read(mullama_context_sequence_size(context.get(), 0, &size));
        const ErrorHandle decoded(prefill(context.get(), 0, {bos}));
        mullama_context_free(context.release());
        const bool right = mullama_error_code(read.get()) == MULLAMA_ERROR_FORKED &&
                           mullama_error_code(decoded.get()) == MULLAMA_ERROR_FORKED;
        _exit(right ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(size_of(context.get(), 0), 1U);
}
#endif

// One thread at a time: the second is refused, and a call from inside a callback too.
TEST(Context, IsBusyWhileInUse) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const SamplerHandle sampler = new_sampler();
    struct Objects {
        mullama_context_t *context;
        mullama_sampler_t *sampler;
        int calls = 0;
    } objects{context.get(), sampler.get()};
    mullama_generate_options_t options = generate_options();
    options.user_data = &objects;
    options.on_token = [](const mullama_token_event_t *, void *user_data) {
        auto &its = *static_cast<Objects *>(user_data);
        ++its.calls;
        const auto expect_busy = [&its] {
            const auto refuse = [](mullama_error_t *error) {
                EXPECT_REFUSED(error, MULLAMA_ERROR_BUSY);
            };
            std::size_t count = 0;
            const float *logits = nullptr;
            mullama_token_t token = 0;
            mullama_sampler_t *copy = nullptr;
            mullama_context_info_t info;
            mullama_context_info_init(&info, sizeof info);
            refuse(mullama_context_get_info(its.context, &info));
            refuse(mullama_context_warm_up(its.context));
            refuse(mullama_context_decode(its.context, nullptr));
            refuse(mullama_context_encode(its.context, nullptr));
            refuse(mullama_context_prefill(its.context, 0, nullptr, 0, MULLAMA_OUTPUT_LAST));
            refuse(mullama_context_logits(its.context, -1, &logits, &count));
            refuse(mullama_context_sequence_size(its.context, 0, &count));
            refuse(mullama_context_clear(its.context));
            refuse(
                mullama_context_generate(its.context, nullptr, "a", 1, nullptr, nullptr, nullptr));
            refuse(mullama_sampler_clone(its.sampler, &copy));
            refuse(mullama_sampler_add(its.sampler, "dist", 4, nullptr));
            refuse(mullama_sampler_set_int(its.sampler, 0, "k", 1, 1));
            refuse(mullama_sampler_sample_context(its.sampler, its.context, -1, &token));
            refuse(mullama_sampler_accept(its.sampler, 1));
            refuse(mullama_sampler_reset(its.sampler));
            // They are left to their user.
            mullama_context_free(its.context);
            mullama_sampler_free(its.sampler);
        };
        expect_busy();
        std::thread(expect_busy).join();
        return true;
    };
    ASSERT_OK(mullama_context_generate(context.get(), sampler.get(), "hi", 2, &options, nullptr,
                                       nullptr));
    EXPECT_EQ(objects.calls, 3);
    EXPECT_EQ(size_of(context.get(), 0), 6U);
}

} // namespace

// What a context does besides decoding: sequences, embeddings, log-probabilities, abort, threads,
// counters; and what it refuses.
#include <chrono>
#include <cmath>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mullama/mullama.hpp"
#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;
using Tokens = std::vector<mullama_token_t>;

// A value that a C caller can pass and that C++ thinks impossible.
template <class Enum>
void set_raw(Enum &target, int value) {
    static_assert(sizeof target == sizeof value);
    std::memcpy(&target, &value, sizeof value);
}

mullama_context_options_t several(std::uint32_t n_seq_max = 4) {
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_seq_max = n_seq_max;
    return options;
}

mullama_error_t *prefill(mullama_context_t *context, const Tokens &tokens,
                         mullama_seq_id_t sequence = 0) {
    return mullama_context_prefill(context, sequence, tokens.data(), tokens.size(),
                                   MULLAMA_OUTPUT_LAST);
}

mullama_context_info_t info_of(mullama_context_t *context) {
    mullama_context_info_t info;
    mullama_context_info_init(&info, sizeof info);
    EXPECT_OK(mullama_context_get_info(context, &info));
    return info;
}

mullama_context_counters_t counters_of(mullama_context_t *context) {
    mullama_context_counters_t counters;
    mullama_context_counters_init(&counters, sizeof counters);
    EXPECT_OK(mullama_context_get_counters(context, &counters));
    return counters;
}

TEST(Sequence, CopiesShareTheirCells) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const ContextHandle context = new_context(model.get(), several());
    const Tokens text{5, 6, 7, 8, 9, 10};
    ASSERT_OK(prefill(context.get(), text));
    ASSERT_OK(mullama_context_sequence_copy(context.get(), 0, 1, 0, MULLAMA_POSITION_END));
    ASSERT_OK(mullama_context_sequence_copy(context.get(), 0, 2, 0, 4));
    EXPECT_EQ(tokens_of(context.get(), 1), text);
    EXPECT_EQ(tokens_of(context.get(), 2), (Tokens{5, 6, 7, 8}));
    EXPECT_EQ(info_of(context.get()).n_used, 6u);
    ASSERT_OK(prefill(context.get(), {11}, 2));
    EXPECT_EQ(info_of(context.get()).n_used, 7u);
    // What is taken out of one stays in the others.
    ASSERT_OK(mullama_context_sequence_remove(context.get(), 0, 0, MULLAMA_POSITION_END));
    EXPECT_EQ(tokens_of(context.get(), 0), Tokens{});
    EXPECT_EQ(tokens_of(context.get(), 2), (Tokens{5, 6, 7, 8, 11}));
    EXPECT_EQ(info_of(context.get()).n_used, 7u);
    ASSERT_OK(mullama_context_sequence_keep(context.get(), 2));
    EXPECT_EQ(tokens_of(context.get(), 1), Tokens{});
    EXPECT_EQ(info_of(context.get()).n_used, 5u);
    ASSERT_OK(mullama_context_clear(context.get()));
    EXPECT_EQ(info_of(context.get()).n_used, 0u);
}

TEST(Sequence, ClosesTheGapOfWhatWasRemoved) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const ContextHandle context = new_context(model.get(), several());
    ASSERT_OK(prefill(context.get(), {5, 6, 7, 8, 9, 10}));
    ASSERT_OK(mullama_context_sequence_remove(context.get(), 0, 1, 3));
    std::size_t size = 0;
    ASSERT_OK(mullama_context_sequence_size(context.get(), 0, &size));
    EXPECT_EQ(size, 6u);
    ASSERT_OK(mullama_context_sequence_shift(context.get(), 0, 3, MULLAMA_POSITION_END, -2));
    ASSERT_OK(mullama_context_sequence_size(context.get(), 0, &size));
    EXPECT_EQ(size, 4u);
    EXPECT_EQ(tokens_of(context.get(), 0), (Tokens{5, 8, 9, 10}));
    mullama_pos_t first = 7;
    mullama_pos_t last = 7;
    ASSERT_OK(mullama_context_sequence_positions(context.get(), 0, &first, &last));
    EXPECT_EQ(first, 0);
    EXPECT_EQ(last, 3);
    ASSERT_OK(prefill(context.get(), {11}));
}

TEST(Sequence, RefusesWhatWouldMoveOthers) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const ContextHandle context = new_context(model.get(), several());
    ASSERT_OK(prefill(context.get(), {5, 6, 7, 8}));
    ASSERT_OK(mullama_context_sequence_copy(context.get(), 0, 1, 0, 2));
    mullama_context_t *const it = context.get();
    EXPECT_REFUSED(mullama_context_sequence_shift(it, 0, 0, 2, 5), MULLAMA_ERROR_INVALID_STATE,
                   "sequence");
    EXPECT_REFUSED(mullama_context_sequence_divide(it, 1, 0, MULLAMA_POSITION_END, 2),
                   MULLAMA_ERROR_INVALID_STATE, "sequence");
    EXPECT_REFUSED(mullama_context_sequence_shift(it, 0, 3, 4, -1), MULLAMA_ERROR_INVALID_STATE,
                   "delta");
    EXPECT_REFUSED(mullama_context_sequence_shift(it, 0, 2, 4, -3), MULLAMA_ERROR_OUT_OF_RANGE,
                   "delta");
    EXPECT_REFUSED(mullama_context_sequence_copy(it, 0, 1, 0, MULLAMA_POSITION_END),
                   MULLAMA_ERROR_INVALID_STATE, "to");
    EXPECT_REFUSED(mullama_context_sequence_copy(it, 0, 0, 0, 2), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "to");
    EXPECT_REFUSED(mullama_context_sequence_copy(it, 4, 0, 0, 2), MULLAMA_ERROR_OUT_OF_RANGE,
                   "from");
    EXPECT_REFUSED(mullama_context_sequence_copy(it, 0, -1, 0, 2), MULLAMA_ERROR_OUT_OF_RANGE,
                   "to");
    EXPECT_REFUSED(mullama_context_sequence_remove(it, 0, -1, 2), MULLAMA_ERROR_OUT_OF_RANGE,
                   "begin");
    EXPECT_REFUSED(mullama_context_sequence_remove(it, 0, 1, -2), MULLAMA_ERROR_OUT_OF_RANGE,
                   "end");
    EXPECT_REFUSED(mullama_context_sequence_remove(it, 0, 2, 1), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "end");
    EXPECT_REFUSED(mullama_context_sequence_divide(it, 0, 0, 1, 0), MULLAMA_ERROR_OUT_OF_RANGE,
                   "divisor");
    EXPECT_REFUSED(mullama_context_sequence_keep(it, 9), MULLAMA_ERROR_OUT_OF_RANGE, "sequence");
    EXPECT_REFUSED(mullama_context_sequence_keep(nullptr, 0), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "context");
    EXPECT_REFUSED(mullama_context_sequence_positions(it, 0, nullptr, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "first");
    EXPECT_REFUSED(mullama_context_sequence_tokens(it, 0, nullptr), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "out");
    EXPECT_EQ(tokens_of(it, 0), (Tokens{5, 6, 7, 8}));
    EXPECT_EQ(tokens_of(it, 1), (Tokens{5, 6}));
}

// Each ability that a context lacks is refused with a reason, and nothing changes.
TEST(Sequence, SaysWhatThisModelCannot) {
    for (const char *const name : {"recurrent", "rwkv", "hybrid"}) {
        SCOPED_TRACE(name);
        const ModelHandle model = load_model(fixture_path(std::string(name) + ".gguf"));
        const ContextHandle context = new_context(model.get(), several());
        EXPECT_EQ(info_of(context.get()).abilities,
                  static_cast<std::uint64_t>(MULLAMA_CONTEXT_CAN_REMEMBER |
                                             MULLAMA_CONTEXT_CAN_PREDICT |
                                             MULLAMA_CONTEXT_CAN_COPY));
        const Tokens text{5, 6, 7, 8};
        ASSERT_OK(prefill(context.get(), text));
        EXPECT_REFUSED(mullama_context_sequence_remove(context.get(), 0, 2, MULLAMA_POSITION_END),
                       MULLAMA_ERROR_UNSUPPORTED, "", std::nullopt, "recurrent");
        EXPECT_REFUSED(mullama_context_sequence_remove(context.get(), 0, 1, 2),
                       MULLAMA_ERROR_UNSUPPORTED, "", std::nullopt, "recurrent");
        EXPECT_REFUSED(mullama_context_sequence_shift(context.get(), 0, 0, 2, 9),
                       MULLAMA_ERROR_UNSUPPORTED, "", std::nullopt, "recurrent");
        EXPECT_REFUSED(mullama_context_sequence_copy(context.get(), 0, 1, 0, 2),
                       MULLAMA_ERROR_UNSUPPORTED, "", std::nullopt, "recurrent");
        EXPECT_EQ(tokens_of(context.get(), 0), text);
        ASSERT_OK(mullama_context_sequence_copy(context.get(), 0, 1, 0, MULLAMA_POSITION_END));
        EXPECT_EQ(tokens_of(context.get(), 1), text);
        ASSERT_OK(mullama_context_sequence_remove(context.get(), 0, 0, MULLAMA_POSITION_END));
    }
    const ModelHandle bert = load_model(fixture_path("bert_mean.gguf"));
    const ContextHandle context = new_context(bert.get(), several());
    EXPECT_EQ(info_of(context.get()).abilities, 0u);
    EXPECT_REFUSED(mullama_context_sequence_copy(context.get(), 0, 1, 0, MULLAMA_POSITION_END),
                   MULLAMA_ERROR_UNSUPPORTED);
}

TEST(Sequence, IsKnownAgainFromASavedState) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const ContextHandle context = new_context(model.get(), several());
    const Tokens text{5, 6, 7, 8, 9, 10};
    ASSERT_OK(prefill(context.get(), text));
    ASSERT_OK(mullama_context_sequence_copy(context.get(), 0, 1, 0, 4));
    const std::string whole = save_state(context.get(), MULLAMA_SEQUENCE_ALL);
    const std::string one = save_state(context.get(), 1);

    const ContextHandle other = new_context(model.get(), several());
    ASSERT_OK(load_state(other.get(), MULLAMA_SEQUENCE_ALL, whole));
    EXPECT_EQ(tokens_of(other.get(), 0), text);
    EXPECT_EQ(tokens_of(other.get(), 1), (Tokens{5, 6, 7, 8}));
    EXPECT_EQ(info_of(other.get()).n_used, 6u);
    // Shared as before, so not to be moved.
    EXPECT_REFUSED(mullama_context_sequence_shift(other.get(), 1, 0, 2, 9),
                   MULLAMA_ERROR_INVALID_STATE, "sequence");
    ASSERT_OK(load_state(other.get(), 2, one));
    EXPECT_EQ(tokens_of(other.get(), 2), (Tokens{5, 6, 7, 8}));
    EXPECT_EQ(info_of(other.get()).n_used, 10u);
    ASSERT_OK(mullama_context_sequence_remove(other.get(), 2, 2, MULLAMA_POSITION_END));
    ASSERT_OK(prefill(other.get(), {11}, 2));
    EXPECT_EQ(tokens_of(other.get(), 2), (Tokens{5, 6, 11}));

    mullama_context_options_t stretched = several();
    stretched.rope_freq_base = 50000;
    const ContextHandle third = new_context(model.get(), stretched);
    EXPECT_REFUSED(load_state(third.get(), 0, one), MULLAMA_ERROR_INVALID_ARGUMENT, "rope");
    EXPECT_EQ(tokens_of(third.get(), 0), Tokens{});
}

TEST(Sequence, IsNotSavedHalfMoved) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const ContextHandle context = new_context(model.get(), several());
    ASSERT_OK(prefill(context.get(), {5, 6, 7, 8}));
    ASSERT_OK(mullama_context_sequence_shift(context.get(), 0, 0, MULLAMA_POSITION_END, 3));
    mullama_text_t *text = nullptr;
    EXPECT_REFUSED(mullama_context_save_state(context.get(), 0, &text),
                   MULLAMA_ERROR_INVALID_STATE);
    ASSERT_OK(prefill(context.get(), {9}));
    ASSERT_OK(mullama_context_save_state(context.get(), 0, &text));
    mullama_text_free(text);
}

TEST(Context, RefusesOptionsThatCannotBe) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const auto refused_with = [&](auto set, mullama_error_code_t code, const char *parameter) {
        mullama_context_options_t options = one_thread();
        set(options);
        mullama_context_t *context = nullptr;
        EXPECT_REFUSED(mullama_context_new(model.get(), &options, &context), code, parameter);
        EXPECT_EQ(context, nullptr);
    };
    const auto range = MULLAMA_ERROR_OUT_OF_RANGE;
    refused_with([](auto &o) { o.rope_freq_scale = -1; }, range, "rope_freq_scale");
    refused_with([](auto &o) { o.rope_freq_scale = NAN; }, range, "rope_freq_scale");
    refused_with([](auto &o) { o.rope_freq_base = 0.5F; }, range, "rope_freq_base");
    refused_with([](auto &o) { o.yarn_ext_factor = 2; }, range, "yarn_ext_factor");
    refused_with([](auto &o) { o.yarn_attn_factor = NAN; }, range, "yarn_attn_factor");
    refused_with([](auto &o) { o.yarn_beta_fast = INFINITY; }, range, "yarn_beta_fast");
    refused_with([](auto &o) { o.yarn_beta_slow = NAN; }, range, "yarn_beta_slow");
    refused_with([](auto &o) { o.yarn_orig_ctx = 1U << 30U; }, range, "yarn_orig_ctx");
    refused_with([](auto &o) { o.pooling = MULLAMA_POOLING_RANK; }, MULLAMA_ERROR_UNSUPPORTED,
                 "pooling");
    refused_with([](auto &o) { set_raw(o.pooling, 99); }, MULLAMA_ERROR_INVALID_ARGUMENT,
                 "pooling");
    refused_with([](auto &o) { set_raw(o.attention, -1); }, MULLAMA_ERROR_INVALID_ARGUMENT,
                 "attention");
    refused_with([](auto &o) { set_raw(o.rope_scaling, 5); }, MULLAMA_ERROR_INVALID_ARGUMENT,
                 "rope_scaling");
    refused_with([](auto &o) { set_raw(o.embeddings, 3); }, MULLAMA_ERROR_INVALID_ARGUMENT,
                 "embeddings");
}

TEST(Context, StretchesPositionsAsAsked) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const auto logits_with = [&](auto set) {
        mullama_context_options_t options = one_thread();
        set(options);
        const ContextHandle context = new_context(model.get(), options);
        EXPECT_OK(prefill(context.get(), {5, 6, 7, 8, 9, 10, 11}));
        const float *logits = nullptr;
        std::size_t count = 0;
        EXPECT_OK(mullama_context_logits(context.get(), -1, &logits, &count));
        return std::vector<float>(logits, logits + count);
    };
    const auto plain = logits_with([](auto &) {});
    EXPECT_NE(plain, logits_with([](auto &o) { o.rope_freq_base = 50000; }));
    EXPECT_NE(plain, logits_with([](auto &o) {
                  o.rope_scaling = MULLAMA_ROPE_SCALING_LINEAR;
                  o.rope_freq_scale = 0.25F;
              }));
    EXPECT_NE(plain, logits_with([](auto &o) {
                  o.rope_scaling = MULLAMA_ROPE_SCALING_YARN;
                  o.rope_freq_scale = 0.25F;
                  o.yarn_orig_ctx = 64;
              }));
    EXPECT_EQ(plain, logits_with([](auto &o) {
                  o.rope_scaling = MULLAMA_ROPE_SCALING_NONE;
                  o.rope_freq_scale = 0.25F;
              }));
}

TEST(Context, LooksAheadWhenItIsNotCausal) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const ContextHandle context = new_context(model.get());
    const auto first_logits = [&](mullama_token_t last) {
        EXPECT_OK(mullama_context_clear(context.get()));
        const Tokens tokens{5, 6, 7, last};
        EXPECT_OK(mullama_context_prefill(context.get(), 0, tokens.data(), tokens.size(),
                                          MULLAMA_OUTPUT_ALL));
        const float *logits = nullptr;
        std::size_t count = 0;
        EXPECT_OK(mullama_context_logits(context.get(), 0, &logits, &count));
        return std::vector<float>(logits, logits + count);
    };
    EXPECT_TRUE(info_of(context.get()).causal);
    EXPECT_EQ(first_logits(8), first_logits(90));
    ASSERT_OK(mullama_context_set_causal(context.get(), false));
    EXPECT_FALSE(info_of(context.get()).causal);
    EXPECT_NE(first_logits(8), first_logits(90));
    ASSERT_OK(mullama_context_set_causal(context.get(), true));
    EXPECT_EQ(first_logits(8), first_logits(90));
}

TEST(Context, GivesLogProbabilities) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    ASSERT_OK(prefill(context.get(), {72, 105}));
    const float *logits = nullptr;
    std::size_t n_vocab = 0;
    ASSERT_OK(mullama_context_logits(context.get(), -1, &logits, &n_vocab));
    double sum = 0;
    for (std::size_t i = 0; i < n_vocab; ++i)
        sum += std::exp(static_cast<double>(logits[i]));
    std::vector<float> logprobs(n_vocab);
    ASSERT_OK(mullama_context_logprobs(context.get(), -1, logprobs.data(), n_vocab));
    std::size_t best = 0;
    for (std::size_t i = 0; i < n_vocab; ++i) {
        EXPECT_NEAR(logprobs[i], static_cast<double>(logits[i]) - std::log(sum), 1e-5);
        best = logprobs[i] > logprobs[best] ? i : best;
    }
    Tokens top(3);
    std::vector<float> values(3);
    std::size_t count = 3;
    ASSERT_OK(mullama_context_top_logprobs(context.get(), -1, top.data(), values.data(), &count));
    EXPECT_EQ(count, 3u);
    EXPECT_EQ(top[0], static_cast<mullama_token_t>(best));
    EXPECT_EQ(values[0], logprobs[best]);
    EXPECT_GE(values[1], values[2]);
    EXPECT_REFUSED(mullama_context_logprobs(context.get(), -1, logprobs.data(), n_vocab - 1),
                   MULLAMA_ERROR_OUT_OF_RANGE, "count");
    EXPECT_REFUSED(mullama_context_logprobs(context.get(), 5, logprobs.data(), n_vocab),
                   MULLAMA_ERROR_OUT_OF_RANGE, "index");
    EXPECT_REFUSED(mullama_context_top_logprobs(context.get(), -1, nullptr, nullptr, &count),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "tokens");
}

TEST(Context, EmbedsWhenAskedTo) {
    const ModelHandle model = echo_model();
    mullama_context_options_t options = several();
    options.pooling = MULLAMA_POOLING_MEAN;
    const ContextHandle context = new_context(model.get(), options);
    const float *row = nullptr;
    std::size_t count = 0;
    ASSERT_OK(prefill(context.get(), {72, 105}));
    EXPECT_REFUSED(mullama_context_sequence_embedding(context.get(), 0, &row, &count),
                   MULLAMA_ERROR_INVALID_STATE, "sequence");
    ASSERT_OK(mullama_context_set_embeddings(context.get(), true));
    ASSERT_OK(prefill(context.get(), {72, 105}, 1));
    ASSERT_OK(mullama_context_sequence_embedding(context.get(), 1, &row, &count));
    EXPECT_EQ(count, static_cast<std::size_t>(info_of(context.get()).n_embd_sequence));
    EXPECT_REFUSED(mullama_context_sequence_embedding(context.get(), 0, &row, &count),
                   MULLAMA_ERROR_INVALID_STATE, "sequence");
    EXPECT_REFUSED(mullama_context_sequence_embedding(context.get(), 4, &row, &count),
                   MULLAMA_ERROR_OUT_OF_RANGE, "sequence");
}

TEST(Context, EndsADecodeFromAnotherThread) {
    mullama_model_options_t model_options;
    mullama_model_options_init(&model_options, sizeof model_options);
    model_options.backend = "echo";
    const char *const slow = "echo.microseconds_per_token=int:20000";
    model_options.metadata_overrides = &slow;
    model_options.metadata_overrides_count = 1;
    mullama_model_t *loaded = nullptr;
    ASSERT_OK(mullama_model_load(nullptr, 0, &model_options, &loaded));
    const ModelHandle model(loaded);
    const ContextHandle context = new_context(model.get());
    ASSERT_OK(prefill(context.get(), {72}));
    std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        EXPECT_OK(mullama_context_abort(context.get()));
    });
    // Twenty seconds' worth.
    EXPECT_REFUSED(prefill(context.get(), Tokens(1000, 105)), MULLAMA_ERROR_CANCELLED);
    other.join();
    EXPECT_EQ(tokens_of(context.get(), 0), Tokens{72});
    ASSERT_OK(prefill(context.get(), {105}));
    EXPECT_EQ(tokens_of(context.get(), 0), (Tokens{72, 105}));
    // Before a call: that one ends at once.
    ASSERT_OK(mullama_context_abort(context.get()));
    EXPECT_REFUSED(prefill(context.get(), {106}), MULLAMA_ERROR_CANCELLED);
    EXPECT_REFUSED(mullama_context_abort(nullptr), MULLAMA_ERROR_INVALID_ARGUMENT, "context");
}

TEST(Context, CountsWhatItDoes) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    ASSERT_OK(prefill(context.get(), {72, 105, 106}));
    ASSERT_OK(prefill(context.get(), {107}));
    mullama_context_counters_t counters = counters_of(context.get());
    EXPECT_EQ(counters.batch_calls, 1u);
    EXPECT_EQ(counters.batch_tokens, 3u);
    EXPECT_EQ(counters.single_calls, 1u);
    EXPECT_GT(counters.batch_ns, 0u);
    ASSERT_OK(mullama_context_reset_counters(context.get()));
    counters = counters_of(context.get());
    EXPECT_EQ(counters.batch_calls + counters.single_calls + counters.batch_ns, 0u);
}

TEST(Context, ChangesItsThreads) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const ContextHandle context = new_context(model.get());
    ASSERT_OK(mullama_context_set_threads(context.get(), 2, 2));
    EXPECT_LE(info_of(context.get()).n_threads, 2);
    ASSERT_OK(prefill(context.get(), {5, 6, 7}));
    ASSERT_OK(mullama_context_set_threads(context.get(), 1, 1));
    EXPECT_EQ(info_of(context.get()).n_threads, 1);
    ASSERT_OK(prefill(context.get(), {8}));
    EXPECT_EQ(tokens_of(context.get(), 0), (Tokens{5, 6, 7, 8}));
    EXPECT_REFUSED(mullama_context_set_threads(context.get(), -1, 1), MULLAMA_ERROR_OUT_OF_RANGE,
                   "n_threads");
    EXPECT_REFUSED(mullama_context_set_threads(context.get(), 1, 513), MULLAMA_ERROR_OUT_OF_RANGE,
                   "n_threads_batch");
}

// The C++ wrapper says the same.
TEST(Sequence, IsWrapped) {
    auto options = mullama::options<mullama_context_options_t>();
    options.n_seq_max = 2;
    options.n_threads = 1;
    options.n_threads_batch = 1;
    options.pooling = MULLAMA_POOLING_LAST;
    options.embeddings = MULLAMA_SWITCH_ON;
    mullama::Context context(mullama::Model(fixture_path("llama.gguf")), options);
    context.prefill(Tokens{5, 6, 7, 8});
    EXPECT_EQ(context.sequence_embedding().size(),
              static_cast<std::size_t>(context.info().n_embd_sequence));
    EXPECT_EQ(context.logprobs().size(), context.logits().size());
    context.copy_sequence(0, 1, 0, 2);
    EXPECT_EQ(context.sequence_tokens(1), (Tokens{5, 6}));
    context.keep(0);
    context.remove(0, 1, 2);
    context.shift(0, 2, MULLAMA_POSITION_END, -1);
    EXPECT_EQ(context.sequence_positions(), (std::pair<mullama_pos_t, mullama_pos_t>(0, 2)));
    context.divide(0, 0, MULLAMA_POSITION_END, 2);
    context.set_embeddings(false);
    context.set_causal(true);
    context.set_threads(1, 1);
    EXPECT_EQ(context.counters().batch_tokens, 4u);
    context.reset_counters();
    context.abort();
    EXPECT_THROW(context.prefill(Tokens{9}), mullama::Error);
    EXPECT_THROW((void)context.embedding(), mullama::Error);
}

} // namespace

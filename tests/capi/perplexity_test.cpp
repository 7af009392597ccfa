// How well a model foresees a text, against log-probabilities read one by one; and what is refused.
// That the numbers are llama-perplexity's: tests/parity/perplexity_test.cpp.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "mullama/mullama.hpp"
#include "support/embed.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;

mullama_context_options_t small(std::uint32_t n_batch = 16) {
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_batch = n_batch;
    options.n_seq_max = 2;
    // Flash attention rounds to half precision, each time another way.
    options.flash_attention = MULLAMA_SWITCH_OFF;
    return options;
}

Tokens some_tokens(const mullama_model_t *model, std::size_t count) {
    const auto n_vocab = static_cast<std::size_t>(info_of(model).n_vocab);
    Tokens tokens(count);
    for (std::size_t i = 0; i < count; ++i)
        tokens[i] = static_cast<mullama_token_t>((5 + 37 * i + i * i) % (n_vocab - 10) + 5);
    return tokens;
}

mullama_error_t *prefill(mullama_context_t *context, const Tokens &tokens,
                         mullama_seq_id_t sequence = 0) {
    return mullama_context_prefill(context, sequence, tokens.data(), tokens.size(),
                                   MULLAMA_OUTPUT_LAST);
}

// The log-probability of each token after the first, one decode each.
std::vector<float> one_by_one(mullama_model_t *model, const Tokens &tokens) {
    const ContextHandle context = new_context(model, small());
    std::vector<float> result;
    std::vector<float> logprobs(static_cast<std::size_t>(info_of(model).n_vocab));
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        EXPECT_OK(prefill(context.get(), {tokens[i]}));
        EXPECT_OK(mullama_context_logprobs(context.get(), -1, logprobs.data(), logprobs.size()));
        result.push_back(logprobs[static_cast<std::size_t>(tokens[i + 1])]);
    }
    return result;
}

mullama_error_t *score(mullama_context_t *context, const Tokens &tokens, std::size_t first,
                       std::vector<float> &logprobs, mullama_seq_id_t sequence = 0) {
    logprobs.assign(tokens.size() - std::min(first, tokens.size()), 7);
    return mullama_context_prefill_logprobs(context, sequence, tokens.data(), tokens.size(), first,
                                            logprobs.data(), logprobs.size());
}

mullama_perplexity_options_t windows(std::size_t window, std::size_t stride = 0) {
    mullama_perplexity_options_t options;
    mullama_perplexity_options_init(&options, sizeof options);
    options.window = window;
    options.stride = stride;
    return options;
}

mullama_perplexity_t blank() {
    mullama_perplexity_t result;
    mullama_perplexity_init(&result, sizeof result);
    return result;
}

// How far apart log-probabilities around -10 may be of a batch and of one token after another: the
// cache holds 16-bit numbers, and they are multiplied in another order. ARM's kernels differ by
// 2e-3.
constexpr float rounding = 1e-2F;

class PrefillLogprobs : public testing::TestWithParam<const char *> {};

TEST_P(PrefillLogprobs, AreThoseOfOneTokenAfterAnother) {
    const ModelHandle model = load_model(fixture_path(std::string(GetParam()) + ".gguf"));
    const Tokens tokens = some_tokens(model.get(), 50);
    const std::vector<float> wanted = one_by_one(model.get(), tokens);
    for (const std::uint32_t n_batch : {7U, 16U, 64U}) {
        for (const std::size_t first :
             {std::size_t{1}, std::size_t{16}, std::size_t{17}, std::size_t{49}, std::size_t{50}}) {
            SCOPED_TRACE(std::to_string(n_batch) + ", " + std::to_string(first));
            const ContextHandle context = new_context(model.get(), small(n_batch));
            std::vector<float> logprobs;
            ASSERT_OK(score(context.get(), tokens, first, logprobs, 1));
            const Row rest(wanted.begin() + static_cast<std::ptrdiff_t>(first) - 1, wanted.end());
            EXPECT_TRUE(alike(logprobs, rest, rounding));
            std::size_t size = 0;
            ASSERT_OK(mullama_context_sequence_size(context.get(), 1, &size));
            EXPECT_EQ(size, tokens.size());
            // The last logits are kept, as a prefill keeps them.
            const float *logits = nullptr;
            std::size_t count = 0;
            EXPECT_OK(mullama_context_logits(context.get(), -1, &logits, &count));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Models, PrefillLogprobs,
                         testing::Values("llama", "swa", "recurrent", "hybrid"));

TEST(PrefillLogprobs, GoOnWhereTheSequenceEnds) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const Tokens tokens = some_tokens(model.get(), 20);
    const std::vector<float> wanted = one_by_one(model.get(), tokens);
    const ContextHandle context = new_context(model.get(), small());
    const Tokens beginning(tokens.begin(), tokens.begin() + 8);
    const Tokens end(tokens.begin() + 8, tokens.end());
    std::vector<float> logprobs;
    EXPECT_REFUSED(score(context.get(), beginning, 0, logprobs), MULLAMA_ERROR_INVALID_STATE,
                   "first");
    ASSERT_OK(prefill(context.get(), beginning));
    ASSERT_OK(score(context.get(), end, 0, logprobs));
    EXPECT_TRUE(alike(logprobs, Row(wanted.begin() + 7, wanted.end()), rounding));
}

TEST(PrefillLogprobs, RefuseWhatCannotBe) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const ContextHandle context = new_context(model.get(), small());
    mullama_context_t *const it = context.get();
    ASSERT_OK(prefill(it, {5, 6, 7}));
    std::vector<float> logprobs;
    const Tokens tokens{8, 9, 10};
    EXPECT_REFUSED(score(it, tokens, 4, logprobs), MULLAMA_ERROR_OUT_OF_RANGE, "first");
    EXPECT_REFUSED(score(it, tokens, 1, logprobs, 2), MULLAMA_ERROR_OUT_OF_RANGE, "sequence");
    EXPECT_REFUSED(score(it, {8, -1, 10}, 1, logprobs), MULLAMA_ERROR_OUT_OF_RANGE, "tokens", 1);
    EXPECT_REFUSED(score(it, Tokens(300, 8), 1, logprobs), MULLAMA_ERROR_NO_SPACE, "tokens");
    EXPECT_EQ(logprobs, std::vector<float>(logprobs.size(), 7));
    std::vector<float> room(3, 7);
    EXPECT_REFUSED(
        mullama_context_prefill_logprobs(it, 0, tokens.data(), 3, 1, room.data(), room.size()),
        MULLAMA_ERROR_OUT_OF_RANGE, "logprobs_count");
    EXPECT_REFUSED(mullama_context_prefill_logprobs(it, 0, tokens.data(), 3, 1, nullptr, 2),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "logprobs");
    EXPECT_REFUSED(mullama_context_prefill_logprobs(it, 0, nullptr, 3, 1, room.data(), 2),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "tokens");
    EXPECT_REFUSED(
        mullama_context_prefill_logprobs(nullptr, 0, tokens.data(), 3, 1, room.data(), 2),
        MULLAMA_ERROR_INVALID_ARGUMENT, "context");
    ASSERT_OK(mullama_context_prefill_logprobs(it, 0, nullptr, 0, 0, nullptr, 0));
    std::size_t size = 0;
    ASSERT_OK(mullama_context_sequence_size(it, 0, &size));
    EXPECT_EQ(size, 3u);
    const ModelHandle bert = load_model(fixture_path("bert_mean.gguf"));
    const ContextHandle encoder = new_context(bert.get(), small());
    EXPECT_REFUSED(score(encoder.get(), tokens, 1, logprobs), MULLAMA_ERROR_UNSUPPORTED);
}

TEST(Perplexity, IsThatOfItsWindowsByHand) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const Tokens tokens = some_tokens(model.get(), 100);
    const mullama_token_t bos = tokenize(model.get(), "").front();
    // What counts: from `first` on in windows of 24.
    const auto by_hand = [&](std::size_t step, std::size_t first, std::size_t count, bool begins) {
        std::vector<float> all;
        for (std::size_t i = 0; i < count; ++i) {
            const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(i * step);
            Tokens window(begin, begin + 24);
            if (begins)
                window.front() = bos;
            const std::vector<float> logprobs = one_by_one(model.get(), window);
            all.insert(all.end(), logprobs.begin() + static_cast<std::ptrdiff_t>(first) - 1,
                       logprobs.end());
        }
        return all;
    };
    struct {
        std::size_t stride;
        std::size_t max_windows;
        std::vector<float> logprobs;
        std::size_t n_windows;
    } const cases[] = {
        {0, 0, by_hand(24, 13, 4, true), 4},
        {0, 2, by_hand(24, 13, 2, true), 2},
        {10, 0, by_hand(10, 14, 8, false), 8},
        {23, 0, by_hand(23, 1, 4, false), 4},
    };
    for (const auto &its : cases) {
        SCOPED_TRACE(its.stride);
        double sum = 0;
        double squares = 0;
        for (const float logprob : its.logprobs) {
            sum += static_cast<double>(logprob);
            squares += static_cast<double>(logprob) * static_cast<double>(logprob);
        }
        const auto count = static_cast<double>(its.logprobs.size());
        const double mean = sum / count;
        const double error = std::sqrt((squares / count - mean * mean) / (count - 1));
        const ContextHandle context = new_context(model.get(), small());
        ASSERT_OK(prefill(context.get(), {5, 6}));
        mullama_perplexity_options_t options = windows(24, its.stride);
        options.max_windows = its.max_windows;
        std::vector<double> heard;
        options.user_data = &heard;
        options.on_window = [](const mullama_window_event_t *event, void *user_data) {
            auto &list = *static_cast<std::vector<double> *>(user_data);
            EXPECT_EQ(event->index, list.size());
            list.push_back(event->perplexity);
            return true;
        };
        mullama_perplexity_t result = blank();
        ASSERT_OK(mullama_context_perplexity(context.get(), tokens.data(), tokens.size(), &options,
                                             &result));
        EXPECT_NEAR(result.mean_logprob, mean, 1e-3);
        EXPECT_NEAR(result.perplexity, std::exp(-mean), 1e-3 * std::exp(-mean));
        EXPECT_NEAR(result.error, error * std::exp(-mean), 1e-2 * error * std::exp(-mean));
        EXPECT_EQ(result.n_windows, its.n_windows);
        EXPECT_EQ(result.n_scored, its.logprobs.size());
        EXPECT_EQ(heard.size(), its.n_windows);
        EXPECT_EQ(heard.back(), result.perplexity);
        EXPECT_EQ(info_of(context.get()).n_used, 2u);
    }
}

TEST(Perplexity, RefusesWhatCannotBe) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const ContextHandle context = new_context(model.get(), small());
    mullama_context_t *const it = context.get();
    const Tokens tokens = some_tokens(model.get(), 40);
    mullama_perplexity_t result = blank();
    const auto with = [&](std::size_t window, std::size_t stride, std::size_t count) {
        const mullama_perplexity_options_t options = windows(window, stride);
        return mullama_context_perplexity(it, tokens.data(), count, &options, &result);
    };
    EXPECT_REFUSED(with(2, 0, 40), MULLAMA_ERROR_OUT_OF_RANGE, "window");
    EXPECT_REFUSED(with(257, 0, 40), MULLAMA_ERROR_OUT_OF_RANGE, "window");
    EXPECT_REFUSED(with(16, 16, 40), MULLAMA_ERROR_OUT_OF_RANGE, "stride");
    EXPECT_REFUSED(with(40, 0, 39), MULLAMA_ERROR_INVALID_ARGUMENT, "tokens");
    EXPECT_REFUSED(with(40, 8, 40), MULLAMA_ERROR_INVALID_ARGUMENT, "tokens");
    EXPECT_REFUSED(with(0, 0, 40), MULLAMA_ERROR_INVALID_ARGUMENT, "tokens");
    EXPECT_REFUSED(mullama_context_perplexity(it, nullptr, 40, nullptr, &result),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "tokens");
    EXPECT_REFUSED(mullama_context_perplexity(it, tokens.data(), 40, nullptr, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    EXPECT_REFUSED(mullama_context_perplexity(nullptr, tokens.data(), 40, nullptr, &result),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "context");
    Tokens bad = tokens;
    bad[30] = -5;
    mullama_perplexity_options_t options = windows(16);
    EXPECT_REFUSED(mullama_context_perplexity(it, bad.data(), 40, &options, &result),
                   MULLAMA_ERROR_OUT_OF_RANGE, "tokens", 30);
    options.on_window = [](const mullama_window_event_t *, void *) { return false; };
    EXPECT_REFUSED(mullama_context_perplexity(it, tokens.data(), 40, &options, &result),
                   MULLAMA_ERROR_CANCELLED);
    EXPECT_EQ(result.perplexity, 0);
    EXPECT_EQ(info_of(it).n_used, 0u);
    ASSERT_OK(with(40, 0, 40));
    EXPECT_EQ(result.n_windows, 1u);
    ASSERT_OK(with(3, 0, 5));
    EXPECT_EQ(result.n_scored, 1u);
    EXPECT_EQ(result.error, 0);
    ASSERT_OK(prefill(it, {5}, 0));
    ASSERT_OK(prefill(it, {5}, 1));
    EXPECT_REFUSED(with(16, 0, 40), MULLAMA_ERROR_INVALID_STATE);
    for (const char *const name : {"bert_mean", "t5"}) {
        const ModelHandle other = load_model(fixture_path(std::string(name) + ".gguf"));
        const ContextHandle encoder = new_context(other.get(), small());
        EXPECT_REFUSED(
            mullama_context_perplexity(encoder.get(), tokens.data(), 40, nullptr, &result),
            MULLAMA_ERROR_UNSUPPORTED);
    }
}

TEST(Perplexity, IsWrappedForCpp) {
    const mullama::Model model(fixture_path("llama.gguf"));
    mullama::Context context(model, small());
    const Tokens tokens = some_tokens(model.get(), 64);
    std::size_t calls = 0;
    const auto result =
        context.perplexity(tokens, windows(16), [&](const mullama_window_event_t &event) {
            ++calls;
            return event.count == 4;
        });
    EXPECT_EQ(calls, 4u);
    EXPECT_EQ(result.n_windows, 4u);
    EXPECT_THROW(static_cast<void>(context.perplexity(
                     tokens, windows(16), [](const mullama_window_event_t &) -> bool { throw 5; })),
                 int);
    EXPECT_TRUE(alike(context.prefill_logprobs(tokens), one_by_one(model.get(), tokens), rounding));
}

} // namespace

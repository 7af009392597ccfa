// Generation over the pretend engine, which repeats the prompt and says when it is done.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "support/context.hpp"

namespace {

using namespace mullama::test;

constexpr mullama_token_t bos = 256;
constexpr mullama_token_t eos = 257;
constexpr mullama_token_t sep = 259;

ModelHandle echo_model_with(std::initializer_list<const char *> overrides) {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.backend = "echo";
    options.metadata_overrides = overrides.begin();
    options.metadata_overrides_count = overrides.size();
    mullama_model_t *model = nullptr;
    EXPECT_OK(mullama_model_load(nullptr, 0, &options, &model));
    return ModelHandle(model);
}

// What the events of one generation said.
struct Heard {
    std::string text;
    std::vector<std::string> pieces;
    std::vector<mullama_token_t> tokens;
    std::vector<float> logprobs;
    std::vector<std::vector<mullama_token_t>> top_tokens;
    std::vector<std::vector<float>> top_logprobs;
    std::vector<float> progress;
    std::size_t stop_after = SIZE_MAX;
    std::size_t cancel_prefill_after = SIZE_MAX;
};

bool on_token(const mullama_token_event_t *event, void *user_data) {
    auto &heard = *static_cast<Heard *>(user_data);
    EXPECT_EQ(event->struct_size, sizeof *event);
    EXPECT_EQ(event->index, heard.tokens.size());
    EXPECT_EQ(event->text[event->text_size], '\0');
    heard.pieces.emplace_back(event->text, event->text_size);
    heard.text += heard.pieces.back();
    heard.tokens.push_back(event->token);
    heard.logprobs.push_back(event->logprob);
    heard.top_tokens.emplace_back(event->top_tokens, event->top_tokens + event->top_count);
    heard.top_logprobs.emplace_back(event->top_logprobs, event->top_logprobs + event->top_count);
    return heard.tokens.size() < heard.stop_after;
}

bool on_prefill(float progress, void *user_data) {
    auto &heard = *static_cast<Heard *>(user_data);
    heard.progress.push_back(progress);
    return heard.progress.size() < heard.cancel_prefill_after;
}

struct Outcome {
    std::string text;
    mullama_generate_stats_t stats = generate_stats();
    Heard heard;
};

mullama_generate_options_t listening(Heard &heard) {
    mullama_generate_options_t options = generate_options();
    options.on_token = on_token;
    options.on_prefill = on_prefill;
    options.user_data = &heard;
    return options;
}

Outcome generate(mullama_context_t *context, std::string_view prompt,
                 mullama_generate_options_t options = generate_options(),
                 mullama_sampler_t *sampler = nullptr) {
    Outcome outcome;
    options.on_token = on_token;
    options.on_prefill = on_prefill;
    options.user_data = &outcome.heard;
    mullama_text_t *text = nullptr;
    EXPECT_OK(mullama_context_generate(context, sampler, prompt.data(), prompt.size(), &options,
                                       &outcome.stats, &text));
    outcome.text = text_of(TextHandle(text).get());
    EXPECT_EQ(outcome.text, outcome.heard.text);
    EXPECT_EQ(outcome.stats.generated_tokens, outcome.heard.tokens.size());
    return outcome;
}

std::size_t size_of(mullama_context_t *context) {
    std::size_t size = 0;
    EXPECT_OK(mullama_context_sequence_size(context, 0, &size));
    return size;
}

TEST(Generate, UntilTheModelIsDone) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const Outcome outcome = generate(context.get(), "hello");
    EXPECT_EQ(outcome.text, "hello");
    EXPECT_EQ(outcome.stats.stop_reason, MULLAMA_STOP_END);
    EXPECT_EQ(outcome.stats.stop_index, -1);
    EXPECT_EQ(outcome.stats.prompt_tokens, 7U); // <|bos|> and <|sep|> too
    EXPECT_EQ(outcome.stats.generated_tokens, 6U);
    EXPECT_EQ(outcome.heard.tokens.back(), eos);
    EXPECT_EQ(outcome.heard.progress, std::vector<float>{1.0F});
    EXPECT_GT(outcome.stats.prefill_ns, 0U);
    EXPECT_GT(outcome.stats.generate_ns, 0U);
    // All but the last token were decoded.
    EXPECT_EQ(size_of(context.get()), 7U + 5U);
}

TEST(Generate, GoesOnWithASequence) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    generate(context.get(), "one");
    // Nothing is put before or after a text in the middle.
    mullama_generate_options_t options = generate_options();
    options.parse_special = true;
    const Outcome more = generate(context.get(), "<|eos|>two<|sep|>", options);
    EXPECT_EQ(more.stats.prompt_tokens, 5U);
    EXPECT_EQ(more.text, "two");
    EXPECT_EQ(size_of(context.get()), 5U + 3U + 5U + 3U);
}

TEST(Generate, WithoutEndUntilTheLimit) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    mullama_generate_options_t options = generate_options();
    options.ignore_end = true;
    options.max_tokens = 10;
    const Outcome outcome = generate(context.get(), "ab", options);
    EXPECT_EQ(outcome.stats.stop_reason, MULLAMA_STOP_LENGTH);
    EXPECT_EQ(outcome.stats.generated_tokens, 10U);
    EXPECT_EQ(outcome.heard.tokens[2], eos);
}

TEST(Generate, LimitsOfZeroAndOne) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    mullama_generate_options_t options = generate_options();
    options.max_tokens = 0;
    const Outcome none = generate(context.get(), "ab", options);
    EXPECT_EQ(none.text, "");
    EXPECT_EQ(none.stats.stop_reason, MULLAMA_STOP_LENGTH);
    EXPECT_EQ(size_of(context.get()), 4U);
    // An empty prompt goes on from the logits that the sequence ends in.
    options.max_tokens = 1;
    const Outcome one = generate(context.get(), "", options);
    EXPECT_EQ(one.text, "a");
    EXPECT_EQ(one.stats.prompt_tokens, 0U);
    EXPECT_EQ(size_of(context.get()), 4U);
}

TEST(Generate, StopsWhenTheContextIsFull) {
    const ModelHandle model = echo_model();
    mullama_context_options_t context_options = one_thread();
    context_options.n_ctx = 256;
    const ContextHandle context = new_context(model.get(), context_options);
    const std::string prompt(200, 'x');
    const Outcome outcome = generate(context.get(), prompt);
    EXPECT_EQ(outcome.stats.stop_reason, MULLAMA_STOP_CONTEXT);
    EXPECT_EQ(outcome.stats.generated_tokens, 256U - 202U + 1U);
    EXPECT_EQ(outcome.text, std::string(55, 'x'));
    EXPECT_EQ(size_of(context.get()), 256U);
}

// The memory is full before the sequence is, because another one has its share.
TEST(Generate, StopsWhenOthersFillTheMemory) {
    const ModelHandle model = echo_model();
    mullama_context_options_t context_options = one_thread();
    context_options.n_ctx = 256;
    context_options.n_seq_max = 2;
    const ContextHandle context = new_context(model.get(), context_options);
    const std::vector<mullama_token_t> other(240, 'y');
    ASSERT_OK(
        mullama_context_prefill(context.get(), 1, other.data(), other.size(), MULLAMA_OUTPUT_NONE));
    const Outcome outcome = generate(context.get(), "abcdefghij");
    EXPECT_EQ(outcome.stats.stop_reason, MULLAMA_STOP_CONTEXT);
    EXPECT_EQ(outcome.text, "abcde");
}

TEST(Generate, StopStringsAcrossTokens) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const auto run = [&](std::vector<const char *> stop, std::string_view prompt) {
        EXPECT_OK(mullama_context_clear(context.get()));
        mullama_generate_options_t options = generate_options();
        options.stop = stop.data();
        options.stop_count = stop.size();
        return generate(context.get(), prompt, options);
    };
    const Outcome met = run({"zzz", "lo wo"}, "hello world");
    EXPECT_EQ(met.text, "hel");
    EXPECT_EQ(met.stats.stop_reason, MULLAMA_STOP_STRING);
    EXPECT_EQ(met.stats.stop_index, 1);
    // Held back while it could still become one, and no longer.
    EXPECT_EQ(met.heard.pieces, (std::vector<std::string>{"h", "e", "", "l", "", "", "", ""}));

    const Outcome almost = run({"lo wx"}, "hello world");
    EXPECT_EQ(almost.text, "hello world");
    EXPECT_EQ(almost.stats.stop_reason, MULLAMA_STOP_END);
    // What is held back at the end belongs to the text.
    EXPECT_EQ(run({"rld!"}, "hello world").text, "hello world");
    // The one that is complete first; of several, the longest.
    EXPECT_EQ(run({"llo w", "l"}, "hello world").stats.stop_index, 1);
    EXPECT_EQ(run({"lo", "llo", "o"}, "hello world").stats.stop_index, 1);
    EXPECT_EQ(run({"lo", "llo", "o"}, "hello world").text, "he");
    EXPECT_EQ(run({"h"}, "hello").text, "");
    EXPECT_EQ(run({"\xc3\xa9t"}, "\xc3\xa9\xc3\xa9t\xc3\xa9").text, "\xc3\xa9");
}

TEST(Generate, StopStringsMayHoldNul) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const std::array<const char *, 1> stop{"\0b"};
    const std::array<std::size_t, 1> sizes{2};
    mullama_generate_options_t options = generate_options();
    options.stop = stop.data();
    options.stop_sizes = sizes.data();
    options.stop_count = 1;
    const Outcome outcome = generate(context.get(), std::string_view("a\0a\0b", 5), options);
    EXPECT_EQ(outcome.text, std::string("a\0a", 3));
}

TEST(Generate, WholeCharactersOnly) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const Outcome outcome = generate(context.get(), "a\xe2\x82\xac");
    EXPECT_EQ(outcome.heard.pieces, (std::vector<std::string>{"a", "", "", "\xe2\x82\xac", ""}));
    // Cut in the middle of a character, the text still is UTF-8.
    ASSERT_OK(mullama_context_clear(context.get()));
    mullama_generate_options_t options = generate_options();
    options.max_tokens = 3;
    EXPECT_EQ(generate(context.get(), "a\xe2\x82\xac", options).text, "a\xef\xbf\xbd");
}

TEST(Generate, SpecialTokensInTheirSpelling) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    mullama_generate_options_t options = generate_options();
    options.unparse_special = true;
    EXPECT_EQ(generate(context.get(), "hi", options).text, "hi<|eos|>");
    ASSERT_OK(mullama_context_clear(context.get()));
    // In the prompt they are read only when asked for.
    options = generate_options();
    EXPECT_EQ(generate(context.get(), "a<|sep|>b").text, "a<|sep|>b");
    ASSERT_OK(mullama_context_clear(context.get()));
    options.parse_special = true;
    EXPECT_EQ(generate(context.get(), "a<|sep|>b", options).stats.prompt_tokens, 5U);
    ASSERT_OK(mullama_context_clear(context.get()));
    options.add_special = false;
    const Outcome bare = generate(context.get(), "ab", options);
    EXPECT_EQ(bare.stats.prompt_tokens, 2U);
    EXPECT_EQ(bare.heard.tokens.front(), sep);
}

TEST(Generate, LogProbabilities) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    mullama_generate_options_t options = generate_options();
    options.top_logprobs = 5;
    const Outcome outcome = generate(context.get(), "hi", options);
    for (std::size_t i = 0; i < outcome.heard.tokens.size(); ++i) {
        const auto &tokens = outcome.heard.top_tokens[i];
        const auto &values = outcome.heard.top_logprobs[i];
        ASSERT_EQ(tokens.size(), 5U);
        EXPECT_EQ(tokens[0], outcome.heard.tokens[i]);
        EXPECT_EQ(values[0], outcome.heard.logprobs[i]);
        EXPECT_TRUE(std::is_sorted(values.begin(), values.end(), std::greater<>()));
    }
    ASSERT_OK(mullama_context_clear(context.get()));
    options.top_logprobs = 0;
    const Outcome own = generate(context.get(), "hi", options);
    EXPECT_EQ(own.heard.logprobs, outcome.heard.logprobs);
    EXPECT_TRUE(own.heard.top_tokens[0].empty());
    ASSERT_OK(mullama_context_clear(context.get()));
    EXPECT_EQ(generate(context.get(), "hi").heard.logprobs[0], 0);

    // Against the definition, in double precision.
    ASSERT_OK(mullama_context_clear(context.get()));
    const std::vector<mullama_token_t> prompt{bos, 'h', 'i', sep};
    ASSERT_OK(mullama_context_prefill(context.get(), 0, prompt.data(), prompt.size(),
                                      MULLAMA_OUTPUT_LAST));
    const float *logits = nullptr;
    std::size_t count = 0;
    ASSERT_OK(mullama_context_logits(context.get(), -1, &logits, &count));
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i)
        sum += std::exp(static_cast<double>(logits[i]));
    for (std::size_t i = 0; i < 5; ++i) {
        const auto token = static_cast<std::size_t>(outcome.heard.top_tokens[0][i]);
        EXPECT_NEAR(outcome.heard.top_logprobs[0][i], logits[token] - std::log(sum), 1e-5);
    }
    // More than there are is all there are.
    ASSERT_OK(mullama_context_clear(context.get()));
    options.top_logprobs = 1024;
    const Outcome all = generate(context.get(), "hi", options);
    ASSERT_EQ(all.heard.top_tokens[0].size(), count);
    double total = 0;
    for (const float value : all.heard.top_logprobs[0])
        total += std::exp(static_cast<double>(value));
    EXPECT_NEAR(total, 1, 1e-5);
}

TEST(Generate, ACallbackCanCancel) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    Heard heard;
    heard.stop_after = 3;
    const mullama_generate_options_t options = listening(heard);
    mullama_generate_stats_t stats = generate_stats();
    mullama_text_t *text = nullptr;
    ASSERT_OK(
        mullama_context_generate(context.get(), nullptr, "hello", 5, &options, &stats, &text));
    EXPECT_EQ(text_of(TextHandle(text).get()), "hel");
    EXPECT_EQ(stats.stop_reason, MULLAMA_STOP_CANCELLED);
    EXPECT_EQ(stats.generated_tokens, 3U);
    EXPECT_EQ(size_of(context.get()), 7U + 2U);
}

TEST(Generate, ThePrefillCanBeCancelled) {
    const ModelHandle model = echo_model();
    mullama_context_options_t context_options = one_thread();
    context_options.n_batch = 10;
    const ContextHandle context = new_context(model.get(), context_options);
    generate(context.get(), "hi");
    const std::size_t before = size_of(context.get());
    Heard heard;
    heard.cancel_prefill_after = 2;
    const mullama_generate_options_t options = listening(heard);
    mullama_generate_stats_t stats = generate_stats();
    mullama_text_t *text = nullptr;
    const std::string prompt(40, 'x');
    EXPECT_REFUSED(mullama_context_generate(context.get(), nullptr, prompt.data(), prompt.size(),
                                            &options, &stats, &text),
                   MULLAMA_ERROR_CANCELLED);
    EXPECT_EQ(heard.progress, (std::vector<float>{0.25F, 0.5F}));
    EXPECT_EQ(text, nullptr);
    EXPECT_EQ(stats.stop_reason, MULLAMA_STOP_NONE);
    EXPECT_EQ(size_of(context.get()), before);
}

TEST(Generate, AFailureKeepsWhatWasDecoded) {
    const ModelHandle model = echo_model_with({"echo.fail_decode_at=int:3"});
    const ContextHandle context = new_context(model.get());
    Heard heard;
    const mullama_generate_options_t options = listening(heard);
    mullama_text_t *text = nullptr;
    EXPECT_REFUSED(
        mullama_context_generate(context.get(), nullptr, "hello", 5, &options, nullptr, &text),
        MULLAMA_ERROR_ENGINE);
    EXPECT_EQ(text, nullptr);
    EXPECT_EQ(heard.text, "he");
    EXPECT_EQ(size_of(context.get()), 8U);
}

TEST(Generate, TheSamplerHearsThePrompt) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const SamplerHandle sampler = new_sampler();
    const std::size_t stage = add_stage(sampler.get(), "penalties");
    set_float(sampler.get(), stage, "presence", 100);
    set_int(sampler.get(), stage, "last_n", -1);
    mullama_generate_options_t options = generate_options();
    options.max_tokens = 40;
    options.ignore_end = true;
    const Outcome outcome = generate(context.get(), "hello", options, sampler.get());
    std::vector<mullama_token_t> tokens = outcome.heard.tokens;
    for (const mullama_token_t token : std::vector<mullama_token_t>{bos, 'h', 'e', 'l', 'o', sep})
        EXPECT_EQ(std::count(tokens.begin(), tokens.end(), token), 0) << token;
    std::sort(tokens.begin(), tokens.end());
    EXPECT_EQ(std::unique(tokens.begin(), tokens.end()), tokens.end());
}

TEST(Generate, SeededSamplingRepeatsItself) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    mullama_sampler_t *sampler = nullptr;
    ASSERT_OK(mullama_sampler_new_default(&sampler));
    const SamplerHandle owned(sampler);
    set_int(sampler, 5, "seed", 1);
    set_float(sampler, 4, "t", 3);
    mullama_generate_options_t options = generate_options();
    options.max_tokens = 60;
    options.ignore_end = true;
    const Outcome first = generate(context.get(), "hello", options, sampler);
    ASSERT_OK(mullama_context_clear(context.get()));
    ASSERT_OK(mullama_sampler_reset(sampler));
    EXPECT_EQ(generate(context.get(), "hello", options, sampler).heard.tokens, first.heard.tokens);
}

TEST(Generate, FromTokensNothingIsAdded) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const std::vector<mullama_token_t> prompt{'h', 'i', sep};
    mullama_generate_stats_t stats = generate_stats();
    mullama_text_t *text = nullptr;
    ASSERT_OK(mullama_context_generate_tokens(context.get(), nullptr, prompt.data(), prompt.size(),
                                              nullptr, &stats, &text));
    EXPECT_EQ(text_of(TextHandle(text).get()), "hi");
    EXPECT_EQ(stats.prompt_tokens, 3U);
    ASSERT_OK(mullama_context_clear(context.get()));
    EXPECT_REFUSED(mullama_context_generate_tokens(context.get(), nullptr, nullptr, 0, nullptr,
                                                   nullptr, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "prompt");
    const std::vector<mullama_token_t> bad{'h', 'i', 9999};
    EXPECT_REFUSED(mullama_context_generate_tokens(context.get(), nullptr, bad.data(), bad.size(),
                                                   nullptr, nullptr, nullptr),
                   MULLAMA_ERROR_OUT_OF_RANGE, "prompt", 2);
}

TEST(Generate, AnEmptyPromptNeedsSomethingToGoOnFrom) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    mullama_generate_options_t options = generate_options();
    options.add_special = false;
    EXPECT_REFUSED(
        mullama_context_generate(context.get(), nullptr, nullptr, 0, &options, nullptr, nullptr),
        MULLAMA_ERROR_INVALID_ARGUMENT, "prompt");
    // A beginning token is something.
    EXPECT_EQ(generate(context.get(), "").stats.prompt_tokens, 2U);
    ASSERT_OK(mullama_context_clear(context.get()));
    const std::vector<mullama_token_t> silent{bos, 'h'};
    ASSERT_OK(mullama_context_prefill(context.get(), 0, silent.data(), silent.size(),
                                      MULLAMA_OUTPUT_NONE));
    EXPECT_REFUSED(
        mullama_context_generate(context.get(), nullptr, nullptr, 0, nullptr, nullptr, nullptr),
        MULLAMA_ERROR_INVALID_STATE, "prompt");
    EXPECT_EQ(size_of(context.get()), 2U);
}

TEST(Generate, APromptThatDoesNotFit) {
    const ModelHandle model = echo_model();
    mullama_context_options_t context_options = one_thread();
    context_options.n_ctx = 256;
    const ContextHandle context = new_context(model.get(), context_options);
    const std::string prompt(300, 'x');
    mullama_error_t *const error = mullama_context_generate(
        context.get(), nullptr, prompt.data(), prompt.size(), nullptr, nullptr, nullptr);
    EXPECT_STREQ(mullama_error_expected(error, nullptr), "at most 256");
    EXPECT_STREQ(mullama_error_actual(error, nullptr), "302");
    EXPECT_REFUSED(error, MULLAMA_ERROR_NO_SPACE);
    EXPECT_EQ(size_of(context.get()), 0U);
    // One that fills it leaves a single token.
    const Outcome full = generate(context.get(), std::string(254, 'x'));
    EXPECT_EQ(full.stats.generated_tokens, 1U);
    EXPECT_EQ(full.stats.stop_reason, MULLAMA_STOP_CONTEXT);
}

TEST(Generate, RefusesWrongOptions) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const auto refuse = [&](mullama_error_code_t code, std::string_view parameter, auto change) {
        mullama_generate_options_t options = generate_options();
        change(options);
        mullama_text_t *text = nullptr;
        EXPECT_REFUSED(
            mullama_context_generate(context.get(), nullptr, "hi", 2, &options, nullptr, &text),
            code, parameter);
        EXPECT_EQ(text, nullptr);
        EXPECT_EQ(size_of(context.get()), 0U);
    };
    const auto range = MULLAMA_ERROR_OUT_OF_RANGE;
    const auto argument = MULLAMA_ERROR_INVALID_ARGUMENT;
    refuse(range, "sequence", [](auto &o) { o.sequence = 1; });
    refuse(range, "sequence", [](auto &o) { o.sequence = -1; });
    refuse(range, "max_tokens", [](auto &o) { o.max_tokens = -2; });
    refuse(range, "top_logprobs", [](auto &o) { o.top_logprobs = 1025; });
    refuse(range, "top_logprobs", [](auto &o) { o.top_logprobs = -2; });
    refuse(argument, "stop", [](auto &o) { o.stop_count = 1; });
    static const std::array<const char *, 2> empty{"a", ""};
    static const std::array<const char *, 2> null{"a", nullptr};
    static const std::array<const char *, 2> invalid{"a", "b\xff"};
    refuse(argument, "stop[1]", [](auto &o) {
        o.stop = empty.data();
        o.stop_count = 2;
    });
    refuse(argument, "stop[1]", [](auto &o) {
        o.stop = null.data();
        o.stop_count = 2;
    });
    refuse(MULLAMA_ERROR_INVALID_UTF8, "stop[1]", [](auto &o) {
        o.stop = invalid.data();
        o.stop_count = 2;
    });
    refuse(argument, "options->struct_size", [](auto &o) { o.struct_size = 0; });

    EXPECT_REFUSED(
        mullama_context_generate(context.get(), nullptr, "a\xff", 2, nullptr, nullptr, nullptr),
        MULLAMA_ERROR_INVALID_UTF8, "prompt", 1);
    EXPECT_REFUSED(
        mullama_context_generate(context.get(), nullptr, nullptr, 2, nullptr, nullptr, nullptr),
        argument, "prompt");
    EXPECT_REFUSED(mullama_context_generate(nullptr, nullptr, "a", 1, nullptr, nullptr, nullptr),
                   argument, "context");
    mullama_generate_stats_t stats{};
    EXPECT_REFUSED(
        mullama_context_generate(context.get(), nullptr, "hi", 2, nullptr, &stats, nullptr),
        argument, "stats->struct_size");
}

} // namespace

// Engines, requests, streams and queues: what their callers hear, and how they end.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "mullama/mullama.hpp"
#include "support/adapter.hpp"
#include "support/engine.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;
using Tokens = std::vector<mullama_token_t>;

ModelHandle echo_with(const char *override_text) {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.backend = "echo";
    options.metadata_overrides = &override_text;
    options.metadata_overrides_count = 1;
    mullama_model_t *model = nullptr;
    EXPECT_OK(mullama_model_load(nullptr, 0, &options, &model));
    return ModelHandle(model);
}

class EngineTest : public testing::Test {
protected:
    ModelHandle model_ = echo_model();
    EngineHandle engine_ = new_engine(model_.get(), engine_context(2048, 16));

    Heard ask(std::string_view text, const mullama_request_options_t &options = request_options()) {
        const StreamHandle stream = submit(engine_.get(), new_request(text, options));
        return hear(stream.get()).front();
    }
};

TEST_F(EngineTest, AnswersAText) {
    const Heard heard = ask("hello");
    EXPECT_EQ(heard.text, "hello");
    EXPECT_EQ(heard.result.stop_reason, MULLAMA_STOP_END);
    // Five letters between a beginning and a separator; five letters and an end.
    EXPECT_EQ(heard.result.prompt_tokens, 7U);
    EXPECT_EQ(heard.result.generated_tokens, 6U);
    EXPECT_GT(heard.result.total_ns, 0U);
    EXPECT_GE(heard.result.total_ns, heard.result.first_token_ns);
    EXPECT_GE(heard.result.first_token_ns, heard.result.queue_ns);
}

TEST_F(EngineTest, SaysWhatAContextSays) {
    const ContextHandle context = new_context(model_.get());
    for (const std::string_view text : {"one", "another text", "\xc3\xa4\xe2\x82\xac", "x"}) {
        mullama_text_t *made = nullptr;
        ASSERT_OK(mullama_context_clear(context.get()));
        ASSERT_OK(mullama_context_generate(context.get(), nullptr, text.data(), text.size(),
                                           nullptr, nullptr, &made));
        const TextHandle owned(made);
        EXPECT_EQ(ask(text).text, text_of(made));
    }
}

TEST_F(EngineTest, ServesHundredsAtOnce) {
    std::vector<StreamHandle> streams;
    for (int i = 0; i < 300; ++i)
        streams.push_back(submit(engine_.get(), new_request("number " + std::to_string(i))));
    for (int i = 0; i < 300; ++i)
        EXPECT_EQ(hear(streams[static_cast<std::size_t>(i)].get()).front().text,
                  "number " + std::to_string(i));
    const mullama_engine_stats_t stats = stats_of(engine_.get());
    EXPECT_EQ(stats.submitted, 300U);
    EXPECT_EQ(stats.failed, 0U);
}

TEST_F(EngineTest, TakesRequestsFromManyThreads) {
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 20; ++i) {
                const std::string text = std::to_string(t) + "." + std::to_string(i);
                right += ask(text).text == text ? 1 : 0;
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_EQ(right, 160);
}

TEST_F(EngineTest, EndsAtTheLimits) {
    mullama_request_options_t options = request_options();
    options.max_tokens = 3;
    const Heard few = ask("hello", options);
    EXPECT_EQ(few.text, "hel");
    EXPECT_EQ(few.result.stop_reason, MULLAMA_STOP_LENGTH);
    options.max_tokens = 0;
    const Heard none = ask("hello", options);
    EXPECT_TRUE(none.tokens.empty());
    EXPECT_EQ(none.result.stop_reason, MULLAMA_STOP_LENGTH);
    options = request_options();
    const char *const stop[] = {"zz", "ll"};
    options.stop = stop;
    options.stop_count = 2;
    const Heard stopped = ask("hello", options);
    EXPECT_EQ(stopped.text, "he");
    EXPECT_EQ(stopped.result.stop_reason, MULLAMA_STOP_STRING);
    EXPECT_EQ(stopped.result.stop_index, 1);
}

TEST_F(EngineTest, GivesLogProbabilities) {
    mullama_request_options_t options = request_options();
    options.top_logprobs = 3;
    const StreamHandle stream = submit(engine_.get(), new_request("ab", options));
    const mullama_stream_event_t event = next_event(stream.get());
    ASSERT_EQ(event.kind, MULLAMA_EVENT_TOKEN);
    ASSERT_EQ(event.top_count, 3U);
    EXPECT_EQ(event.top_tokens[0], event.token);
    EXPECT_EQ(event.top_logprobs[0], event.logprob);
    EXPECT_LT(event.logprob, 0.0F);
    EXPECT_GE(event.top_logprobs[0], event.top_logprobs[1]);
}

TEST_F(EngineTest, ContinuesAPromptSeveralTimes) {
    const SamplerHandle sampler = new_sampler();
    add_stage(sampler.get(), "dist");
    mullama_request_options_t options = request_options();
    options.n = 6;
    options.seed = 11;
    options.max_tokens = 40;
    options.ignore_end = true;
    const RequestHandle request = new_request("a rather long text to be repeated", options);
    ASSERT_OK(mullama_request_set_sampler(request.get(), sampler.get()));
    const StreamHandle first = submit(engine_.get(), request);
    const std::vector<Heard> heard = hear(first.get(), 6);
    std::set<std::string> different;
    for (const Heard &its : heard) {
        different.insert(its.text);
        EXPECT_EQ(its.result.stop_reason, MULLAMA_STOP_LENGTH);
    }
    EXPECT_GT(different.size(), 1U);
    // The same seed, the same texts; and the prompt was computed once.
    const StreamHandle again = submit(engine_.get(), request);
    const std::vector<Heard> second = hear(again.get(), 6);
    for (std::size_t i = 0; i < 6; ++i) {
        const auto [ours, theirs] = std::mismatch(second[i].tokens.begin(), second[i].tokens.end(),
                                                  heard[i].tokens.begin(), heard[i].tokens.end());
        EXPECT_EQ(ours, second[i].tokens.end())
            << i << " of " << heard[i].tokens.size() << " and " << second[i].tokens.size()
            << ", at " << (ours - second[i].tokens.begin());
        if (i > 0) {
            EXPECT_GE(heard[i].result.cached_tokens + 1, heard[i].result.prompt_tokens);
        }
    }
}

TEST_F(EngineTest, UsesWhatEarlierRequestsComputed) {
    const std::string long_text(300, 'y');
    EXPECT_EQ(ask(long_text).result.cached_tokens, 0U);
    const Heard again = ask(long_text + "z");
    EXPECT_EQ(again.result.cached_tokens, 301U);
    EXPECT_EQ(again.text, long_text + "z");
    mullama_request_options_t options = request_options();
    options.isolation_key = "another tenant";
    options.isolation_key_size = 14;
    EXPECT_EQ(ask(long_text, options).result.cached_tokens, 0U);
    options = request_options();
    options.use_cache = false;
    EXPECT_EQ(ask(long_text, options).result.cached_tokens, 0U);
    EXPECT_GT(stats_of(engine_.get()).n_cached, 0U);
    ASSERT_OK(mullama_engine_clear_cache(engine_.get()));
    EXPECT_EQ(ask(long_text).result.cached_tokens, 0U);
}

TEST(Engine, CancelsInTheMiddleOfAPrompt) {
    const ModelHandle model = echo_with("echo.microseconds_per_token=int:1000");
    const EngineHandle engine = new_engine(model.get(), engine_context(4096, 4));
    const StreamHandle stream = submit(engine.get(), new_request(std::string(3000, 'x')));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ASSERT_OK(mullama_stream_cancel(stream.get()));
    const Heard heard = hear(stream.get()).front();
    EXPECT_TRUE(heard.tokens.empty());
    EXPECT_EQ(heard.result.stop_reason, MULLAMA_STOP_CANCELLED);
    // Others go on.
    const StreamHandle next = submit(engine.get(), new_request("next"));
    EXPECT_EQ(hear(next.get()).front().text, "next");
}

TEST(Engine, EndsAtTheDeadline) {
    const ModelHandle model = echo_with("echo.microseconds_per_token=int:5000");
    const EngineHandle engine = new_engine(model.get(), engine_context(1024, 4));
    mullama_request_options_t options = request_options();
    options.deadline_ms = 100;
    options.ignore_end = true;
    const StreamHandle stream = submit(engine.get(), new_request("for ever", options));
    const Heard heard = hear(stream.get()).front();
    EXPECT_EQ(heard.result.stop_reason, MULLAMA_STOP_DEADLINE);
    EXPECT_FALSE(heard.tokens.empty());
    // One that is over before it begins.
    options.deadline_ms = 0;
    const StreamHandle late = submit(engine.get(), new_request("late", options));
    EXPECT_EQ(hear(late.get()).front().result.stop_reason, MULLAMA_STOP_DEADLINE);
}

TEST_F(EngineTest, WaitsForASlowReaderAndForNobodyElse) {
    mullama_request_options_t options = request_options();
    options.ignore_end = true;
    options.max_tokens = 500;
    options.queue_size = 8;
    const StreamHandle slow = submit(engine_.get(), new_request("slow", options));
    // Others are served while nobody reads it.
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(ask("quick").text, "quick");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::uint64_t before = stats_of(engine_.get()).generated_tokens;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(stats_of(engine_.get()).generated_tokens, before);
    const Heard heard = hear(slow.get()).front();
    EXPECT_EQ(heard.tokens.size(), 500U);
    EXPECT_EQ(heard.result.stop_reason, MULLAMA_STOP_LENGTH);
}

TEST_F(EngineTest, TriesAndWaitsForEvents) {
    mullama_request_options_t options = request_options();
    options.queue_size = 1;
    const StreamHandle stream = submit(engine_.get(), new_request("ab", options));
    mullama_stream_event_t event = next_event(stream.get(), 60000);
    EXPECT_EQ(event.kind, MULLAMA_EVENT_TOKEN);
    std::size_t tokens = 1;
    do {
        event = next_event(stream.get(), 0);
        tokens += event.kind == MULLAMA_EVENT_TOKEN ? 1 : 0;
    } while (event.kind != MULLAMA_EVENT_END);
    EXPECT_EQ(tokens, 3U);
    EXPECT_EQ(next_event(stream.get()).kind, MULLAMA_EVENT_END);
}

TEST(Engine, HigherPriorityComesFirst) {
    const ModelHandle model = echo_with("echo.microseconds_per_token=int:300");
    const EngineHandle engine = new_engine(model.get(), engine_context(512, 1));
    const QueueHandle queue = [] {
        mullama_queue_t *made = nullptr;
        EXPECT_OK(mullama_queue_new(&made));
        return QueueHandle(made);
    }();
    mullama_request_options_t options = request_options();
    std::vector<StreamHandle> streams;
    streams.push_back(submit(engine.get(), new_request("zero", options), queue.get(), 0));
    for (std::uint64_t i = 1; i <= 3; ++i) {
        options.priority = static_cast<std::int32_t>(i);
        streams.push_back(submit(engine.get(), new_request("text", options), queue.get(), i));
    }
    std::vector<std::uint64_t> order;
    while (order.size() < 4) {
        mullama_events_t *taken = nullptr;
        ASSERT_OK(mullama_queue_take(queue.get(), 8, -1, &taken));
        const EventsHandle events(taken);
        for (std::size_t i = 0; i < mullama_events_count(taken); ++i) {
            mullama_stream_event_t event;
            mullama_stream_event_init(&event, sizeof event);
            std::uint64_t tag = 0;
            ASSERT_OK(mullama_events_get(taken, i, &tag, &event));
            if (event.kind == MULLAMA_EVENT_DONE)
                order.push_back(tag);
        }
    }
    // The first may have been under way before the others came; it yields its room to them.
    EXPECT_LT(std::find(order.begin(), order.end(), 3U), std::find(order.begin(), order.end(), 2U));
    EXPECT_LT(std::find(order.begin(), order.end(), 2U), std::find(order.begin(), order.end(), 1U));
    EXPECT_EQ(order.back(), 0U);
    EXPECT_EQ(result_of(streams[0].get()).stop_reason, MULLAMA_STOP_END);
}

TEST_F(EngineTest, CallsForEachEvent) {
    struct Called {
        std::mutex mutex;
        std::condition_variable changed;
        std::vector<std::string> texts = std::vector<std::string>(10);
        std::size_t done = 0;
    } called;
    const auto on_event = [](std::uint64_t tag, const mullama_stream_event_t *event,
                             void *user_data) {
        auto &its = *static_cast<Called *>(user_data);
        const std::lock_guard lock(its.mutex);
        its.texts.at(tag).append(event->text, event->text_size);
        its.done += event->kind == MULLAMA_EVENT_DONE ? 1 : 0;
        its.changed.notify_all();
    };
    mullama_queue_t *made = nullptr;
    ASSERT_OK(mullama_queue_new_callback(on_event, &called, &made));
    const QueueHandle queue(made);
    std::vector<StreamHandle> streams;
    for (std::uint64_t i = 0; i < 10; ++i)
        streams.push_back(
            submit(engine_.get(), new_request("called " + std::to_string(i)), queue.get(), i));
    {
        std::unique_lock lock(called.mutex);
        ASSERT_TRUE(called.changed.wait_for(lock, std::chrono::seconds(60),
                                            [&] { return called.done == 10; }));
    }
    for (std::size_t i = 0; i < 10; ++i)
        EXPECT_EQ(called.texts[i], "called " + std::to_string(i));
    intptr_t handle = 0;
    EXPECT_REFUSED(mullama_queue_handle(queue.get(), &handle), MULLAMA_ERROR_INVALID_STATE,
                   "queue");
}

TEST_F(EngineTest, RefusesWhatCanNeverFit) {
    const Tokens long_prompt(3000, 70);
    const RequestHandle request = new_request(long_prompt);
    mullama_stream_t *stream = nullptr;
    EXPECT_REFUSED(mullama_engine_submit(engine_.get(), request.get(), nullptr, 0, &stream),
                   MULLAMA_ERROR_NO_SPACE, "prompt", std::nullopt, "2048");
    // A text's tokens are counted later.
    const StreamHandle text = submit(engine_.get(), new_request(std::string(3000, 'x')));
    EXPECT_EQ(hear(text.get()).front().result.stop_reason, MULLAMA_STOP_ERROR);
    EXPECT_EQ(mullama_error_code(failure_of(text.get()).get()), MULLAMA_ERROR_NO_SPACE);
    const RequestHandle foreign = new_request(Tokens{1, 999999});
    EXPECT_REFUSED(mullama_engine_submit(engine_.get(), foreign.get(), nullptr, 0, &stream),
                   MULLAMA_ERROR_OUT_OF_RANGE, "prompt", 1);
    EXPECT_EQ(stream, nullptr);
}

TEST_F(EngineTest, TruncatesAndShiftsWhereAsked) {
    mullama_request_options_t options = request_options();
    options.overflow = MULLAMA_OVERFLOW_TRUNCATE;
    options.max_tokens = 5;
    const StreamHandle truncated =
        submit(engine_.get(), new_request(std::string(5000, 'x'), options));
    const Heard heard = hear(truncated.get()).front();
    EXPECT_EQ(heard.result.stop_reason, MULLAMA_STOP_LENGTH);
    EXPECT_EQ(heard.result.prompt_tokens, 1536U);
    options.overflow = MULLAMA_OVERFLOW_STOP;
    options.ignore_end = true;
    options.max_tokens = 3000;
    EXPECT_EQ(ask("full", options).result.stop_reason, MULLAMA_STOP_CONTEXT);
    options.overflow = MULLAMA_OVERFLOW_SHIFT;
    options.n_keep = 3;
    const Heard shifted = ask("full", options);
    EXPECT_EQ(shifted.result.stop_reason, MULLAMA_STOP_LENGTH);
    EXPECT_EQ(shifted.tokens.size(), 3000U);
}

TEST(Engine, AFailureEndsTheRequestsConcernedAndNoOthers) {
    const ModelHandle model = echo_with("echo.fail_decode_at=int:3");
    const EngineHandle engine = new_engine(model.get(), engine_context(1024, 4));
    const StreamHandle failed = submit(engine.get(), new_request("hello"));
    EXPECT_EQ(hear(failed.get()).front().result.stop_reason, MULLAMA_STOP_ERROR);
    EXPECT_EQ(mullama_error_code(failure_of(failed.get()).get()), MULLAMA_ERROR_ENGINE);
    const StreamHandle next = submit(engine.get(), new_request("hello"));
    EXPECT_EQ(hear(next.get()).front().text, "hello");
    EXPECT_EQ(stats_of(engine.get()).failed, 1U);
}

TEST(Engine, OneBadBatchFailsNobodyWhoCanBeComputedAlone) {
    const ModelHandle model = echo_with("echo.fail_decode_at=int:6");
    const EngineHandle engine = new_engine(model.get(), engine_context(1024, 8));
    std::vector<StreamHandle> streams;
    mullama_request_options_t options = request_options();
    for (int i = 0; i < 8; ++i)
        streams.push_back(
            submit(engine.get(),
                   new_request("a text that takes some steps " + std::to_string(i), options)));
    int failed = 0;
    for (int i = 0; i < 8; ++i) {
        const Heard heard = hear(streams[static_cast<std::size_t>(i)].get()).front();
        if (heard.result.stop_reason == MULLAMA_STOP_ERROR) {
            ++failed;
        } else {
            EXPECT_EQ(heard.text, "a text that takes some steps " + std::to_string(i));
        }
    }
    EXPECT_LE(failed, 1);
}

TEST_F(EngineTest, DrainsAndThenTakesNoMore) {
    std::vector<StreamHandle> streams;
    for (int i = 0; i < 20; ++i)
        streams.push_back(submit(engine_.get(), new_request("last ones")));
    bool done = false;
    ASSERT_OK(mullama_engine_drain(engine_.get(), -1, &done));
    EXPECT_TRUE(done);
    for (const StreamHandle &stream : streams)
        EXPECT_EQ(hear(stream.get()).front().text, "last ones");
    const RequestHandle request = new_request("too late");
    mullama_stream_t *stream = nullptr;
    EXPECT_REFUSED(mullama_engine_submit(engine_.get(), request.get(), nullptr, 0, &stream),
                   MULLAMA_ERROR_INVALID_STATE, "engine");
}

TEST_F(EngineTest, StreamsOutliveTheirEngine) {
    mullama_request_options_t options = request_options();
    options.ignore_end = true;
    options.queue_size = 4;
    const StreamHandle stream = submit(engine_.get(), new_request("cut off", options));
    EXPECT_EQ(next_event(stream.get()).kind, MULLAMA_EVENT_TOKEN);
    engine_.reset();
    const Heard heard = [&] {
        Heard its;
        for (;;) {
            const mullama_stream_event_t event = next_event(stream.get());
            if (event.kind == MULLAMA_EVENT_END)
                break;
            if (event.kind == MULLAMA_EVENT_DONE)
                its.result = result_of(stream.get());
        }
        return its;
    }();
    EXPECT_EQ(heard.result.stop_reason, MULLAMA_STOP_CANCELLED);
}

TEST_F(EngineTest, RefusesAStageOfTheCallersOwn) {
    const SamplerHandle sampler = new_sampler();
    mullama_custom_stage_t stage;
    mullama_custom_stage_init(&stage, sizeof stage);
    stage.apply = [](mullama_candidates_t *, void *) { return true; };
    ASSERT_OK(mullama_sampler_insert_custom(sampler.get(), 0, &stage));
    const RequestHandle request = new_request("x");
    EXPECT_REFUSED(mullama_request_set_sampler(request.get(), sampler.get()),
                   MULLAMA_ERROR_UNSUPPORTED, "sampler");
}

TEST(Engine, FollowsAGrammar) {
    const ModelHandle model = load_model(path_of(fixture("llama")));
    const EngineHandle engine = new_engine(model.get(), engine_context(512, 4));
    const SamplerHandle sampler = new_sampler();
    ASSERT_OK(mullama_sampler_set_model(sampler.get(), model.get()));
    const std::size_t stage = add_stage(sampler.get(), "grammar");
    const std::string_view grammar = "root ::= (\"yes\" | \"no\") \"!\"";
    ASSERT_OK(mullama_sampler_set_text(sampler.get(), stage, "grammar", 7, grammar.data(),
                                       grammar.size()));
    std::vector<StreamHandle> streams;
    for (int i = 0; i < 8; ++i) {
        mullama_request_options_t options = request_options();
        options.max_tokens = 20;
        const RequestHandle request =
            new_request("is it so? " + std::string(static_cast<std::size_t>(i), 'a'), options);
        ASSERT_OK(mullama_request_set_sampler(request.get(), sampler.get()));
        streams.push_back(submit(engine.get(), request));
    }
    for (const StreamHandle &stream : streams) {
        const std::string text = hear(stream.get()).front().text;
        EXPECT_TRUE(text == "yes!" || text == "no!") << text;
    }
}

TEST(Engine, ComputesRequestsWithTheirAdapters) {
    const ModelHandle model = load_model(path_of(fixture("llama")));
    const Json row = fixture("lora_llama");
    const AdapterHandle adapter = load_adapter(model.get(), path_of(row));
    const Tokens prompt = prompt_of(12, 300, 5);
    mullama_request_options_t options = request_options();
    options.max_tokens = 16;
    options.ignore_end = true;
    const auto alone = [&](float scale) {
        const ContextHandle context = new_context(model.get());
        mullama_adapter_t *const set = adapter.get();
        EXPECT_OK(mullama_context_set_adapters(context.get(), &set, &scale, 1));
        mullama_generate_options_t how = generate_options();
        how.max_tokens = 16;
        how.ignore_end = true;
        mullama_text_t *text = nullptr;
        EXPECT_OK(mullama_context_generate_tokens(context.get(), nullptr, prompt.data(),
                                                  prompt.size(), &how, nullptr, &text));
        const TextHandle owned(text);
        return text_of(text);
    };
    const EngineHandle engine = new_engine(model.get(), engine_context(1024, 8));
    const float scales[] = {0.0F, 1.0F, 4.0F};
    std::vector<StreamHandle> streams;
    for (int i = 0; i < 6; ++i) {
        const RequestHandle request = new_request(prompt, options);
        mullama_adapter_t *const set = adapter.get();
        ASSERT_OK(mullama_request_set_adapters(request.get(), &set, &scales[i % 3], 1));
        streams.push_back(submit(engine.get(), request));
    }
    for (int i = 0; i < 6; ++i)
        EXPECT_EQ(hear(streams[static_cast<std::size_t>(i)].get()).front().text,
                  alone(scales[i % 3]))
            << i;
}

TEST(Engine, IsServedInCpp) {
    auto how = mullama::options<mullama_model_options_t>();
    how.backend = "echo";
    const mullama::Model model("", how);
    mullama::Engine engine(model);
    EXPECT_EQ(engine.submit(mullama::Request("hello")).text(), "hello");
    mullama::Sampler greedy;
    auto options = mullama::options<mullama_request_options_t>();
    options.max_tokens = 2;
    mullama::Queue queue;
    const mullama::Stream stream =
        engine.submit(mullama::Request("hello", options).sampler(greedy), queue, 5);
    std::string text;
    bool done = false;
    while (!done) {
        queue.take(8, -1, [&](std::uint64_t tag, const mullama_stream_event_t &event) {
            EXPECT_EQ(tag, 5U);
            text.append(event.text, event.text_size);
            done = done || event.kind == MULLAMA_EVENT_DONE;
        });
    }
    EXPECT_EQ(text, "he");
    EXPECT_EQ(stream.result().stop_reason, MULLAMA_STOP_LENGTH);
    EXPECT_EQ(engine.stats().submitted, 2U);
    EXPECT_TRUE(engine.drain());
    EXPECT_THROW(static_cast<void>(engine.submit(mullama::Request("late"))), mullama::Error);
}

TEST(Engine, RefusesModelsThatDoNotGenerate) {
    const ModelHandle model = load_model(path_of(fixture("bert_mean")));
    mullama_engine_t *engine = nullptr;
    EXPECT_REFUSED(mullama_engine_new(model.get(), nullptr, &engine), MULLAMA_ERROR_UNSUPPORTED,
                   "model");
    EXPECT_EQ(engine, nullptr);
}

} // namespace

// Contexts: what they refuse, how they are rounded, and what a failed decode leaves behind.
#include "backend/llama/support.hpp"

#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>

namespace mullama::test {
namespace {

Error::Parts refusal(Context &context, const Batch &batch) {
    return error_of([&] { (void)context.decode(batch); });
}

TEST(Context, RoundsAsLlamaDoes) {
    const auto model = load(fixture("llama"));
    ContextParams params = small_context(1000);
    params.n_seq_max = 3;
    for (const bool unified : {true, false}) {
        params.kv_unified = unified;
        const auto context = model->new_context(params);
        Raw raw(fixture("llama"), raw_params(params));
        EXPECT_EQ(context->n_ctx(), llama_n_ctx(raw.context.get()));
        EXPECT_EQ(context->n_ctx_seq(), llama_n_ctx_seq(raw.context.get()));
        EXPECT_EQ(context->n_batch(), llama_n_batch(raw.context.get()));
        EXPECT_EQ(context->n_ubatch(), llama_n_ubatch(raw.context.get()));
        EXPECT_EQ(context->n_seq_max(), 3U);
    }
}

TEST(Context, RefusesBatchesThatLlamaWouldAbortOn) {
    const auto model = load(fixture("llama"));
    ContextParams params = small_context();
    params.n_seq_max = 2;
    const auto context = model->new_context(params);
    const Token n_vocab = model->vocab().size();
    using Tokens = std::vector<Token>;

    EXPECT_EQ(refusal(*context, {}).code, MULLAMA_ERROR_INVALID_ARGUMENT);
    const auto large = refusal(*context, batch_of(Tokens(65, 1), 0));
    EXPECT_EQ(large.code, MULLAMA_ERROR_NO_SPACE);
    EXPECT_NE(large.message.find("n_batch"), std::string::npos);
    EXPECT_EQ(refusal(*context, batch_of(Tokens{1, n_vocab}, 0)).offset, 1);
    EXPECT_EQ(refusal(*context, batch_of(Tokens{-1}, 0)).parameter, "token");
    EXPECT_EQ(refusal(*context, batch_of(Tokens{1}, 0, 2)).parameter, "sequences");
    EXPECT_EQ(refusal(*context, batch_of(Tokens{1}, 0, -1)).parameter, "sequences");
    EXPECT_EQ(refusal(*context, batch_of(Tokens{1}, 3)).parameter, "position");
    EXPECT_EQ(refusal(*context, batch_of(Tokens{1}, -1)).parameter, "position");
    EXPECT_EQ(context->last_position(0), -1);

    ASSERT_EQ(context->decode(batch_of(Tokens{1, 2, 3}, 0)), DecodeStatus::ok);
    EXPECT_EQ(refusal(*context, batch_of(Tokens{1}, 2)).expected, "3");
    EXPECT_EQ(context->decode(batch_of(Tokens{4}, 3)), DecodeStatus::ok);

    params.kv_unified = false;
    const std::vector<SequenceId> both{0, 1};
    Batch shared;
    shared.add(1, 0, both, true);
    EXPECT_EQ(refusal(*model->new_context(params), shared).parameter, "sequences");
    params.kv_unified = true;
    for (const char *name : {"recurrent", "hybrid"}) {
        const auto other = load(fixture(name));
        EXPECT_EQ(refusal(*other->new_context(params), shared).parameter, "sequences") << name;
    }
}

TEST(Context, RefusesLogitsThatAreNotThere) {
    const auto model = load(fixture("llama"));
    const auto context = model->new_context(small_context());
    const auto code = [&](std::int32_t index) {
        return error_of([&] { (void)context->logits(index); }).code;
    };
    EXPECT_EQ(code(0), MULLAMA_ERROR_INVALID_STATE);
    ASSERT_EQ(context->decode(batch_of(std::vector<Token>{1, 2, 3}, 0)), DecodeStatus::ok);
    EXPECT_EQ(code(0), MULLAMA_ERROR_INVALID_STATE);
    EXPECT_EQ(code(2), MULLAMA_OK);
    EXPECT_EQ(code(3), MULLAMA_ERROR_INVALID_STATE);
    EXPECT_EQ(code(-1), MULLAMA_ERROR_INVALID_STATE);
    context->clear();
    EXPECT_EQ(code(2), MULLAMA_ERROR_INVALID_STATE);
}

TEST(Context, KeepsTheLogitsOfAWholeBatch) {
    // llama.cpp makes room for one output of each sequence unless told otherwise.
    for (const char *name : {"llama", "recurrent", "hybrid", "swa"}) {
        const auto model = load(fixture(name));
        const auto whole = model->new_context(small_context());
        const auto single = model->new_context(small_context());
        const std::vector<Token> tokens(64, 5);
        ASSERT_EQ(whole->decode(batch_of(tokens, 0, 0, true)), DecodeStatus::ok);
        for (std::int32_t i = 0; i < 64; ++i) {
            ASSERT_EQ(single->decode(batch_of(std::span(tokens).first(1), i)), DecodeStatus::ok);
            const float *expected = single->logits(0);
            const float *actual = whole->logits(i);
            for (std::int32_t v = 0; v < model->vocab().size(); ++v) {
                ASSERT_NEAR(actual[v], expected[v], 5e-2) << name << ", token " << i;
            }
        }
    }
}

TEST(Context, RefusesParametersThatLlamaWouldAbortOn) {
    const auto model = load(fixture("llama"));
    const auto parameter = [&](const ContextParams &params) {
        return error_of([&] { (void)model->new_context(params); }).parameter;
    };
    ContextParams params = small_context();
    params.n_seq_max = 257;
    EXPECT_EQ(parameter(params), "n_seq_max");
    params = small_context();
    params.n_seq_max = 65;
    EXPECT_EQ(parameter(params), "n_batch") << "one output for each sequence";
    params = small_context(0);
    EXPECT_EQ(parameter(params), "n_ctx");
    params = small_context();
    params.n_batch = 0;
    EXPECT_EQ(parameter(params), "n_batch");
    params = small_context();
    params.n_ubatch = 0;
    EXPECT_EQ(parameter(params), "n_ubatch");
    params = small_context();
    params.n_threads = 0;
    EXPECT_EQ(parameter(params), "n_threads");
    params = small_context();
    params.n_threads_batch = 100'000;
    EXPECT_EQ(parameter(params), "n_threads_batch");
    params = small_context();
    params.type_k = static_cast<mullama_cache_type_t>(15);
    EXPECT_EQ(parameter(params), "type_k");
    params = small_context();
    params.flash_attention = static_cast<mullama_switch_t>(3);
    EXPECT_EQ(parameter(params), "flash_attention");
    params = small_context();
    params.type_v = MULLAMA_CACHE_TYPE_Q8_0;
    params.flash_attention = MULLAMA_SWITCH_OFF;
    EXPECT_EQ(parameter(params), "type_v");
    // Heads of 16 numbers do not fill a block of 32.
    params.flash_attention = MULLAMA_SWITCH_AUTO;
    EXPECT_EQ(parameter(params), "type_v");
    params.type_v = MULLAMA_CACHE_TYPE_F16;
    params.type_k = MULLAMA_CACHE_TYPE_Q4_0;
    EXPECT_EQ(parameter(params), "type_k");

    const auto plamo2 = load(fixture("plamo2"));
    params = small_context();
    params.n_seq_max = 2;
    EXPECT_EQ(error_of([&] { (void)plamo2->new_context(params); }).parameter, "n_seq_max");

    const auto t5 = load(fixture("t5"));
    params.kv_unified = false;
    EXPECT_EQ(error_of([&] { (void)t5->new_context(params); }).parameter, "kv_unified");
}

// Nothing that passes may abort either: extreme but legal sizes, on each kind of model.
TEST(Context, WorksAtTheEdges) {
    for (const char *name : {"llama", "recurrent", "hybrid", "swa", "t5", "bert_mean", "moe"}) {
        const auto model = load(fixture(name));
        for (const auto &[n_ctx, n_batch, n_ubatch, n_seq] :
             {std::array<std::uint32_t, 4>{1, 1, 1, 1},
              {1, 512, 512, 1},
              {256, 1, 1, 1},
              {256, 1, 256, 1},
              {300, 7, 3, 5},
              {256, 256, 1, 256},
              {4096, 4096, 1, 2}}) {
            for (const bool unified : {true, false}) {
                if (!unified && n_seq > 1 && std::string_view(name) == "t5") {
                    continue;
                }
                ContextParams params;
                params.n_ctx = n_ctx;
                params.n_batch = n_batch;
                params.n_ubatch = n_ubatch;
                params.n_seq_max = n_seq;
                params.kv_unified = unified;
                const auto context = model->new_context(params);
                if (model->facts().has_encoder) {
                    EXPECT_EQ(context->encode(batch_of(std::vector<Token>{3}, 0)),
                              DecodeStatus::ok);
                }
                EXPECT_EQ(context->decode(batch_of(std::vector<Token>{3}, 0)), DecodeStatus::ok);
            }
        }
    }
}

TEST(Context, TakesEachCacheType) {
    // Its heads are 16 wide: the types without blocks.
    const auto model = load(fixture("llama"));
    for (const auto type :
         {MULLAMA_CACHE_TYPE_F16, MULLAMA_CACHE_TYPE_F32, MULLAMA_CACHE_TYPE_BF16}) {
        for (const auto flash : {MULLAMA_SWITCH_AUTO, MULLAMA_SWITCH_OFF, MULLAMA_SWITCH_ON}) {
            ContextParams params = small_context();
            params.type_k = type;
            params.type_v = type;
            params.flash_attention = flash;
            const auto context = model->new_context(params);
            EXPECT_EQ(context->decode(batch_of(std::vector<Token>{1, 2}, 0)), DecodeStatus::ok);
        }
    }
}

TEST(Context, ShortensAndClearsSequences) {
    const auto model = load(fixture("llama"));
    ContextParams params = small_context();
    params.n_seq_max = 2;
    const auto context = model->new_context(params);
    const auto prompt = tokenize(*model, "A prompt to come back to");
    const auto size = static_cast<Position>(prompt.size());
    const auto said = greedy(*model, *context, prompt, 64, 12);
    EXPECT_EQ(context->last_position(0), size + 11);
    EXPECT_EQ(context->first_position(0), 0);
    EXPECT_TRUE(context->truncate(0, size - 1));
    EXPECT_EQ(context->last_position(0), size - 2);
    EXPECT_EQ(greedy(*model, *context, {prompt.back()}, 64, 12), said);
    EXPECT_TRUE(context->truncate(0, 100'000));
    EXPECT_EQ(context->last_position(0), size + 11);
    ASSERT_EQ(context->decode(batch_of(prompt, 0, 1)), DecodeStatus::ok);
    EXPECT_TRUE(context->truncate(0, 0));
    EXPECT_EQ(context->last_position(0), -1);
    EXPECT_EQ(context->last_position(1), size - 1);
    context->clear();
    EXPECT_EQ(context->last_position(1), -1);
    EXPECT_EQ(error_of([&] { (void)context->truncate(2, 0); }).code, MULLAMA_ERROR_OUT_OF_RANGE);
    EXPECT_EQ(error_of([&] { (void)context->last_position(-1); }).code, MULLAMA_ERROR_OUT_OF_RANGE);
}

TEST(Context, SaysWhenASequenceCannotBeShortened) {
    for (const char *name : {"recurrent", "hybrid"}) {
        const auto model = load(fixture(name));
        const auto context = model->new_context(small_context());
        const auto prompt = tokenize(*model, "A state that cannot go back");
        const auto said = greedy(*model, *context, prompt, 64, 6);
        const Position last = context->last_position(0);
        EXPECT_FALSE(context->truncate(0, 3)) << name;
        EXPECT_EQ(context->last_position(0), last) << name;
        EXPECT_TRUE(context->truncate(0, 0)) << name;
        EXPECT_EQ(context->last_position(0), -1) << name;
        EXPECT_EQ(greedy(*model, *context, prompt, 64, 6), said) << name;
    }
}

TEST(Context, RunsOutOfSpaceAndChangesNothing) {
    const auto model = load(fixture("llama"));
    const auto context = model->new_context(small_context(256));
    const auto prompt = tokenize(*model, "Until it is full");
    const auto size = static_cast<Position>(prompt.size());
    greedy(*model, *context, prompt, 64, 256 - static_cast<int>(size));
    EXPECT_EQ(context->last_position(0), 255);
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>{1}, 256)), DecodeStatus::no_space);
    EXPECT_EQ(context->last_position(0), 255);
    EXPECT_TRUE(context->truncate(0, 200));
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>(56, 1), 200)), DecodeStatus::ok);
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>{1}, 256)), DecodeStatus::no_space);
}

// Aborts decodes at random moments: the memory is then as before, and goes on as if nothing was.
TEST(Context, IsAsBeforeAfterAnAbort) {
    for (const char *name : {"llama", "swa", "recurrent", "hybrid"}) {
        const auto model = load(fixture(name));
        ContextParams params;
        params.n_ctx = 2048;
        params.n_batch = 1024;
        params.n_ubatch = 16;
        const auto context = model->new_context(params);
        const auto prompt = tokenize(*model, "Before the interruption");
        const auto size = static_cast<Position>(prompt.size());
        const auto expected = [&] {
            const auto other = model->new_context(params);
            return greedy(*model, *other, prompt, 64, 8);
        }();
        const bool forgets = model->facts().is_recurrent || model->facts().is_hybrid;
        int aborted = 0;
        for (int delay = 0; delay < 6; ++delay) {
            context->clear();
            ASSERT_EQ(context->decode(batch_of(prompt, 0)), DecodeStatus::ok);
            std::thread other([&] {
                std::this_thread::sleep_for(std::chrono::microseconds(300 * delay));
                context->request_abort();
            });
            const auto status = context->decode(batch_of(std::vector<Token>(1000, 7), size));
            other.join();
            if (status == DecodeStatus::ok) {
                // It came too late, and hits the next decode.
                EXPECT_EQ(context->decode(batch_of(std::vector<Token>{7}, size + 1000)),
                          DecodeStatus::aborted);
                continue;
            }
            ++aborted;
            ASSERT_EQ(status, DecodeStatus::aborted);
            const bool untouched = context->last_position(0) == size - 1;
            EXPECT_TRUE(untouched || (forgets && context->last_position(0) == -1)) << name;
            if (untouched) {
                ASSERT_TRUE(context->truncate(0, forgets ? 0 : size - 1));
            }
            const auto again = untouched && !forgets ? std::vector<Token>{prompt.back()} : prompt;
            EXPECT_EQ(greedy(*model, *context, again, 64, 8), expected) << name;
        }
        EXPECT_GT(aborted, 0) << name;
    }
}

TEST(Encoder, WantsAllTokensAtOnce) {
    const auto model = load(fixture("bert_mean"));
    const auto context = model->new_context(small_context());
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>(32, 5), 0)), DecodeStatus::ok);
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>(32, 5), 0)), DecodeStatus::ok)
        << "it keeps no memory";
    EXPECT_EQ(context->last_position(0), -1);
    EXPECT_TRUE(context->truncate(0, 3));
    const auto large = refusal(*context, batch_of(std::vector<Token>(33, 5), 0));
    EXPECT_EQ(large.code, MULLAMA_ERROR_NO_SPACE);
    EXPECT_NE(large.message.find("n_ubatch"), std::string::npos);
    EXPECT_EQ(error_of([&] { (void)context->logits(0); }).code, MULLAMA_ERROR_UNSUPPORTED);
}

TEST(Encoder, ComesBeforeTheDecoder) {
    const auto model = load(fixture("t5"));
    ContextParams params = small_context();
    params.n_seq_max = 2;
    const auto context = model->new_context(params);
    const std::vector<Token> tokens{3, 4, 5};
    EXPECT_EQ(refusal(*context, batch_of(tokens, 0)).code, MULLAMA_ERROR_INVALID_STATE);
    ASSERT_EQ(context->encode(batch_of(tokens, 0, 1)), DecodeStatus::ok);
    EXPECT_EQ(refusal(*context, batch_of(tokens, 0, 0)).code, MULLAMA_ERROR_INVALID_STATE);
    EXPECT_EQ(context->decode(batch_of(tokens, 0, 1)), DecodeStatus::ok);
    EXPECT_EQ(error_of([&] { (void)context->encode(batch_of(tokens, 0, 1)); }).code,
              MULLAMA_ERROR_INVALID_STATE)
        << "the decoder still looks at the first text";
    EXPECT_TRUE(context->truncate(1, 0));
    EXPECT_EQ(context->encode(batch_of(tokens, 0, 1)), DecodeStatus::ok);
    EXPECT_EQ(context->decode(batch_of(tokens, 0, 1)), DecodeStatus::ok);

    const auto decoder = load(fixture("llama"));
    const auto other = decoder->new_context(small_context());
    EXPECT_EQ(error_of([&] { (void)other->encode(batch_of(tokens, 0)); }).code,
              MULLAMA_ERROR_UNSUPPORTED);
}

TEST(Threads, ChangeNothingButTheTime) {
    const auto model = load(fixture("llama"));
    const auto prompt = tokenize(*model, "The same with any number");
    const auto context = model->new_context(small_context());
    const auto said = greedy(*model, *context, prompt, 64, 3);
    // No more than two: threads of ggml's wait for each other without giving way.
    for (const auto &[one, many] : {std::pair{2, 2}, {1, 2}, {1, 1}, {2, 1}}) {
        context->set_threads(one, many);
        context->clear();
        EXPECT_EQ(greedy(*model, *context, prompt, 64, 3), said);
    }
    EXPECT_EQ(error_of([&] { context->set_threads(0, 1); }).parameter, "n_threads");
    EXPECT_EQ(error_of([&] { context->set_threads(1, 0); }).parameter, "n_threads_batch");
}

#ifdef __linux__
std::size_t thread_count() {
    const auto tasks = std::filesystem::directory_iterator("/proc/self/task");
    return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

// A thread that was joined is listed for a moment longer.
std::size_t thread_count_after_exits(std::size_t expected) {
    for (int i = 0; i < 1000 && thread_count() > expected; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return thread_count();
}

TEST(Threads, AreThoseAskedFor) {
    const auto model = load(fixture("llama"));
    const std::size_t before = thread_count();
    {
        const auto context = model->new_context(small_context());
        Position position = 0;
        const auto decode = [&] {
            EXPECT_EQ(context->decode(batch_of(std::vector<Token>{1, 2}, position)),
                      DecodeStatus::ok);
            position += 2;
        };
        decode();
        EXPECT_EQ(thread_count(), before) << "one thread starts none";
        context->set_threads(1, 3);
        context->set_threads(1, 2);
        EXPECT_EQ(thread_count_after_exits(before + 1), before + 1)
            << "those that never computed are gone";
        decode();
        EXPECT_EQ(thread_count(), before + 1);
        // llama.cpp lets go of the old ones when it next computes.
        context->set_threads(1, 1);
        EXPECT_EQ(thread_count(), before + 1);
        decode();
        EXPECT_EQ(thread_count_after_exits(before), before);
        context->set_threads(2, 2);
    }
    EXPECT_EQ(thread_count_after_exits(before), before);
}
// The signals that a thread has blocked, a bit each.
std::uint64_t blocked_signals(const std::filesystem::path &task) {
    std::ifstream status(task / "status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("SigBlk:")) {
            return std::stoull(line.substr(7), nullptr, 16);
        }
    }
    return 0;
}

TEST(Threads, LeaveSignalsToTheHost) {
    const auto bit = [](int signal) { return std::uint64_t{1} << (signal - 1); };
    const auto own = std::filesystem::path("/proc/thread-self");
    const std::uint64_t before = blocked_signals(own);
    const auto model = load(fixture("llama"));
    std::set<std::filesystem::path> old;
    for (const auto &task : std::filesystem::directory_iterator("/proc/self/task")) {
        old.insert(task.path());
    }
    const auto context = model->new_context(small_context());
    context->set_threads(2, 2);
    EXPECT_EQ(blocked_signals(own), before);
    // A thread hears nothing at all until it runs.
    ASSERT_EQ(context->decode(batch_of(std::vector<Token>{1, 2}, 0)), DecodeStatus::ok);
    ASSERT_EQ(thread_count_after_exits(old.size() + 1), old.size() + 1);
    int seen = 0;
    for (const auto &task : std::filesystem::directory_iterator("/proc/self/task")) {
        const std::uint64_t blocked = blocked_signals(task.path());
        if (!old.contains(task.path()) && blocked != 0) {
            ++seen;
            for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGCHLD, SIGALRM}) {
                EXPECT_NE(blocked & bit(signal), 0U) << signal;
            }
            EXPECT_EQ(blocked & bit(SIGSEGV), 0U);
        }
    }
    EXPECT_EQ(seen, 1);
}
#endif

TEST(Model, IsSharedByContextsOnManyThreads) {
    const auto model = load(fixture("llama"));
    const auto prompt = tokenize(*model, "All at once");
    const auto expected = greedy(*model, *model->new_context(small_context()), prompt, 64, 16);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 3; ++round) {
                const auto context = model->new_context(small_context());
                EXPECT_EQ(greedy(*model, *context, prompt, 64, 16), expected);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

} // namespace
} // namespace mullama::test

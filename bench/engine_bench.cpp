// An engine with many streams against the loop that it is made around: llama_decode of one token of
// each sequence, the likeliest taken. Both run in this process, in turn, on one thread.
//
//   engine_bench MODEL
#include <llama.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "mullama/mullama.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Tokens = std::vector<mullama_token_t>;

constexpr int rounds = 5;
constexpr std::size_t n_prompt = 32;
constexpr std::size_t n_generate = 96;
constexpr std::uint32_t n_batch = 512;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> numbers) {
    std::ranges::sort(numbers);
    return numbers[numbers.size() / 2];
}

double quantile(std::vector<double> numbers, double part) {
    std::ranges::sort(numbers);
    return numbers[static_cast<std::size_t>(part * static_cast<double>(numbers.size() - 1))];
}

// A prompt of its own for each stream: nothing is shared but what `shared` says.
Tokens prompt_of(std::size_t stream, std::size_t shared, std::size_t size, std::int32_t n_vocab) {
    Tokens tokens;
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < size; ++i) {
        if (i == shared)
            state = 1000 + static_cast<std::uint32_t>(stream);
        state = state * 1664525 + 1013904223;
        tokens.push_back(
            static_cast<mullama_token_t>((state >> 8) % static_cast<std::uint32_t>(n_vocab)));
    }
    return tokens;
}

struct FreeModel {
    void operator()(llama_model *model) const { llama_model_free(model); }
};
struct FreeContext {
    void operator()(llama_context *context) const { llama_free(context); }
};

class RawLoop {
public:
    RawLoop(llama_model *model, std::uint32_t n_streams, std::uint32_t n_ctx) {
        llama_context_params params = llama_context_default_params();
        params.n_ctx = n_ctx;
        params.n_batch = n_batch;
        params.n_ubatch = n_batch;
        params.n_seq_max = n_streams;
        params.n_threads = 1;
        params.n_threads_batch = 1;
        params.kv_unified = true;
        context_.reset(llama_init_from_model(model, params));
        n_vocab_ = llama_vocab_n_tokens(llama_model_get_vocab(model));
        batch_ = llama_batch_init(static_cast<std::int32_t>(n_batch), 0, 1);
    }
    RawLoop(const RawLoop &) = delete;
    RawLoop &operator=(const RawLoop &) = delete;
    ~RawLoop() { llama_batch_free(batch_); }

    // Tokens generated a second, the prompts included in the time.
    double run(const std::vector<Tokens> &prompts) {
        const Clock::time_point begin = Clock::now();
        llama_memory_clear(llama_get_memory(context_.get()), false);
        std::vector<mullama_token_t> next(prompts.size());
        batch_.n_tokens = 0;
        std::vector<std::size_t> ended;
        const auto flush = [&] {
            if (llama_decode(context_.get(), batch_) != 0)
                std::abort();
            for (const std::size_t stream : ended)
                next[stream] = best(row_of_[stream]);
            ended.clear();
            batch_.n_tokens = 0;
        };
        row_of_.resize(prompts.size());
        for (std::size_t s = 0; s < prompts.size(); ++s) {
            if (batch_.n_tokens + prompts[s].size() > n_batch)
                flush();
            for (std::size_t i = 0; i < prompts[s].size(); ++i)
                add(prompts[s][i], i, s, i + 1 == prompts[s].size());
            row_of_[s] = batch_.n_tokens - 1;
            ended.push_back(s);
        }
        flush();
        for (std::size_t step = 1; step < n_generate; ++step) {
            for (std::size_t s = 0; s < prompts.size(); ++s) {
                row_of_[s] = batch_.n_tokens;
                add(next[s], prompts[s].size() + step - 1, s, true);
                ended.push_back(s);
            }
            flush();
        }
        return static_cast<double>(prompts.size() * n_generate) / seconds_since(begin);
    }

private:
    void add(mullama_token_t token, std::size_t position, std::size_t sequence, bool output) {
        const std::int32_t i = batch_.n_tokens++;
        batch_.token[i] = token;
        batch_.pos[i] = static_cast<llama_pos>(position);
        batch_.n_seq_id[i] = 1;
        batch_.seq_id[i][0] = static_cast<llama_seq_id>(sequence);
        batch_.logits[i] = output ? 1 : 0;
    }
    [[nodiscard]] mullama_token_t best(std::int32_t row) const {
        const float *const logits = llama_get_logits_ith(context_.get(), row);
        return static_cast<mullama_token_t>(std::max_element(logits, logits + n_vocab_) - logits);
    }

    std::unique_ptr<llama_context, FreeContext> context_;
    llama_batch batch_{};
    std::int32_t n_vocab_ = 0;
    std::vector<std::int32_t> row_of_;
};

mullama::Engine make_engine(const mullama::Model &model, std::uint32_t n_streams,
                            std::uint32_t n_ctx, bool cache) {
    auto context = mullama::options<mullama_context_options_t>();
    context.n_ctx = n_ctx;
    context.n_batch = n_batch;
    context.n_ubatch = n_batch;
    context.n_seq_max = n_streams;
    context.n_threads = 1;
    context.n_threads_batch = 1;
    auto options = mullama::options<mullama_engine_options_t>();
    options.context = &context;
    options.prefix_cache = cache;
    return mullama::Engine(model, options);
}

struct EngineRun {
    double rate = 0;
    std::vector<double> first_ms;
};

// Reads the events of all streams from one queue, as a server does.
EngineRun run_engine(mullama::Engine &engine, const std::vector<Tokens> &prompts) {
    auto options = mullama::options<mullama_request_options_t>();
    options.max_tokens = n_generate;
    options.ignore_end = true;
    mullama::Queue queue;
    std::vector<mullama::Stream> streams;
    const Clock::time_point begin = Clock::now();
    for (std::size_t s = 0; s < prompts.size(); ++s)
        streams.push_back(engine.submit(mullama::Request(prompts[s], options), queue, s));
    std::size_t done = 0;
    while (done < prompts.size()) {
        queue.take(256, -1, [&](std::uint64_t, const mullama_stream_event_t &event) {
            done += event.kind == MULLAMA_EVENT_DONE ? 1 : 0;
        });
    }
    EngineRun result{static_cast<double>(prompts.size() * n_generate) / seconds_since(begin), {}};
    for (const mullama::Stream &stream : streams)
        result.first_ms.push_back(static_cast<double>(stream.result().first_token_ns) / 1e6);
    return result;
}

void compare_throughput(const mullama::Model &model, llama_model *raw, std::int32_t n_vocab) {
    std::puts("streams   raw loop t/s   engine t/s   ratio   first token p50 / p99 ms");
    for (const std::uint32_t n_streams : {1U, 8U, 64U, 256U}) {
        const auto n_ctx = static_cast<std::uint32_t>(n_streams * (n_prompt + n_generate + 8));
        std::vector<Tokens> prompts;
        for (std::size_t s = 0; s < n_streams; ++s)
            prompts.push_back(prompt_of(s, 0, n_prompt, n_vocab));
        RawLoop loop(raw, n_streams, std::max(n_ctx, 512U));
        mullama::Engine engine = make_engine(model, n_streams, std::max(n_ctx, 512U), false);
        std::vector<double> raw_rates;
        std::vector<double> rates;
        std::vector<double> ratios;
        std::vector<double> first;
        // All of the unified cells are looked at for each token: many streams take long.
        const int turns = n_streams > 64 ? 1 : rounds;
        for (int round = 0; round < turns; ++round) {
            raw_rates.push_back(loop.run(prompts));
            EngineRun mine = run_engine(engine, prompts);
            rates.push_back(mine.rate);
            ratios.push_back(mine.rate / raw_rates.back());
            first.insert(first.end(), mine.first_ms.begin(), mine.first_ms.end());
        }
        std::printf("%7u   %12.0f   %10.0f   %5.3f   %.2f / %.2f\n", n_streams, median(raw_rates),
                    median(rates), median(ratios), quantile(first, 0.5), quantile(first, 0.99));
    }
}

void compare_shared_prefix(const mullama::Model &model, std::int32_t n_vocab) {
    constexpr std::size_t shared = 512;
    std::vector<double> cold;
    std::vector<double> warm;
    for (const bool cache : {false, true}) {
        mullama::Engine engine = make_engine(model, 8, 4096, cache);
        for (std::size_t s = 0; s < 40; ++s) {
            const EngineRun one = run_engine(engine, {prompt_of(s, shared, shared + 8, n_vocab)});
            if (s > 0)
                (cache ? warm : cold).push_back(one.first_ms.front());
        }
    }
    std::printf(
        "first token behind a shared prefix of %zu: %.3f ms without the cache, %.3f ms with, "
        "%.1f times lower\n",
        shared, median(cold), median(warm), median(cold) / median(warm));
}

void measure_submission(const mullama::Model &model, std::int32_t n_vocab) {
    mullama::Engine engine = make_engine(model, 64, 4096, true);
    auto options = mullama::options<mullama_request_options_t>();
    options.max_tokens = 1;
    mullama::Queue queue;
    const mullama::Request tokens(prompt_of(0, 0, 8, n_vocab), options);
    mullama::Sampler usual = mullama::Sampler::defaults();
    const mullama::Request sampled =
        std::move(mullama::Request("a short prompt", options).sampler(usual));
    for (const auto &[name, request] :
         {std::pair<const char *, const mullama::Request *>{"greedy, tokens", &tokens},
          {"usual sampler, text", &sampled}}) {
        std::vector<double> each;
        for (int round = 0; round < rounds; ++round) {
            std::vector<mullama::Stream> streams;
            streams.reserve(1000);
            const Clock::time_point begin = Clock::now();
            for (std::uint64_t i = 0; i < 1000; ++i)
                streams.push_back(engine.submit(*request, queue, i));
            each.push_back(seconds_since(begin) * 1e6 / 1000);
            for (std::size_t done = 0; done < 1000;)
                queue.take(256, -1, [&](std::uint64_t, const mullama_stream_event_t &event) {
                    done += event.kind == MULLAMA_EVENT_DONE ? 1 : 0;
                });
        }
        std::printf("submission (%s): %.2f us each, %.2f ms for 1000\n", name, median(each),
                    median(each));
    }
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: engine_bench MODEL\n");
        return 1;
    }
    llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
    llama_backend_init();
    const std::unique_ptr<llama_model, FreeModel> raw(
        llama_model_load_from_file(argv[1], llama_model_default_params()));
    if (!raw)
        return 1;
    const mullama::Model model(argv[1]);
    const std::int32_t n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(raw.get()));
    compare_throughput(model, raw.get(), n_vocab);
    compare_shared_prefix(model, n_vocab);
    measure_submission(model, n_vocab);
    return 0;
}

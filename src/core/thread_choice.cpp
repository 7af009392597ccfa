#include "core/thread_choice.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace mullama::core {

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

constexpr auto time_limit = std::chrono::milliseconds(500);
// A decode that takes all cores of a large model this long is no question: threads pay.
constexpr auto long_decode = std::chrono::milliseconds(20);
// Below, one thread computes a token in some ten milliseconds at most, and is tried first.
constexpr std::uint64_t small_model = 128ULL << 20U;
// A batch of this many tokens is a prefill in small.
constexpr std::uint32_t batch_tokens = 64;
constexpr std::size_t rounds = 7;
// Decodes in a row with the same number of threads: the first wakes them and does not count.
constexpr std::size_t repeats = 4;

// What was left to us, decided.
ThreadChoice fill(ThreadChoice asked, std::int32_t n_threads) {
    return {asked.n_threads == 0 ? n_threads : asked.n_threads,
            asked.n_threads_batch == 0 ? n_threads : asked.n_threads_batch};
}

// 1, 2, 3, ... for few cores; further apart for many.
std::vector<std::int32_t> thread_numbers(std::int32_t max_threads) {
    std::vector<std::int32_t> numbers;
    for (std::int32_t n = 1; n < max_threads; n = n < 4 ? n + 1 : n + n / 2) {
        numbers.push_back(n);
    }
    numbers.push_back(max_threads);
    return numbers;
}

class Measurement {
public:
    Measurement(backend::Context &context, const backend::ModelFacts &facts, std::int32_t n_vocab)
        : context_(context), encoder_only_(facts.has_encoder && !facts.has_decoder),
          encodes_first_(facts.has_encoder && facts.has_decoder), n_vocab_(n_vocab) {}

    // Each starts over with an empty sequence.
    Nanoseconds decode(std::uint32_t n_tokens) {
        if (!context_.truncate(0, 0)) {
            context_.clear();
        }
        fill(n_tokens);
        if (encodes_first_) {
            run(context_.encode(batch_));
        }
        const auto begin = Clock::now();
        run(encoder_only_ ? context_.encode(batch_) : context_.decode(batch_));
        return Clock::now() - begin;
    }

private:
    void fill(std::uint32_t n_tokens) {
        constexpr std::array<backend::SequenceId, 1> sequence{0};
        batch_.clear();
        for (std::uint32_t i = 0; i < n_tokens; ++i) {
            // Spread over the vocabulary, so that no expert of a mixture is left out.
            const auto token = static_cast<backend::Token>((std::uint64_t{i} * 2654435761U) %
                                                           static_cast<std::uint64_t>(n_vocab_));
            batch_.add(token, static_cast<backend::Position>(i), sequence, i + 1 == n_tokens);
        }
    }

    static void run(backend::DecodeStatus status) {
        if (status != backend::DecodeStatus::ok) {
            throw base::Error(MULLAMA_ERROR_ENGINE, "a decode that was to be timed failed");
        }
    }

    backend::Context &context_;
    bool encoder_only_;
    bool encodes_first_;
    std::int32_t n_vocab_;
    backend::Batch batch_;
};

Nanoseconds median(std::vector<Nanoseconds> &times) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
}

// Times several numbers of threads in turn, so that a machine that is slower for a while is so for
// all of them.
class Race {
public:
    Race(Measurement &measurement, backend::Context &context, std::uint32_t n_tokens,
         Clock::time_point deadline)
        : measurement_(measurement), context_(context), n_tokens_(n_tokens), deadline_(deadline) {}

    // The fewest of `numbers` that no other beats clearly. The likeliest winners come first, rising
    // or falling: once a number is far slower than the best before it, so are all that follow, and
    // on a large machine trying them would take longer than there is time.
    std::int32_t winner(const std::vector<std::int32_t> &numbers) {
        qualify(numbers);
        for (std::size_t round = 1; round < rounds; ++round) {
            for (Runner &runner : runners_) {
                if (late()) {
                    break;
                }
                run(runner);
            }
        }
        std::sort(runners_.begin(), runners_.end(),
                  [](const Runner &a, const Runner &b) { return a.n_threads < b.n_threads; });
        const Runner *best = nullptr;
        Nanoseconds best_time{};
        for (Runner &runner : runners_) {
            const Nanoseconds time = median(runner.times);
            if (best == nullptr || time.count() * 100 < best_time.count() * 97) {
                best = &runner;
                best_time = time;
            }
        }
        return best->n_threads;
    }

private:
    struct Runner {
        std::int32_t n_threads;
        std::vector<Nanoseconds> times;
    };

    [[nodiscard]] bool late() const { return Clock::now() >= deadline_; }

    void qualify(const std::vector<std::int32_t> &numbers) {
        Nanoseconds best = Nanoseconds::max();
        for (const std::int32_t number : numbers) {
            if (!runners_.empty() && late()) {
                return;
            }
            Runner runner{number, {}};
            run(runner);
            const Nanoseconds time = median(runner.times);
            if (time / 2 > best) {
                return;
            }
            best = std::min(best, time);
            runners_.push_back(std::move(runner));
        }
    }

    void run(Runner &runner) {
        context_.set_threads(runner.n_threads, runner.n_threads);
        const Nanoseconds first = measurement_.decode(n_tokens_);
        if (runner.times.empty() && late()) {
            runner.times.push_back(first);
        }
        for (std::size_t repeat = 1; repeat < repeats && !late(); ++repeat) {
            runner.times.push_back(measurement_.decode(n_tokens_));
        }
    }

    Measurement &measurement_;
    backend::Context &context_;
    std::uint32_t n_tokens_;
    Clock::time_point deadline_;
    std::vector<Runner> runners_;
};

ThreadChoice measure(backend::Context &context, const backend::ModelFacts &facts,
                     std::int32_t n_vocab, ThreadChoice asked, std::int32_t max_threads) {
    const bool one = asked.n_threads == 0;
    const bool many = asked.n_threads_batch == 0;
    ThreadChoice choice = fill(asked, max_threads);
    Measurement measurement(context, facts, n_vocab);
    std::vector<std::int32_t> numbers = thread_numbers(max_threads);
    const bool small = facts.size_bytes < small_model;
    if (!small) {
        std::reverse(numbers.begin(), numbers.end());
    }
    context.set_threads(numbers.front(), numbers.front());
    // The first decode pages weights in and makes buffers: it tells nothing.
    static_cast<void>(measurement.decode(1));
    const auto begin = Clock::now();
    const auto pays_anyway = [&](std::uint32_t n_tokens) {
        context.set_threads(numbers.front(), numbers.front());
        return !small && measurement.decode(n_tokens) >= long_decode;
    };
    if (one && !pays_anyway(1)) {
        const auto deadline = begin + (many ? time_limit / 2 : time_limit);
        choice.n_threads = Race(measurement, context, 1, deadline).winner(numbers);
    }
    const std::uint32_t n_tokens =
        std::min({batch_tokens, context.n_ubatch(), context.n_ctx_seq()});
    if (many && !pays_anyway(n_tokens)) {
        choice.n_threads_batch =
            Race(measurement, context, n_tokens, begin + time_limit).winner(numbers);
    }
    return choice;
}

} // namespace

ThreadChoice measure_threads(backend::Context &context, const backend::ModelFacts &facts,
                             std::int32_t n_vocab, ThreadChoice asked, std::int32_t max_threads) {
    ThreadChoice choice = fill(asked, max_threads);
    try {
        context.set_threads(max_threads, max_threads);
    } catch (const base::Error &) {
        // The system gives us no more threads; the one that we are on is enough.
        choice = fill(asked, 1);
        context.set_threads(choice.n_threads, choice.n_threads_batch);
        return choice;
    }
    try {
        choice = measure(context, facts, n_vocab, asked, max_threads);
    } catch (const base::Error &) {
        // The caller's own decode will say what is wrong; until then the greatest number it is.
        choice = fill(asked, max_threads);
    }
    context.clear();
    context.set_threads(choice.n_threads, choice.n_threads_batch);
    return choice;
}

} // namespace mullama::core

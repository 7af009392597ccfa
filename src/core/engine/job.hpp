// A request in the engine, and its continuations.
#pragma once

#include "core/engine/request.hpp"
#include "core/engine/stream.hpp"
#include "core/logprobs.hpp"
#include "core/text_writer.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mullama::core::engine {

using Clock = Stream::Clock;

// A request that was submitted. Its continuations share it.
struct Job {
    Request request;
    std::shared_ptr<Stream> stream;
    std::uint64_t number = 0; // rising in the order of submission
    Clock::time_point submitted;
    Clock::time_point deadline = Clock::time_point::max();
    // What a cached prefix must have been computed with: adapters, scales and the isolation key.
    std::string cache_key;
    // Which requests it can share a batch with.
    std::string adapters_key;

    // By the tokenizing worker.
    std::vector<backend::Token> prompt;
    std::optional<base::Error> failure;
};

// One continuation of a job: its tokens, where they are, and what becomes of the next.
struct Lane {
    Lane(std::shared_ptr<Job> its_job, std::uint32_t which, sampling::Chain its_chain,
         TextWriter its_writer)
        : job(std::move(its_job)), continuation(which), chain(std::move(its_chain)),
          writer(std::move(its_writer)), n_prompt(job->prompt.size()), tokens(job->prompt) {}

    std::shared_ptr<Job> job;
    std::uint32_t continuation;
    sampling::Chain chain;
    TextWriter writer;
    Logprobs logprobs;

    std::size_t n_prompt;
    // The prompt and what was generated; the first n_past of them are in the context.
    std::vector<backend::Token> tokens;
    std::size_t n_past = 0;
    // -1: waiting for one.
    backend::SequenceId sequence = -1;
    // In the batch that is computed: how many of its tokens, and the index of the last.
    std::size_t n_batched = 0;
    std::int32_t batch_index = -1;
    // The last iteration that computed it.
    std::uint64_t turn = 0;

    std::size_t n_generated = 0;
    std::size_t n_cached = 0;
    bool prompt_accepted = false;
    bool finished = false;
    bool failed = false;
    // Its sequence is full, and it goes on with a part dropped.
    bool must_shift = false;
    // Its stream had no room when the last batch was put together.
    bool stalled = false;
    Clock::time_point admitted;
    Clock::time_point first_token;

    [[nodiscard]] std::size_t pending() const noexcept { return tokens.size() - n_past; }
    [[nodiscard]] bool is_prefilling() const noexcept { return pending() > 1; }
};

} // namespace mullama::core::engine

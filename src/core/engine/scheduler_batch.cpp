// What one iteration computes, and what becomes of it.
#include "core/engine/scheduler.hpp"

#include "base/error.hpp"
#include "platform/clock.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace mullama::core::engine {

using backend::Position;
using backend::Token;
using base::Error;

namespace {

// How many iterations requests with the same adapters have, one after the other, while others wait:
// a change makes llama.cpp plan anew.
constexpr std::size_t turns_of_group = 8;
constexpr std::int32_t any_priority = std::numeric_limits<std::int32_t>::max();

Error out_of_memory() {
    return {MULLAMA_ERROR_OUT_OF_MEMORY, "there was no memory for the request's next token"};
}

} // namespace

bool Scheduler::in_group(const Lane &lane) const {
    return !lane.stalled && !lane.finished && lane.job->adapters_key == group_;
}

void Scheduler::choose_group() {
    bool mine = false;
    Lane *other = nullptr;
    for (const std::unique_ptr<Lane> &lane : running_) {
        lane->stalled = !lane->job->stream->has_room();
        if (lane->stalled) {
            continue;
        }
        if (in_group(*lane)) {
            mine = true;
        } else if (other == nullptr || lane->turn < other->turn) {
            other = lane.get();
        }
    }
    if (other == nullptr || (mine && turns_left_ > 0)) {
        turns_left_ -= turns_left_ > 0 ? 1 : 0;
        return;
    }
    try {
        context_.set_adapters(other->job->request.adapters);
        group_ = other->job->adapters_key;
        turns_left_ = turns_of_group;
    } catch (const Error &error) {
        fail(*other, error);
        remove_finished(running_);
    }
}

void Scheduler::find_decoding() {
    decoding_.clear();
    for (const std::unique_ptr<Lane> &lane : running_) {
        if (in_group(*lane) && lane->pending() == 1) {
            decoding_.push_back(lane.get());
        }
    }
    const std::size_t most = context_.n_batch();
    if (decoding_.size() > most) {
        // Those that were left out the last time come first.
        std::ranges::stable_sort(decoding_, {}, [](const Lane *lane) { return lane->turn; });
        decoding_.resize(most);
    }
}

void Scheduler::build_batch() {
    batch_.clear();
    batched_.clear();
    n_prefilling_ = 0;
    ++turn_;
    for (;;) {
        find_decoding();
        // Room for one token at least, where all that compute are in the middle of their prompts.
        const bool any = std::ranges::any_of(
            running_, [this](const std::unique_ptr<Lane> &lane) { return in_group(*lane); });
        const std::size_t needed = std::max<std::size_t>(decoding_.size(), any ? 1 : 0);
        if (free_cells(needed) || !preempt(running_.front().get(), any_priority)) {
            break;
        }
    }
    n_decoding_ = decoding_.size();
    for (Lane *lane : decoding_) {
        add_to_batch(*lane, 1);
    }
    add_prompts();
}

void Scheduler::add_prompts() {
    std::size_t wanted = 0;
    for (const std::unique_ptr<Lane> &lane : running_) {
        if (in_group(*lane) && lane->pending() > 1) {
            wanted += lane->pending();
        }
    }
    if (wanted == 0) {
        return;
    }
    std::size_t budget = std::min<std::size_t>(wanted, context_.n_batch() - n_decoding_);
    budget = chunk_.next(n_decoding_, budget);
    // What the cache holds gives way to what is asked now.
    if (!free_cells(n_decoding_ + budget)) {
        budget = cells_left() - std::min(n_decoding_, cells_left());
    }
    for (const std::unique_ptr<Lane> &lane : running_) {
        if (budget == 0) {
            break;
        }
        if (in_group(*lane) && lane->pending() > 1) {
            const std::size_t count = std::min(lane->pending(), budget);
            add_to_batch(*lane, count);
            n_prefilling_ += count;
            budget -= count;
        }
    }
}

void Scheduler::add_to_batch(Lane &lane, std::size_t count) {
    const std::size_t end = lane.n_past + count;
    for (std::size_t i = lane.n_past; i < end; ++i) {
        batch_.add(lane.tokens[i], static_cast<Position>(i), std::span(&lane.sequence, 1),
                   i + 1 == lane.tokens.size());
    }
    lane.n_batched = count;
    lane.batch_index = static_cast<std::int32_t>(batch_.size()) - 1;
    lane.turn = turn_;
    batched_.push_back(&lane);
}

void Scheduler::compute() {
    const std::uint64_t begin = platform::monotonic_nanoseconds();
    try {
        context_.decode(batch_);
    } catch (const Error &error) {
        decode_each(error);
        return;
    } catch (const std::bad_alloc &) {
        decode_each(out_of_memory());
        return;
    }
    const std::uint64_t took = platform::monotonic_nanoseconds() - begin;
    chunk_.note(n_decoding_, n_prefilling_, took);
    ++counters_.iterations;
    counters_.decode_ns += took;
    counters_.prompt_tokens += n_prefilling_;
    for (Lane *lane : batched_) {
        lane->n_past += lane->n_batched;
        after_decode(*lane);
    }
}

void Scheduler::reconcile(Lane &lane) const {
    // A model that cannot go back has lost all of it.
    lane.n_past = std::min(lane.n_past, context_.sequence_size(lane.sequence));
}

// Whose fault it was is found by computing each alone: the others go on.
void Scheduler::decode_each(const Error &cause) {
    const std::vector<Lane *> lanes = std::exchange(batched_, {});
    for (Lane *lane : lanes) {
        reconcile(*lane);
    }
    if (lanes.size() == 1) {
        fail(*lanes.front(), cause);
        return;
    }
    for (Lane *lane : lanes) {
        const std::size_t count = std::min(lane->n_batched, lane->pending());
        batch_.clear();
        try {
            add_to_batch(*lane, count);
            context_.decode(batch_);
        } catch (const Error &error) {
            reconcile(*lane);
            fail(*lane, error);
            continue;
        } catch (const std::bad_alloc &) {
            reconcile(*lane);
            fail(*lane, out_of_memory());
            continue;
        }
        lane->n_past += count;
        after_decode(*lane);
    }
    batched_ = lanes;
}

void Scheduler::after_decode(Lane &lane) {
    if (lane.pending() > 0) {
        return;
    }
    try {
        sample(lane);
    } catch (const Error &error) {
        fail(lane, error);
    } catch (const std::bad_alloc &) {
        fail(lane, out_of_memory());
    }
}

void Scheduler::sample(Lane &lane) {
    const Request &request = lane.job->request;
    if (!lane.prompt_accepted) {
        for (const Token token : lane.tokens) {
            lane.chain.accept_prompt(token);
        }
        lane.prompt_accepted = true;
    }
    const auto limit = static_cast<std::uint64_t>(request.max_tokens);
    if (request.max_tokens == 0) {
        finish(lane, MULLAMA_STOP_LENGTH);
        return;
    }
    const std::span<const float> logits = context_.logits(lane.batch_index);
    if (request.top_logprobs >= 0) {
        lane.logprobs.read(logits, static_cast<std::size_t>(request.top_logprobs));
    }
    const Token token = lane.chain.sample(logits);
    if (lane.n_generated++ == 0) {
        lane.first_token = Clock::now();
    }
    ++counters_.generated_tokens;
    const bool ends = !request.ignore_end && context_.model().vocab().ends_generation(token);
    const bool full = lane.n_past >= context_.n_ctx_seq();
    const bool shifts = request.overflow == MULLAMA_OVERFLOW_SHIFT;
    mullama_stop_reason_t reason = MULLAMA_STOP_NONE;
    if (ends) {
        reason = MULLAMA_STOP_END;
    } else if (request.max_tokens > 0 && lane.n_generated >= limit) {
        reason = MULLAMA_STOP_LENGTH;
    } else if (full && !shifts) {
        reason = MULLAMA_STOP_CONTEXT;
    }
    reason = lane.writer.write(token, ends, reason);
    tell(lane, token);
    if (reason != MULLAMA_STOP_NONE) {
        finish(lane, reason);
        return;
    }
    lane.tokens.push_back(token);
    lane.must_shift = full;
}

void Scheduler::tell(Lane &lane, Token token) {
    event_.kind = MULLAMA_EVENT_TOKEN;
    event_.continuation = lane.continuation;
    event_.token = token;
    event_.index = lane.n_generated - 1;
    event_.text = lane.writer.text();
    if (lane.job->request.top_logprobs >= 0) {
        event_.logprob = lane.logprobs.of(token);
        event_.top_tokens.assign(lane.logprobs.top_tokens().begin(),
                                 lane.logprobs.top_tokens().end());
        event_.top_logprobs.assign(lane.logprobs.top_values().begin(),
                                   lane.logprobs.top_values().end());
    }
    lane.job->stream->put(event_);
}

void Scheduler::shift(Lane &lane) {
    const std::size_t keep = std::min(lane.job->request.n_keep, lane.tokens.size() / 2);
    const std::size_t dropped = (lane.tokens.size() - keep + 1) / 2;
    const auto first = lane.tokens.begin() + static_cast<std::ptrdiff_t>(keep);
    lane.tokens.erase(first, first + static_cast<std::ptrdiff_t>(dropped));
    try {
        context_.remove(lane.sequence, static_cast<Position>(keep), MULLAMA_POSITION_END);
    } catch (const Error &) {
        // A memory that cannot be shortened is computed from the beginning.
        context_.remove(lane.sequence, 0, MULLAMA_POSITION_END);
    }
    lane.n_past = context_.sequence_size(lane.sequence);
    lane.must_shift = false;
}

} // namespace mullama::core::engine

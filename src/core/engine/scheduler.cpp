#include "core/engine/scheduler.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace mullama::core::engine {

using backend::SequenceId;
using base::Error;

namespace {

bool can(const Context &context, mullama_context_ability_t ability) {
    return (context.abilities() & static_cast<std::uint64_t>(ability)) != 0;
}

} // namespace

Scheduler::Scheduler(Context &context, Inbox &inbox, const SchedulerOptions &options,
                     std::function<void()> on_finished)
    : context_(context), inbox_(inbox), on_finished_(std::move(on_finished)),
      use_cache_(options.prefix_cache), can_copy_(can(context, MULLAMA_CONTEXT_CAN_COPY)),
      can_share_(can(context, MULLAMA_CONTEXT_CAN_SHARE)),
      // A state has the same size however long its sequence is.
      counts_cells_(!context.model().facts().is_recurrent || context.model().facts().is_hybrid),
      cache_(context), chunk_(options.max_iteration_ns) {
    for (auto id = static_cast<SequenceId>(context.n_seq_max()); id-- > 0;) {
        free_.push_back(id);
    }
    publish();
}

void Scheduler::stop() {
    stopping_.store(true);
    inbox_.wake();
}

void Scheduler::clear_cache() {
    clear_wanted_.store(true);
    inbox_.wake();
}

mullama_engine_stats_t Scheduler::stats() const {
    const std::lock_guard lock(published_mutex_);
    return published_;
}

void Scheduler::publish() {
    counters_.n_running = running_.size();
    counters_.n_waiting = waiting_.size();
    counters_.n_used = context_.n_used();
    counters_.n_ctx = context_.n_ctx();
    counters_.n_cached = cache_.size();
    const std::lock_guard lock(published_mutex_);
    published_ = counters_;
}

void Scheduler::run() {
    while (!stopping_.load()) {
        bool computed = false;
        try {
            computed = iterate();
        } catch (...) {
            // Nothing but a want of memory for the bookkeeping itself: those that compute end, the
            // engine goes on.
            const Error error(MULLAMA_ERROR_OUT_OF_MEMORY,
                              "the engine had no memory for its next iteration");
            for (const std::unique_ptr<Lane> &lane : running_) {
                fail(*lane, error);
            }
            settle();
        }
        publish();
        if (!computed && !stopping_.load()) {
            wait();
        }
    }
    collect();
    for (Lanes *lanes : {&running_, &waiting_}) {
        for (const std::unique_ptr<Lane> &lane : *lanes) {
            finish(*lane, MULLAMA_STOP_CANCELLED);
        }
        remove_finished(*lanes);
    }
    publish();
}

void Scheduler::wait() {
    Clock::time_point first = Clock::time_point::max();
    for (const Lanes *lanes : {&running_, &waiting_}) {
        for (const std::unique_ptr<Lane> &lane : *lanes) {
            first = std::min(first, lane->job->deadline);
        }
    }
    if (first == Clock::time_point::max()) {
        inbox_.wait();
    } else {
        inbox_.wait_until(first);
    }
}

bool Scheduler::iterate() {
    collect();
    if (clear_wanted_.exchange(false)) {
        cache_.clear(free_);
    }
    sweep(running_);
    sweep(waiting_);
    admit();
    choose_group();
    build_batch();
    if (batched_.empty()) {
        return false;
    }
    compute();
    settle();
    return true;
}

void Scheduler::finish(Lane &lane, mullama_stop_reason_t reason) {
    Outcome outcome;
    outcome.reason = reason;
    end(lane, std::move(outcome));
}

void Scheduler::fail(Lane &lane, const Error &error) {
    Outcome outcome;
    outcome.reason = MULLAMA_STOP_ERROR;
    outcome.error = error;
    ++counters_.failed;
    end(lane, std::move(outcome));
}

void Scheduler::end(Lane &lane, Outcome outcome) {
    if (lane.finished) {
        return;
    }
    lane.finished = true;
    const auto since = [&](Clock::time_point time) -> std::uint64_t {
        if (time == Clock::time_point()) {
            return 0;
        }
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(time - lane.job->submitted)
                .count());
    };
    outcome.stop_index = lane.writer.stop_index();
    outcome.prompt_tokens = lane.n_prompt;
    outcome.cached_tokens = lane.n_cached;
    outcome.generated_tokens = lane.n_generated;
    outcome.queue_ns = since(lane.admitted);
    outcome.first_token_ns = since(lane.first_token);
    outcome.total_ns = since(Clock::now());
    ++counters_.finished;
    lane.failed = outcome.reason == MULLAMA_STOP_ERROR;
    lane.job->stream->finish(lane.continuation, std::move(outcome));
    on_finished_();
}

void Scheduler::settle() {
    for (const std::unique_ptr<Lane> &lane : running_) {
        if (lane->must_shift && !lane->finished) {
            shift(*lane);
        }
    }
    remove_finished(running_);
}

void Scheduler::remove_finished(Lanes &lanes) {
    std::erase_if(lanes, [this](const std::unique_ptr<Lane> &lane) {
        if (lane->finished && lane->sequence >= 0) {
            release(*lane, !lane->failed);
        }
        return lane->finished;
    });
}

} // namespace mullama::core::engine

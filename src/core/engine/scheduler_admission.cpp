// Who gets a sequence and room, and who gives them up.
#include "core/engine/scheduler.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace mullama::core::engine {

using backend::SequenceId;
using backend::Token;
using base::Error;

namespace {

// A prefix shorter than this is not worth waiting for while somebody else computes it.
constexpr std::size_t worth_waiting = 32;

bool before(const Lane &a, const Lane &b) {
    if (a.job->request.priority != b.job->request.priority) {
        return a.job->request.priority > b.job->request.priority;
    }
    if (a.job->number != b.job->number) {
        return a.job->number < b.job->number;
    }
    return a.continuation < b.continuation;
}

void insert(std::vector<std::unique_ptr<Lane>> &lanes, std::unique_ptr<Lane> lane) {
    const auto place =
        std::upper_bound(lanes.begin(), lanes.end(), lane,
                         [](const std::unique_ptr<Lane> &a, const std::unique_ptr<Lane> &b) {
                             return before(*a, *b);
                         });
    lanes.insert(place, std::move(lane));
}

std::size_t common_prefix(std::span<const Token> a, std::span<const Token> b) {
    const auto most = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + most, b.begin()).first -
                                    a.begin());
}

// The last continuation takes the chain itself.
sampling::Chain chain_of(Job &job, std::uint32_t continuation) {
    const bool last = continuation + 1 == job.request.n;
    sampling::Chain chain = last ? std::move(job.request.chain) : job.request.chain.clone();
    if (job.request.seed) {
        chain.reseed(*job.request.seed + continuation);
    } else if (continuation > 0) {
        chain.reseed(-1);
    }
    return chain;
}

} // namespace

void Scheduler::collect() {
    inbox_.collect(arrived_);
    for (const std::shared_ptr<Job> &job : arrived_) {
        ++counters_.submitted;
        enter(job);
    }
    arrived_.clear();
}

void Scheduler::enter(const std::shared_ptr<Job> &job) {
    const Vocab &vocab = context_.model().vocab();
    if (!job->failure) {
        try {
            fit_prompt(*job);
        } catch (const Error &error) {
            job->failure = error;
        }
    }
    const std::optional<Error> failure = job->failure;
    const std::vector<std::string_view> stop(job->request.stop.begin(), job->request.stop.end());
    const Token bos = vocab.special(MULLAMA_SPECIAL_BOS);
    const bool starts = std::ranges::all_of(job->prompt, [bos](Token t) { return t == bos; });
    for (std::uint32_t i = 0; i < job->request.n; ++i) {
        auto lane = std::make_unique<Lane>(
            job, i, chain_of(*job, i),
            TextWriter(vocab, stop, job->request.unparse_special,
                       starts ? Detokenizer::Start::text : Detokenizer::Start::middle));
        if (failure) {
            fail(*lane, *failure);
        } else {
            insert(waiting_, std::move(lane));
        }
    }
}

void Scheduler::fit_prompt(Job &job) const {
    const std::size_t room = context_.n_ctx_seq();
    std::vector<Token> &prompt = job.prompt;
    if (prompt.size() <= room) {
        return;
    }
    if (job.request.overflow == MULLAMA_OVERFLOW_STOP) {
        throw Error(MULLAMA_ERROR_NO_SPACE,
                    "the prompt has " + std::to_string(prompt.size()) +
                        " tokens, and a sequence of this engine holds " + std::to_string(room) +
                        ": shorten it, let an overflow truncate it, or make an engine with a "
                        "larger n_ctx")
            .parameter("prompt")
            .expected("at most " + std::to_string(room))
            .actual(prompt.size());
    }
    const std::size_t keep = std::min(job.request.n_keep, room / 2);
    const std::size_t left = std::max<std::size_t>(room - room / 4, keep + 1);
    const std::size_t dropped = prompt.size() - left;
    const auto first = prompt.begin() + static_cast<std::ptrdiff_t>(keep);
    prompt.erase(first, first + static_cast<std::ptrdiff_t>(dropped));
}

void Scheduler::sweep(Lanes &lanes) {
    Clock::time_point now;
    for (const std::unique_ptr<Lane> &lane : lanes) {
        const Job &job = *lane->job;
        if (job.stream->cancelled()) {
            finish(*lane, MULLAMA_STOP_CANCELLED);
        } else if (job.deadline != Clock::time_point::max()) {
            if (now == Clock::time_point()) {
                now = Clock::now();
            }
            if (now >= job.deadline) {
                finish(*lane, MULLAMA_STOP_DEADLINE);
            }
        }
    }
    remove_finished(lanes);
}

void Scheduler::admit() {
    std::size_t next = 0;
    while (next < waiting_.size()) {
        switch (try_admit(*waiting_[next])) {
        case Admission::done: {
            std::unique_ptr<Lane> lane = std::move(waiting_[next]);
            waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(next));
            insert(running_, std::move(lane));
            break;
        }
        case Admission::later:
            ++next;
            break;
        case Admission::no_room:
            // Nobody overtakes: a large request would wait forever.
            return;
        }
    }
}

std::size_t Scheduler::reusable(Lane &lane, SequenceId &from, bool &later) {
    // The last token is computed in any case: its logits are wanted.
    const std::span<const Token> wanted(lane.tokens.data(), lane.tokens.size() - 1);
    const bool may_use = use_cache_ && lane.job->request.use_cache;
    std::size_t best = 0;
    if (may_use) {
        const PrefixCache::Found found = cache_.find(lane.job->cache_key, wanted);
        best = found.length;
        from = found.sequence;
    }
    for (const std::unique_ptr<Lane> &other : running_) {
        const bool same_job = other->job == lane.job;
        const bool shares = may_use && other->job->request.use_cache &&
                            other->job->cache_key == lane.job->cache_key;
        if (!same_job && !shares) {
            continue;
        }
        const std::size_t common = common_prefix(other->tokens, wanted);
        const std::size_t there = std::min(common, other->n_past);
        const bool usable = can_share_ || common >= other->n_past;
        if (usable && there > best) {
            best = there;
            from = other->sequence;
        }
        // It computes what this one needs as well.
        if (can_share_ && !other->stalled && common > other->n_past &&
            common >= best + worth_waiting) {
            later = true;
        }
    }
    return best;
}

Scheduler::Admission Scheduler::try_admit(Lane &lane) {
    const std::int32_t priority = lane.job->request.priority;
    SequenceId from = -1;
    bool later = false;
    std::size_t length = can_copy_ ? reusable(lane, from, later) : 0;
    if (later) {
        return Admission::later;
    }
    if (!free_sequence(priority)) {
        return Admission::no_room;
    }
    // What was found may have been given up for it.
    if (length > 0 && context_.sequence_size(from) < length) {
        length = 0;
    }
    lane.sequence = free_.back();
    free_.pop_back();
    if (length > 0) {
        try {
            const auto end = can_share_ ? static_cast<backend::Position>(length)
                                        : backend::Position{MULLAMA_POSITION_END};
            context_.copy(from, lane.sequence, 0, end);
        } catch (const Error &) {
            // Such as a sliding window that is gone: computed anew.
            context_.remove(lane.sequence, 0, MULLAMA_POSITION_END);
            length = 0;
        }
    }
    lane.n_past = length;
    // Room for its prompt and its first token, beside what others that run still need for theirs.
    std::size_t needed = lane.pending() + 1;
    for (const std::unique_ptr<Lane> &other : running_) {
        needed += other->pending();
    }
    if (!running_.empty() && !free_cells(needed)) {
        if (!preempt(nullptr, priority) || !free_cells(needed)) {
            take_back(lane);
            return Admission::no_room;
        }
    }
    if (lane.admitted == Clock::time_point()) {
        lane.admitted = Clock::now();
        lane.n_cached = std::min(length, lane.n_prompt);
        counters_.cached_tokens += lane.n_cached;
    }
    return Admission::done;
}

bool Scheduler::free_sequence(std::int32_t priority) {
    while (free_.empty()) {
        if (const auto sequence = cache_.evict()) {
            ++counters_.evictions;
            free_.push_back(*sequence);
        } else if (!preempt(nullptr, priority)) {
            return false;
        }
    }
    return true;
}

std::size_t Scheduler::cells_left() const {
    const std::size_t used = context_.n_used();
    const std::size_t all = context_.n_ctx();
    return counts_cells_ ? all - std::min(used, all) : all;
}

bool Scheduler::free_cells(std::size_t needed) {
    while (cells_left() < needed) {
        const auto sequence = cache_.evict();
        if (!sequence) {
            return false;
        }
        ++counters_.evictions;
        free_.push_back(*sequence);
    }
    return true;
}

bool Scheduler::preempt(const Lane *spared, std::int32_t priority) {
    // In the order of running_, the last is the newest of the lowest priority.
    for (std::size_t i = running_.size(); i-- > 0;) {
        Lane &lane = *running_[i];
        const std::int32_t its = lane.job->request.priority;
        // Nobody gives way to one of the same priority that has not begun.
        const bool yields = spared != nullptr ? its <= priority : its < priority;
        if (&lane == spared || lane.finished || !yields) {
            continue;
        }
        ++counters_.preemptions;
        take_back(lane);
        std::unique_ptr<Lane> moved = std::move(running_[i]);
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
        insert(waiting_, std::move(moved));
        return true;
    }
    return false;
}

void Scheduler::take_back(Lane &lane) {
    context_.remove(lane.sequence, 0, MULLAMA_POSITION_END);
    free_.push_back(lane.sequence);
    lane.sequence = -1;
    lane.n_past = 0;
    lane.n_batched = 0;
}

void Scheduler::release(Lane &lane, bool keep) {
    const SequenceId sequence = std::exchange(lane.sequence, -1);
    if (keep && use_cache_ && can_copy_ && lane.job->request.use_cache && lane.n_past > 0) {
        lane.tokens.resize(lane.n_past);
        cache_.keep(lane.job->cache_key, std::move(lane.tokens), sequence, free_);
        return;
    }
    context_.remove(sequence, 0, MULLAMA_POSITION_END);
    free_.push_back(sequence);
}

} // namespace mullama::core::engine

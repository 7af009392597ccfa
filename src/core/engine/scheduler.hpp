// The loop that decodes: who computes next, in which sequence, and what becomes of the logits.
#pragma once

#include "core/context.hpp"
#include "core/engine/chunk_size.hpp"
#include "core/engine/inbox.hpp"
#include "core/engine/job.hpp"
#include "core/engine/prefix_cache.hpp"
#include "mullama/engine.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mullama::core::engine {

struct SchedulerOptions {
    std::uint64_t max_iteration_ns = 50'000'000;
    bool prefix_cache = true;
};

// Thread safety: run() on one thread; stats(), clear_cache() and stop() on any.
class Scheduler {
public:
    // `on_finished` hears, on the thread of run(), of each continuation that ended.
    Scheduler(Context &context, Inbox &inbox, const SchedulerOptions &options,
              std::function<void()> on_finished);

    // Until stop(): then all that is left ends as cancelled.
    void run();
    void stop();
    void clear_cache();
    [[nodiscard]] mullama_engine_stats_t stats() const;

private:
    using Lanes = std::vector<std::unique_ptr<Lane>>;

    // One round: false where nobody can compute.
    bool iterate();
    void wait();

    // scheduler_admission.cpp
    void collect();
    void enter(const std::shared_ptr<Job> &job);
    // Drops tokens of a prompt that is too long, if that was asked for.
    void fit_prompt(Job &job) const;
    void sweep(Lanes &lanes);
    void admit();
    // Whether it got a sequence; `must`: nobody else computes, so that all of the cache may go.
    enum class Admission { done, later, no_room };
    Admission try_admit(Lane &lane);
    [[nodiscard]] std::size_t reusable(Lane &lane, backend::SequenceId &from, bool &later);
    [[nodiscard]] bool free_sequence(std::int32_t priority);
    [[nodiscard]] bool free_cells(std::size_t needed);
    [[nodiscard]] std::size_t cells_left() const;
    // Gives up the room of the newest lane of the lowest priority, below `priority` or as new;
    // false where there is none but `spared`.
    bool preempt(const Lane *spared, std::int32_t priority);
    void take_back(Lane &lane);
    void release(Lane &lane, bool keep);

    // scheduler_batch.cpp
    void choose_group();
    [[nodiscard]] bool in_group(const Lane &lane) const;
    void build_batch();
    // Those of the group that generate and have a reader.
    void find_decoding();
    void add_prompts();
    void add_to_batch(Lane &lane, std::size_t count);
    void compute();
    void decode_each(const base::Error &cause);
    // After a failed decode: what the memory really holds.
    void reconcile(Lane &lane) const;
    void after_decode(Lane &lane);
    void sample(Lane &lane);
    void tell(Lane &lane, backend::Token token);
    void shift(Lane &lane);
    void finish(Lane &lane, mullama_stop_reason_t reason);
    void fail(Lane &lane, const base::Error &error);
    void end(Lane &lane, Outcome outcome);
    // After an iteration: rows of logits are gone once a sequence is touched.
    void settle();
    void remove_finished(Lanes &lanes);
    void publish();

    Context &context_;
    Inbox &inbox_;
    const std::function<void()> on_finished_;
    const bool use_cache_;
    const bool can_copy_;
    const bool can_share_;
    const bool counts_cells_;

    PrefixCache cache_;
    ChunkSize chunk_;
    Lanes waiting_; // in the order in which they are admitted
    Lanes running_; // in the order in which prompts are computed
    std::vector<backend::SequenceId> free_;

    // Whose adapters are set, and for how many iterations yet while others wait.
    std::string group_;
    std::size_t turns_left_ = 0;
    std::uint64_t turn_ = 0;

    // Of an iteration; kept for their memory.
    std::vector<std::shared_ptr<Job>> arrived_;
    backend::Batch batch_;
    std::vector<Lane *> decoding_;
    std::vector<Lane *> batched_;
    std::size_t n_decoding_ = 0;
    std::size_t n_prefilling_ = 0;
    Event event_;

    mullama_engine_stats_t counters_{};
    mutable std::mutex published_mutex_;
    mullama_engine_stats_t published_{};
    std::atomic<bool> stopping_{false};
    std::atomic<bool> clear_wanted_{false};
};

} // namespace mullama::core::engine

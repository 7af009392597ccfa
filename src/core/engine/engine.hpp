// An engine: a context, the thread that decodes in it, and one that tokenizes.
#pragma once

#include "core/context.hpp"
#include "core/engine/completion_queue.hpp"
#include "core/engine/inbox.hpp"
#include "core/engine/request.hpp"
#include "core/engine/scheduler.hpp"
#include "core/engine/stream.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace mullama::core::engine {

// Thread safety: all of it.
class Engine {
public:
    Engine(const std::shared_ptr<const Model> &model, const mullama_context_options_t &context,
           const SchedulerOptions &options);
    Engine(const Engine &) = delete;
    Engine &operator=(const Engine &) = delete;
    // Cancels what runs.
    ~Engine();

    [[nodiscard]] std::shared_ptr<Stream>
    submit(const Request &request, std::shared_ptr<CompletionQueue> queue, std::uint64_t tag);
    // Takes no more; whether all have ended by then.
    bool drain(Clock::time_point deadline);
    void clear_cache() { scheduler_.clear_cache(); }
    [[nodiscard]] mullama_engine_stats_t stats() const { return scheduler_.stats(); }

private:
    void check_prompt(const std::vector<backend::Token> &prompt, const Request &request) const;
    void tokenize(Job &job) const;
    void run_tokenizer();
    void count_finished();

    const std::shared_ptr<const Model> model_;
    Context context_;
    const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
    // Jobs whose prompts are texts.
    Inbox texts_;
    Scheduler scheduler_;

    std::mutex live_mutex_;
    std::condition_variable live_changed_;
    // Continuations that were submitted and have not ended.
    std::size_t live_ = 0;
    bool draining_ = false;
    std::uint64_t next_number_ = 0;

    std::atomic<bool> stopping_{false};
    std::thread tokenizer_;
    std::thread decoder_;
};

} // namespace mullama::core::engine

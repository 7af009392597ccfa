#include "core/engine/engine.hpp"

#include "base/error.hpp"
#include "base/number_text.hpp"
#include "platform/signal_mask.hpp"
#include "platform/thread.hpp"

#include <new>
#include <string>
#include <utility>

namespace mullama::core::engine {

using backend::Token;
using base::Error;

namespace {

std::shared_ptr<const Model> require_generates(std::shared_ptr<const Model> model) {
    const backend::ModelFacts &facts = model->facts();
    if (facts.has_encoder || !facts.has_decoder || facts.is_diffusion) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "an engine serves models that generate text token by token from a prompt, and "
                    "one of architecture \"" +
                        facts.architecture + "\" does not: use a context")
            .parameter("model");
    }
    return model;
}

std::string adapters_key(const std::vector<AppliedAdapter> &adapters) {
    std::string key;
    for (const AppliedAdapter &applied : adapters) {
        key += applied.adapter->fingerprint() + '*' + base::exact_text(applied.scale) + ' ';
    }
    return key;
}

} // namespace

Engine::Engine(const std::shared_ptr<const Model> &model, const mullama_context_options_t &context,
               const SchedulerOptions &options)
    : model_(require_generates(model)), context_(model, context),
      scheduler_(context_, *inbox_, options, [this] { count_finished(); }) {
    context_.warm_up();
    // The host's signals are not for these threads.
    const platform::SignalsBlocked blocked;
    tokenizer_ = std::thread([this] {
        platform::set_thread_name("mullama-text");
        run_tokenizer();
    });
    try {
        decoder_ = std::thread([this] {
            platform::set_thread_name("mullama-engine");
            scheduler_.run();
        });
    } catch (...) {
        stopping_.store(true);
        texts_.wake();
        tokenizer_.join();
        throw;
    }
}

Engine::~Engine() {
    stopping_.store(true);
    texts_.wake();
    tokenizer_.join();
    // What the tokenizer still had is in the inbox now.
    scheduler_.stop();
    decoder_.join();
}

void Engine::count_finished() {
    const std::lock_guard lock(live_mutex_);
    if (--live_ == 0) {
        live_changed_.notify_all();
    }
}

void Engine::check_prompt(const std::vector<Token> &prompt, const Request &request) const {
    if (prompt.empty()) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "the prompt has no tokens to go on from")
            .parameter("prompt")
            .expected("at least one token")
            .actual("none");
    }
    const std::size_t room = context_.n_ctx_seq();
    if (request.overflow == MULLAMA_OVERFLOW_STOP && prompt.size() > room) {
        throw Error(MULLAMA_ERROR_NO_SPACE,
                    "the prompt has " + std::to_string(prompt.size()) +
                        " tokens, and a sequence of this engine holds " + std::to_string(room) +
                        ": shorten it, let an overflow truncate it, or make an engine with a "
                        "larger n_ctx")
            .parameter("prompt")
            .expected("at most " + std::to_string(room))
            .actual(prompt.size());
    }
}

void Engine::tokenize(Job &job) const {
    const Vocab &vocab = model_->vocab();
    vocab.tokenize(std::get<std::string>(job.request.prompt), job.request.add_special,
                   job.request.parse_special, job.prompt);
    const Token bos = vocab.special(MULLAMA_SPECIAL_BOS);
    if (job.prompt.empty() && job.request.add_special && bos != MULLAMA_TOKEN_NONE) {
        job.prompt.push_back(bos);
    }
    check_prompt(job.prompt, job.request);
}

void Engine::run_tokenizer() {
    std::vector<std::shared_ptr<Job>> jobs;
    for (;;) {
        const bool last = stopping_.load();
        texts_.collect(jobs);
        for (const std::shared_ptr<Job> &job : jobs) {
            try {
                tokenize(*job);
            } catch (const Error &error) {
                job->failure = error;
            } catch (const std::bad_alloc &) {
                job->failure =
                    Error(MULLAMA_ERROR_OUT_OF_MEMORY, "there was no memory for the prompt");
            }
            inbox_->post({job});
        }
        if (last) {
            return;
        }
        if (jobs.empty()) {
            texts_.wait();
        }
    }
}

std::shared_ptr<Stream> Engine::submit(const Request &request,
                                       std::shared_ptr<CompletionQueue> queue, std::uint64_t tag) {
    check(request);
    if (request.n > context_.n_seq_max()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "the engine does not have that many sequences: n_seq_max says how many")
            .parameter("n")
            .expected("1 to " + std::to_string(context_.n_seq_max()))
            .actual(request.n);
    }
    check_adapters(request.adapters, *model_);
    const auto *const tokens = std::get_if<std::vector<Token>>(&request.prompt);
    if (tokens != nullptr) {
        model_->vocab().require(*tokens, "prompt");
        check_prompt(*tokens, request);
    } else {
        model_->vocab().require_vocabulary();
    }
    const auto job = std::make_shared<Job>();
    job->request = request.clone();
    job->request.chain.adopt_model(model_);
    job->stream =
        std::make_shared<Stream>(inbox_, request.n, request.queue_size, std::move(queue), tag);
    job->submitted = Clock::now();
    if (request.deadline_ms >= 0) {
        job->deadline = job->submitted + std::chrono::milliseconds(request.deadline_ms);
    }
    job->adapters_key = adapters_key(request.adapters);
    job->cache_key = job->adapters_key + '\n' + request.isolation_key;
    if (tokens != nullptr) {
        job->prompt = std::move(std::get<std::vector<Token>>(job->request.prompt));
    }
    {
        const std::lock_guard lock(live_mutex_);
        if (draining_) {
            throw Error(MULLAMA_ERROR_INVALID_STATE, "the engine drains: it takes no more requests")
                .parameter("engine");
        }
        job->number = next_number_++;
        live_ += request.n;
    }
    try {
        (tokens != nullptr ? *inbox_ : texts_).post({job});
    } catch (...) {
        const std::lock_guard lock(live_mutex_);
        live_ -= request.n;
        throw;
    }
    return job->stream;
}

bool Engine::drain(Clock::time_point deadline) {
    std::unique_lock lock(live_mutex_);
    draining_ = true;
    const auto done = [this] { return live_ == 0; };
    if (deadline == Clock::time_point::max()) {
        live_changed_.wait(lock, done);
        return true;
    }
    return live_changed_.wait_until(lock, deadline, done);
}

} // namespace mullama::core::engine

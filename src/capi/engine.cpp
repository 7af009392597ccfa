#include "mullama/engine.h"

#include "capi/context_options.hpp"
#include "capi/handles.hpp"
#include "capi/options.hpp"
#include "capi/request.hpp"
#include "capi/stream.hpp"
#include "core/context_options.hpp"
#include "core/engine/engine.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

struct mullama_engine {
    template <class... Arguments>
    explicit mullama_engine(Arguments &&...arguments)
        : impl(std::forward<Arguments>(arguments)...) {}

    mullama::core::engine::Engine impl;
    mullama::capi::ForkStamp fork;
};

using namespace mullama::capi;
using mullama::base::Error;
namespace core = mullama::core;

namespace {

constexpr std::uint32_t max_iteration_ms_limit = 60'000;
constexpr std::uint64_t ns_per_ms = 1'000'000;

mullama_engine_options_t default_engine_options() noexcept {
    mullama_engine_options_t options{};
    options.max_iteration_ms = 50;
    options.prefix_cache = true;
    return options;
}

mullama_context_options_t context_options(const mullama_context_options_t *asked) {
    mullama_context_options_t options;
    if (asked == nullptr) {
        options = core::default_context_options();
        options.n_batch = 512;
        options.n_seq_max = 64;
    } else {
        options = read_context_options(asked, "context");
    }
    options.kv_unified = true;
    return options;
}

mullama_engine &engine_of(mullama_engine_t *engine) {
    require(engine, "engine").fork.require_same_process("engine");
    return *engine;
}

} // namespace

void mullama_engine_options_init(mullama_engine_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, default_engine_options());
}

void mullama_engine_stats_init(mullama_engine_stats_t *stats, size_t struct_size) {
    init_struct(stats, struct_size, mullama_engine_stats_t{});
}

mullama_error_t *mullama_engine_new(mullama_model_t *model, const mullama_engine_options_t *options,
                                    mullama_engine_t **out) {
    return guarded([&] {
        const auto &shared = model_of(model);
        const mullama_engine_options_t asked = read_options(
            options, default_engine_options(), "options", "mullama_engine_options_init");
        const mullama_context_options_t context = context_options(asked.context);
        require(out, "out");
        if (asked.max_iteration_ms < 1 || asked.max_iteration_ms > max_iteration_ms_limit) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "an iteration cannot be planned for that time")
                .parameter("max_iteration_ms")
                .expected("1 to " + std::to_string(max_iteration_ms_limit))
                .actual(asked.max_iteration_ms);
        }
        const core::engine::SchedulerOptions how{.max_iteration_ns =
                                                     asked.max_iteration_ms * ns_per_ms,
                                                 .prefix_cache = asked.prefix_cache};
        *out = new mullama_engine(shared, context, how);
    });
}

void mullama_engine_free(mullama_engine_t *engine) {
    // In a forked child the engine's threads do not exist: waiting for them would take forever.
    if (engine == nullptr || engine->fork.forked())
        return;
    delete engine;
}

mullama_error_t *mullama_engine_submit(mullama_engine_t *engine, const mullama_request_t *request,
                                       mullama_queue_t *queue, uint64_t tag,
                                       mullama_stream_t **out) {
    return guarded([&] {
        mullama_engine &used = engine_of(engine);
        const mullama_request &asked = require(request, "request");
        require(out, "out");
        if (!asked.has_prompt) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                        "the request has no prompt: set a text or tokens")
                .parameter("prompt");
        }
        if (queue != nullptr)
            queue->fork.require_same_process("queue");
        auto stream = std::make_unique<mullama_stream>();
        stream->impl = used.impl.submit(asked.impl, queue == nullptr ? nullptr : queue->impl, tag);
        *out = stream.release();
    });
}

mullama_error_t *mullama_engine_drain(mullama_engine_t *engine, int64_t timeout_ms, bool *done) {
    return guarded([&] {
        mullama_engine &used = engine_of(engine);
        const bool ended = used.impl.drain(deadline_of(timeout_ms));
        if (done != nullptr)
            *done = ended;
    });
}

mullama_error_t *mullama_engine_clear_cache(mullama_engine_t *engine) {
    return guarded([&] { engine_of(engine).impl.clear_cache(); });
}

mullama_error_t *mullama_engine_get_stats(mullama_engine_t *engine, mullama_engine_stats_t *stats) {
    return guarded([&] {
        const mullama_engine &used = engine_of(engine);
        check_struct(stats, "stats", "mullama_engine_stats_init");
        write_struct(stats, used.impl.stats());
    });
}

#include "mullama/stream.h"

#include "capi/error.hpp"
#include "capi/options.hpp"
#include "capi/stream.hpp"

#include <string>

using namespace mullama::capi;
using mullama::base::Error;
namespace engine = mullama::core::engine;

namespace mullama::capi {

core::engine::Stream::Clock::time_point deadline_of(std::int64_t timeout_ms) {
    using Clock = core::engine::Stream::Clock;
    // Beyond it, adding to the clock could overflow.
    constexpr std::int64_t most = 365LL * 24 * 3600 * 1000;
    if (timeout_ms < -1 || timeout_ms > most) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "that is no time to wait")
            .parameter("timeout_ms")
            .expected("0 to " + std::to_string(most) + ", or -1 for as long as it takes")
            .actual(timeout_ms);
    }
    return timeout_ms < 0 ? Clock::time_point::max()
                          : Clock::now() + std::chrono::milliseconds(timeout_ms);
}

mullama_stream_event_t shown(const core::engine::Event &event) {
    const bool listed = !event.top_tokens.empty();
    return {.struct_size = 0,
            .kind = event.kind,
            .continuation = event.continuation,
            .token = event.token,
            .index = event.index,
            .text = event.text.c_str(),
            .text_size = event.text.size(),
            .logprob = event.logprob,
            .top_tokens = listed ? event.top_tokens.data() : nullptr,
            .top_logprobs = listed ? event.top_logprobs.data() : nullptr,
            .top_count = event.top_tokens.size()};
}

} // namespace mullama::capi

namespace {

mullama_stream &stream_of(mullama_stream_t *stream) {
    require(stream, "stream").fork.require_same_process("stream");
    return *stream;
}

engine::Outcome outcome_of(const engine::Stream &stream, std::uint32_t continuation) {
    if (continuation >= stream.n()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the request has no such continuation")
            .parameter("continuation")
            .expected("less than " + std::to_string(stream.n()))
            .actual(continuation);
    }
    return stream.outcome(continuation);
}

} // namespace

void mullama_stream_event_init(mullama_stream_event_t *event, size_t struct_size) {
    mullama_stream_event_t nothing{};
    nothing.token = MULLAMA_TOKEN_NONE;
    nothing.text = "";
    init_struct(event, struct_size, nothing);
}

void mullama_stream_result_init(mullama_stream_result_t *result, size_t struct_size) {
    mullama_stream_result_t nothing{};
    nothing.stop_index = -1;
    init_struct(result, struct_size, nothing);
}

mullama_error_t *mullama_stream_next(mullama_stream_t *stream, int64_t timeout_ms,
                                     mullama_stream_event_t *event) {
    return guarded([&] {
        mullama_stream &used = stream_of(stream);
        const Exclusive exclusive(used.busy, "stream");
        const auto deadline = deadline_of(timeout_ms);
        check_struct(event, "event", "mullama_stream_event_init");
        if (used.impl->has_queue()) {
            throw Error(MULLAMA_ERROR_INVALID_STATE,
                        "the events of this stream go to the queue that it was submitted with")
                .parameter("stream");
        }
        if (timeout_ms == 0)
            used.impl->try_next(used.event);
        else if (timeout_ms < 0)
            used.impl->next(used.event);
        else
            used.impl->next_until(used.event, deadline);
        write_struct(event, shown(used.event));
    });
}

mullama_error_t *mullama_stream_get_result(mullama_stream_t *stream, uint32_t continuation,
                                           mullama_stream_result_t *result) {
    return guarded([&] {
        const engine::Stream &used = *stream_of(stream).impl;
        check_struct(result, "result", "mullama_stream_result_init");
        const engine::Outcome outcome = outcome_of(used, continuation);
        write_struct(result, mullama_stream_result_t{.struct_size = 0,
                                                     .stop_reason = outcome.reason,
                                                     .stop_index = outcome.stop_index,
                                                     .prompt_tokens = outcome.prompt_tokens,
                                                     .cached_tokens = outcome.cached_tokens,
                                                     .generated_tokens = outcome.generated_tokens,
                                                     .queue_ns = outcome.queue_ns,
                                                     .first_token_ns = outcome.first_token_ns,
                                                     .total_ns = outcome.total_ns});
    });
}

mullama_error_t *mullama_stream_get_failure(mullama_stream_t *stream, uint32_t continuation,
                                            mullama_error_t **out) {
    return guarded([&] {
        const engine::Stream &used = *stream_of(stream).impl;
        require(out, "out");
        const engine::Outcome outcome = outcome_of(used, continuation);
        *out = outcome.error ? new_error(*outcome.error) : nullptr;
    });
}

mullama_error_t *mullama_stream_cancel(mullama_stream_t *stream) {
    return guarded([&] { stream_of(stream).impl->cancel(); });
}

void mullama_stream_free(mullama_stream_t *stream) {
    if (stream == nullptr || stream->fork.forked() || stream->busy.load())
        return;
    stream->impl->cancel();
    delete stream;
}

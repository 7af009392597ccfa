// Handles and shorthands of the high road: engines, requests, streams, queues.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/context.hpp"

namespace mullama::test {

using EngineHandle = std::unique_ptr<mullama_engine_t, Deleter<mullama_engine_free>>;
using RequestHandle = std::unique_ptr<mullama_request_t, Deleter<mullama_request_free>>;
using StreamHandle = std::unique_ptr<mullama_stream_t, Deleter<mullama_stream_free>>;
using QueueHandle = std::unique_ptr<mullama_queue_t, Deleter<mullama_queue_free>>;
using EventsHandle = std::unique_ptr<mullama_events_t, Deleter<mullama_events_free>>;

// One thread, and a context of this size.
inline mullama_context_options_t engine_context(std::uint32_t n_ctx, std::uint32_t n_seq_max) {
    mullama_context_options_t options = one_thread();
    options.n_ctx = n_ctx;
    options.n_batch = 256;
    options.n_ubatch = 256;
    options.n_seq_max = n_seq_max;
    return options;
}

inline mullama_engine_options_t engine_options(const mullama_context_options_t *context) {
    mullama_engine_options_t options;
    mullama_engine_options_init(&options, sizeof options);
    options.context = context;
    return options;
}

inline EngineHandle new_engine(mullama_model_t *model, const mullama_context_options_t &context) {
    const mullama_engine_options_t options = engine_options(&context);
    mullama_engine_t *engine = nullptr;
    EXPECT_OK(mullama_engine_new(model, &options, &engine));
    return EngineHandle(engine);
}

inline mullama_request_options_t request_options() {
    mullama_request_options_t options;
    mullama_request_options_init(&options, sizeof options);
    return options;
}

inline RequestHandle new_request(std::string_view text,
                                 const mullama_request_options_t &options = request_options()) {
    mullama_request_t *request = nullptr;
    EXPECT_OK(mullama_request_new(&request));
    EXPECT_OK(mullama_request_set_text(request, text.data(), text.size()));
    EXPECT_OK(mullama_request_set_options(request, &options));
    return RequestHandle(request);
}

inline RequestHandle new_request(const std::vector<mullama_token_t> &tokens,
                                 const mullama_request_options_t &options = request_options()) {
    mullama_request_t *request = nullptr;
    EXPECT_OK(mullama_request_new(&request));
    EXPECT_OK(mullama_request_set_tokens(request, tokens.data(), tokens.size()));
    EXPECT_OK(mullama_request_set_options(request, &options));
    return RequestHandle(request);
}

inline StreamHandle submit(mullama_engine_t *engine, const RequestHandle &request,
                           mullama_queue_t *queue = nullptr, std::uint64_t tag = 0) {
    mullama_stream_t *stream = nullptr;
    EXPECT_OK(mullama_engine_submit(engine, request.get(), queue, tag, &stream));
    return StreamHandle(stream);
}

inline mullama_stream_event_t next_event(mullama_stream_t *stream, std::int64_t timeout_ms = -1) {
    mullama_stream_event_t event;
    mullama_stream_event_init(&event, sizeof event);
    EXPECT_OK(mullama_stream_next(stream, timeout_ms, &event));
    return event;
}

inline mullama_stream_result_t result_of(mullama_stream_t *stream, std::uint32_t continuation = 0) {
    mullama_stream_result_t result;
    mullama_stream_result_init(&result, sizeof result);
    EXPECT_OK(mullama_stream_get_result(stream, continuation, &result));
    return result;
}

inline ErrorHandle failure_of(mullama_stream_t *stream, std::uint32_t continuation = 0) {
    mullama_error_t *error = nullptr;
    EXPECT_OK(mullama_stream_get_failure(stream, continuation, &error));
    return ErrorHandle(error);
}

inline mullama_engine_stats_t stats_of(mullama_engine_t *engine) {
    mullama_engine_stats_t stats;
    mullama_engine_stats_init(&stats, sizeof stats);
    EXPECT_OK(mullama_engine_get_stats(engine, &stats));
    return stats;
}

// What came of one continuation.
struct Heard {
    std::vector<mullama_token_t> tokens;
    std::string text;
    mullama_stream_result_t result{};
};

// Reads a stream to its end.
inline std::vector<Heard> hear(mullama_stream_t *stream, std::uint32_t n = 1) {
    std::vector<Heard> heard(n);
    for (;;) {
        const mullama_stream_event_t event = next_event(stream);
        if (event.kind != MULLAMA_EVENT_TOKEN && event.kind != MULLAMA_EVENT_DONE)
            break;
        Heard &its = heard.at(event.continuation);
        if (event.kind == MULLAMA_EVENT_DONE) {
            its.result = result_of(stream, event.continuation);
            continue;
        }
        EXPECT_EQ(event.index, its.tokens.size());
        its.tokens.push_back(event.token);
        its.text.append(event.text, event.text_size);
    }
    return heard;
}

} // namespace mullama::test

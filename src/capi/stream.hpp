// The opaque types of streams and queues.
#pragma once

#include "capi/handles.hpp"
#include "core/engine/completion_queue.hpp"
#include "core/engine/event_caller.hpp"
#include "core/engine/stream.hpp"
#include "mullama/queue.h"
#include "mullama/stream.h"

#include <memory>
#include <vector>

struct mullama_stream {
    std::shared_ptr<mullama::core::engine::Stream> impl;
    // What the last event that was read points to.
    mullama::core::engine::Event event;
    mullama::capi::BusyFlag busy{false};
    mullama::capi::ForkStamp fork;
};

struct mullama_queue {
    explicit mullama_queue(bool pollable)
        : impl(std::make_shared<mullama::core::engine::CompletionQueue>(pollable)) {}

    std::shared_ptr<mullama::core::engine::CompletionQueue> impl;
    // Of one with a callback.
    std::unique_ptr<mullama::core::engine::EventCaller> caller;
    mullama::capi::ForkStamp fork;
};

struct mullama_events {
    std::vector<mullama::core::engine::Delivery> all;
};

namespace mullama::capi {

// For ever, for -1.
[[nodiscard]] core::engine::Stream::Clock::time_point deadline_of(std::int64_t timeout_ms);

[[nodiscard]] mullama_stream_event_t shown(const core::engine::Event &event);

} // namespace mullama::capi

#include "mullama/queue.h"

#include "capi/options.hpp"
#include "capi/stream.hpp"

#include <memory>
#include <string>

using namespace mullama::capi;
using mullama::base::Error;
namespace engine = mullama::core::engine;

namespace {

mullama_queue &queue_of(mullama_queue_t *queue) {
    require(queue, "queue").fork.require_same_process("queue");
    return *queue;
}

void require_taken(const mullama_queue &queue) {
    if (queue.caller) {
        throw Error(MULLAMA_ERROR_INVALID_STATE, "the events of this queue go to its callback")
            .parameter("queue");
    }
}

} // namespace

mullama_error_t *mullama_queue_new(mullama_queue_t **out) {
    return guarded([&] {
        require(out, "out");
        *out = new mullama_queue(true);
    });
}

mullama_error_t *mullama_queue_new_callback(mullama_event_fn on_event, void *user_data,
                                            mullama_queue_t **out) {
    return guarded([&] {
        if (on_event == nullptr)
            refuse_null("on_event");
        require(out, "out");
        auto made = std::make_unique<mullama_queue>(false);
        made->caller = std::make_unique<engine::EventCaller>(
            made->impl, [on_event, user_data](const engine::Delivery &delivery) {
                mullama_stream_event_t event = shown(delivery.event);
                event.struct_size = sizeof event;
                on_event(delivery.stream->tag(), &event, user_data);
            });
        *out = made.release();
    });
}

void mullama_queue_free(mullama_queue_t *queue) {
    if (queue == nullptr || queue->fork.forked())
        return;
    queue->impl->stop();
    delete queue;
}

mullama_error_t *mullama_queue_handle(const mullama_queue_t *queue, intptr_t *handle) {
    return guarded([&] {
        const mullama_queue &used = queue_of(const_cast<mullama_queue_t *>(queue));
        require(handle, "handle");
        require_taken(used);
        *handle = (intptr_t)used.impl->handle();
    });
}

mullama_error_t *mullama_queue_take(mullama_queue_t *queue, size_t most, int64_t timeout_ms,
                                    mullama_events_t **out) {
    return guarded([&] {
        mullama_queue &used = queue_of(queue);
        const auto deadline = deadline_of(timeout_ms);
        require(out, "out");
        if (most == 0) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "no events would be taken")
                .parameter("most")
                .expected("at least 1")
                .actual(most);
        }
        require_taken(used);
        auto events = std::make_unique<mullama_events>();
        used.impl->take(events->all, most, deadline);
        *out = events.release();
    });
}

size_t mullama_events_count(const mullama_events_t *events) {
    return events == nullptr ? 0 : events->all.size();
}

mullama_error_t *mullama_events_get(const mullama_events_t *events, size_t index, uint64_t *tag,
                                    mullama_stream_event_t *event) {
    return guarded([&] {
        const std::vector<engine::Delivery> &all = require(events, "events").all;
        check_struct(event, "event", "mullama_stream_event_init");
        if (index >= all.size()) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                        "there are only " + std::to_string(all.size()) + " events")
                .parameter("index")
                .expected("less than " + std::to_string(all.size()))
                .actual(index);
        }
        write_struct(event, shown(all[index].event));
        if (tag != nullptr)
            *tag = all[index].stream->tag();
    });
}

void mullama_events_free(mullama_events_t *events) {
    delete events;
}

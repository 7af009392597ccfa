// A queue's handle, waited for as a host's own loop does.
#include <poll.h>

#include <string>
#include <vector>

#include "support/engine.hpp"

namespace {

using namespace mullama::test;

TEST(Queue, GathersManyStreamsBehindOneHandle) {
    const ModelHandle model = echo_model();
    const EngineHandle engine = new_engine(model.get(), engine_context(2048, 16));
    mullama_queue_t *made = nullptr;
    ASSERT_OK(mullama_queue_new(&made));
    const QueueHandle queue(made);
    intptr_t handle = -1;
    ASSERT_OK(mullama_queue_handle(queue.get(), &handle));
    pollfd wait{static_cast<int>(handle), POLLIN, 0};
    EXPECT_EQ(poll(&wait, 1, 0), 0);
    std::vector<StreamHandle> streams;
    for (std::uint64_t i = 0; i < 40; ++i)
        streams.push_back(
            submit(engine.get(), new_request("text " + std::to_string(i)), queue.get(), 1000 + i));
    std::vector<std::string> texts(40);
    std::size_t done = 0;
    while (done < 40) {
        ASSERT_EQ(poll(&wait, 1, 60000), 1);
        mullama_events_t *taken = nullptr;
        ASSERT_OK(mullama_queue_take(queue.get(), 7, 0, &taken));
        const EventsHandle events(taken);
        EXPECT_LE(mullama_events_count(taken), 7U);
        for (std::size_t i = 0; i < mullama_events_count(taken); ++i) {
            mullama_stream_event_t event;
            mullama_stream_event_init(&event, sizeof event);
            std::uint64_t tag = 0;
            ASSERT_OK(mullama_events_get(taken, i, &tag, &event));
            texts.at(tag - 1000).append(event.text, event.text_size);
            done += event.kind == MULLAMA_EVENT_DONE ? 1 : 0;
        }
    }
    for (std::size_t i = 0; i < 40; ++i)
        EXPECT_EQ(texts[i], "text " + std::to_string(i));
    EXPECT_EQ(poll(&wait, 1, 0), 0);
    mullama_events_t *taken = nullptr;
    ASSERT_OK(mullama_queue_take(queue.get(), 1, 5, &taken));
    EXPECT_EQ(mullama_events_count(taken), 0U);
    mullama_events_free(taken);
    mullama_stream_event_t event;
    mullama_stream_event_init(&event, sizeof event);
    EXPECT_REFUSED(mullama_stream_next(streams[0].get(), 0, &event), MULLAMA_ERROR_INVALID_STATE,
                   "stream");
}

} // namespace

// The high road: engines, requests, streams, queues.
#include "sweep/recipe.hpp"

#include <array>

namespace mullama::sweep {

namespace {

constexpr std::string_view a_text = "abc";

const mullama_engine_options_t *engine_options(World &world) {
    const auto *const context =
        world.options<mullama_context_options_t>(mullama_context_options_init, [](auto &options) {
            options.n_ctx = 256;
            options.n_seq_max = 4;
            options.n_threads = 1;
            options.n_threads_batch = 1;
        });
    return world.options<mullama_engine_options_t>(
        mullama_engine_options_init, [&](auto &options) { options.context = context; });
}

void add_engine_recipes_of_its_own(Recipes &all) {
    all.add<mullama_engine_new>([](World &world, auto with) {
        return with(world.model(), engine_options(world), world.out());
    });
    all.add<mullama_engine_submit>([](World &world, auto with) {
           return with(world.engine(), world.request(), nullptr, std::uint64_t{7}, world.out());
       })
        .accepts("tag", "max", "any number")
        .when("a request without a prompt", {MULLAMA_ERROR_INVALID_ARGUMENT, "prompt"},
              [](World &world, auto with) {
                  return with(world.engine(), world.empty_request(), nullptr, std::uint64_t{0},
                              world.out());
              })
        .when("a token that there is not", {MULLAMA_ERROR_OUT_OF_RANGE, "prompt", 1},
              [](World &world, auto with) {
                  const std::array<mullama_token_t, 2> tokens{65, 1 << 30};
                  mullama_request_t *const request = world.empty_request();
                  EXPECT_OK(mullama_request_set_tokens(request, tokens.data(), tokens.size()));
                  return with(world.engine(), request, nullptr, std::uint64_t{0}, world.out());
              });
    all.add<mullama_engine_drain>([](World &world, auto with) {
           return with(world.drained_engine(), std::int64_t{1000}, world.out());
       })
        .accepts("timeout_ms", "-1", "as long as it takes");
    all.add<mullama_engine_clear_cache>(
        [](World &world, auto with) { return with(world.engine()); });
    all.add<mullama_engine_get_stats>(
        [](World &world, auto with) { return with(world.engine(), world.out()); });
}

void add_request_recipes(Recipes &all) {
    all.add<mullama_request_new>([](World &world, auto with) { return with(world.out()); });
    all.add<mullama_request_set_text>([](World &world, auto with) {
        return with(world.request(), a_text.data(), a_text.size());
    });
    all.add<mullama_request_set_tokens>([](World &world, auto with) {
           return with(world.request(), world.tokens(), world.n_tokens());
       })
        .accepts("tokens", "[min]", "held against the vocabulary at submission")
        .accepts("tokens", "[-1]", "held against the vocabulary at submission")
        .accepts("tokens", "[max]", "held against the vocabulary at submission");
    all.add<mullama_request_set_options>([](World &world, auto with) {
        return with(world.request(), world.options<mullama_request_options_t>(
                                         mullama_request_options_init, [](auto & /*options*/) {}));
    });
    all.add<mullama_request_set_sampler>(
        [](World &world, auto with) { return with(world.request(), world.sampler()); });
    all.add<mullama_request_set_adapters>([](World &world, auto with) {
           return with(world.request(), world.keep(world.adapter()), world.keep(0.5F),
                       std::size_t{1});
       })
        .only_llama("the echo engine's models load no adapters")
        .accepts("scales", "[nan]", "looked at at submission")
        .accepts("scales", "[inf]", "looked at at submission")
        .accepts("scales", "[-inf]", "looked at at submission");
}

void add_stream_recipes(Recipes &all) {
    all.add<mullama_stream_next>([](World &world, auto with) {
           return with(world.stream(), std::int64_t{1000}, world.out());
       })
        .accepts("timeout_ms", "-1", "as long as it takes")
        .when("a stream of a queue", {MULLAMA_ERROR_INVALID_STATE, "stream"},
              [](World &world, auto with) {
                  return with(world.queued_stream(), std::int64_t{0}, world.out());
              });
    all.add<mullama_stream_get_result>(
        [](World &world, auto with) { return with(world.stream(), 0U, world.out()); });
    all.add<mullama_stream_get_failure>(
        [](World &world, auto with) { return with(world.stream(), 0U, world.out()); });
    all.add<mullama_stream_cancel>([](World &world, auto with) { return with(world.stream()); });
}

void add_queue_recipes(Recipes &all) {
    all.add<mullama_queue_new>([](World &world, auto with) { return with(world.out()); });
    all.add<mullama_queue_new_callback>([](World &world, auto with) {
        return with([](std::uint64_t, const mullama_stream_event_t *, void *) {}, nullptr,
                    world.out());
    });
    all.add<mullama_queue_handle>(
           [](World &world, auto with) { return with(world.queue(), world.out()); })
        .when("a queue with a callback", {MULLAMA_ERROR_INVALID_STATE, "queue"},
              [](World &world, auto with) { return with(world.calling_queue(), world.out()); });
    all.add<mullama_queue_take>([](World &world, auto with) {
           return with(world.queue(), std::size_t{4}, std::int64_t{0}, world.out());
       })
        .accepts("timeout_ms", "-1", "as long as it takes")
        .accepts("most", "max", "as many as there are")
        .when("none at most", {MULLAMA_ERROR_OUT_OF_RANGE, "most"},
              [](World &world, auto with) {
                  return with(world.queue(), std::size_t{0}, std::int64_t{0}, world.out());
              })
        .when("a queue with a callback", {MULLAMA_ERROR_INVALID_STATE, "queue"},
              [](World &world, auto with) {
                  return with(world.calling_queue(), std::size_t{1}, std::int64_t{0}, world.out());
              });
    all.add<mullama_events_count>([](World &world, auto with) { return with(world.events()); });
    all.add<mullama_events_get>([](World &world, auto with) {
        return with(world.events(), std::size_t{0}, world.out(), world.out());
    });
}

} // namespace

void add_engine_recipes(Recipes &all) {
    add_engine_recipes_of_its_own(all);
    add_request_recipes(all);
    add_stream_recipes(all);
    add_queue_recipes(all);
}

} // namespace mullama::sweep

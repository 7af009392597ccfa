// What belongs to no model: versions, errors, texts, runtimes, batches.
#include <array>

#include "sweep/recipe.hpp"

namespace mullama::sweep {

namespace {

void add_error_recipes(Recipes &all) {
    const auto of_error = [](World &world, auto with) { return with(world.error()); };
    const auto text_of_error = [](World &world, auto with) {
        return with(world.error(), world.out());
    };
    all.add<mullama_error_code>(of_error);
    all.add<mullama_error_code_name>([](World &, auto with) { return with(MULLAMA_ERROR_BUSY); })
        .answers("unknown");
    all.add<mullama_error_message>(text_of_error);
    all.add<mullama_error_parameter>(text_of_error);
    all.add<mullama_error_expected>(text_of_error);
    all.add<mullama_error_actual>(text_of_error);
    all.add<mullama_error_log>(text_of_error);
    all.add<mullama_error_retryable>(of_error);
    all.add<mullama_error_cause>(of_error);
    all.add<mullama_error_get_position>(text_of_error);
}

void add_text_recipes(Recipes &all) {
    all.add<mullama_text_data>(
        [](World &world, auto with) { return with(world.text(), world.out()); });
    all.add<mullama_tokens_data>(
        [](World &world, auto with) { return with(world.list(), world.out()); });
}

void add_runtime_recipes(Recipes &all) {
    all.add<mullama_runtime_new>([](World &world, auto with) {
        return with(
            world.options<mullama_runtime_options_t>(mullama_runtime_options_init, [](auto &) {}),
            world.out());
    });
    all.add<mullama_runtime_set_log>([](World &world, auto with) {
        return with(
            world.runtime(), MULLAMA_LOG_WARN,
            [](mullama_log_level_t, const char *, size_t, void *) {}, nullptr);
    });
    all.add<mullama_runtime_set_log_ring>([](World &world, auto with) {
        return with(world.runtime(), MULLAMA_LOG_WARN, std::size_t{4});
    });
    all.add<mullama_runtime_next_log>([](World &world, auto with) {
        return with(world.runtime(), world.out(), world.out(), world.out());
    });
    all.add<mullama_runtime_device_count>(
        [](World &world, auto with) { return with(world.runtime(), world.out()); });
    all.add<mullama_runtime_get_device>(
        [](World &world, auto with) { return with(world.runtime(), std::size_t{0}, world.out()); });
}

void add_batch_recipes(Recipes &all) {
    all.add<mullama_batch_new>([](World &world, auto with) { return with(world.out()); });
    all.add<mullama_batch_add>([](World &world, auto with) {
           const mullama_seq_id_t *const sequences =
               world.keep(std::array<mullama_seq_id_t, 2>{0, 1})->data();
           return with(world.batch({65}), mullama_token_t{66}, mullama_pos_t{1}, sequences,
                       std::size_t{2}, true);
       })
        .accepts("token", "min", "checked against the vocabulary when decoded")
        .accepts("token", "-1", "checked against the vocabulary when decoded")
        .accepts("token", "max", "checked against the vocabulary when decoded")
        .accepts("position", "max", "checked against the sequence when decoded")
        .when("no sequence", {MULLAMA_ERROR_OUT_OF_RANGE, "sequences_count"},
              [](World &world, auto with) {
                  return with(world.batch({65}), mullama_token_t{66}, mullama_pos_t{1}, nullptr,
                              std::size_t{0}, true);
              });
    all.add<mullama_batch_add_embedding>([](World &world, auto with) {
           return with(world.batch({}), world.keep(std::array<float, 3>{1, 2, 3})->data(),
                       std::size_t{3}, mullama_pos_t{1},
                       world.keep(std::array<mullama_seq_id_t, 2>{0, 1})->data(), std::size_t{2},
                       true);
       })
        .accepts("position", "max", "checked against the sequence when decoded")
        .when("a batch of tokens", {MULLAMA_ERROR_INVALID_STATE, "batch"},
              [](World &world, auto with) {
                  return with(world.batch({65}), world.keep(1.0F), std::size_t{1}, mullama_pos_t{1},
                              world.keep(mullama_seq_id_t{0}), std::size_t{1}, true);
              });
    all.add<mullama_batch_count>([](World &world, auto with) { return with(world.batch({65})); });
    all.add<mullama_batch_clear>([](World &world, auto with) { return with(world.batch({65})); });
}

} // namespace

void add_object_recipes(Recipes &all) {
    const auto nothing = [](World &, auto with) { return with(); };
    all.add<mullama_abi_version>(nothing);
    all.add<mullama_version>(nothing);
    all.add<mullama_engine_version>(nothing);
    add_error_recipes(all);
    add_text_recipes(all);
    add_runtime_recipes(all);
    add_batch_recipes(all);
}

} // namespace mullama::sweep

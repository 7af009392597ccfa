// Saved states.
#include "sweep/recipe.hpp"

namespace mullama::sweep {

namespace {

const Refusal not_a_state{MULLAMA_ERROR_BAD_STATE, "data"};

std::string_view broken(World &world) {
    std::string &bytes = world.scratch_text();
    bytes = world.saved_state();
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    return bytes;
}

void add_saving_recipes(Recipes &all) {
    all.add<mullama_context_save_state>(
           [](World &world, auto with) { return with(world.decoded(), 0, world.out()); })
        .accepts("sequence", "-1", "MULLAMA_SEQUENCE_ALL");
    all.add<mullama_context_save_state_file>([](World &world, auto with) {
           const std::string_view path = world.scratch("saved");
           return with(world.decoded(), 0, path.data(), path.size());
       })
        .accepts("sequence", "-1", "MULLAMA_SEQUENCE_ALL");
}

void add_loading_recipes(Recipes &all) {
    all.add<mullama_context_load_state>([](World &world, auto with) {
           const std::string_view state = world.saved_state();
           return with(world.context(), 0, state.data(), state.size());
       })
        .refuses("sequence", "-1", {MULLAMA_ERROR_INVALID_ARGUMENT, "sequence"},
                 "MULLAMA_SEQUENCE_ALL, and the state is one sequence's")
        .when("an altered state", not_a_state,
              [](World &world, auto with) {
                  const std::string_view state = broken(world);
                  return with(world.context(), 0, state.data(), state.size());
              })
        .when_llama("another model's", {MULLAMA_ERROR_INVALID_ARGUMENT, "architecture"},
                    [](World &world, auto with) {
                        const std::string_view state = world.other_state();
                        return with(world.context(), 0, state.data(), state.size());
                    })
        .when("no bytes", not_a_state, [](World &world, auto with) {
            return with(world.context(), 0, nullptr, std::size_t{0});
        });
    all.add<mullama_context_load_state_file>([](World &world, auto with) {
           const std::string_view path = world.file("state", world.saved_state());
           return with(world.context(), 0, path.data(), path.size());
       })
        .refuses("sequence", "-1", {MULLAMA_ERROR_INVALID_ARGUMENT, "sequence"},
                 "MULLAMA_SEQUENCE_ALL, and the state is one sequence's")
        .when("an altered state", {MULLAMA_ERROR_BAD_STATE, "path"}, [](World &world, auto with) {
            const std::string_view path = world.file("altered", broken(world));
            return with(world.context(), 0, path.data(), path.size());
        });
}

} // namespace

void add_state_recipes(Recipes &all) {
    add_saving_recipes(all);
    add_loading_recipes(all);
    all.add<mullama_state_inspect>([](World &world, auto with) {
           const std::string_view state = world.saved_state();
           return with(state.data(), state.size(), world.out());
       })
        .when("an altered state", not_a_state, [](World &world, auto with) {
            const std::string_view state = broken(world);
            return with(state.data(), state.size(), world.out());
        });
    all.add<mullama_state_inspect_file>([](World &world, auto with) {
        const std::string_view path = world.file("state", world.saved_state());
        return with(path.data(), path.size(), world.out());
    });
    all.add<mullama_state_get_info>(
        [](World &world, auto with) { return with(world.state(), world.out()); });
}

} // namespace mullama::sweep

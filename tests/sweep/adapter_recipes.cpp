// Adapters, which only llama.cpp has.
#include "support/manifest.hpp"
#include "sweep/recipe.hpp"

#include <array>

namespace mullama::sweep {

namespace {

constexpr std::string_view no_adapters = "the echo engine's models load no adapters";

const mullama_adapter_options_t *adapter_options(World &world) {
    return world.options<mullama_adapter_options_t>(mullama_adapter_options_init, [](auto &) {});
}

void add_description_recipes(Recipes &all) {
    const auto text = [](World &world, auto with) { return with(world.adapter(), world.out()); };
    all.add<mullama_adapter_get_info>(text).only_llama(no_adapters);
    all.add<mullama_adapter_name>(text).only_llama(no_adapters);
    all.add<mullama_adapter_description>(text).only_llama(no_adapters);
    all.add<mullama_adapter_fingerprint>(text).only_llama(no_adapters);
    all.add<mullama_adapter_invocation_tokens>(text).only_llama(no_adapters);
    all.add<mullama_adapter_metadata_count>(
           [](World &world, auto with) { return with(world.adapter()); })
        .only_llama(no_adapters);
    all.add<mullama_adapter_get_metadata>([](World &world, auto with) {
           return with(world.adapter(), std::size_t{0}, world.out());
       })
        .only_llama(no_adapters);
    all.add<mullama_adapter_find_metadata>([](World &world, auto with) {
           return with(world.adapter(), "adapter.type", std::size_t{12}, world.out());
       })
        .only_llama(no_adapters);
    const auto element = [](const char *key) {
        return [key](World &world, auto with) {
            return with(world.adapter(), world.adapter_index(key), std::size_t{0}, world.out());
        };
    };
    all.add<mullama_adapter_metadata_int>(element("general.sweep_no")).only_llama(no_adapters);
    all.add<mullama_adapter_metadata_float>(element("adapter.lora.alpha")).only_llama(no_adapters);
    all.add<mullama_adapter_metadata_bool>(element("general.sweep_truth")).only_llama(no_adapters);
    all.add<mullama_adapter_metadata_string>([](World &world, auto with) {
           return with(world.adapter(), world.adapter_index("adapter.type"), std::size_t{0},
                       world.out(), world.out());
       })
        .only_llama(no_adapters);
    all.add<mullama_adapter_metadata_format>([](World &world, auto with) {
           return with(world.adapter(), world.adapter_index("adapter.type"), std::size_t{3},
                       world.out());
       })
        .only_llama(no_adapters)
        .accepts("max_elements", "max", "more than there are is all of them");
}

} // namespace

void add_adapter_recipes(Recipes &all) {
    all.add<mullama_adapter_load>([](World &world, auto with) {
           const std::string_view path = world.adapter_path();
           return with(world.model(), path.data(), path.size(), adapter_options(world),
                       world.out());
       })
        .only_llama(no_adapters)
        .refuses("options->layer_first", "any", {MULLAMA_ERROR_INVALID_ARGUMENT, "layer_first"},
                 "a LoRA takes none")
        .refuses("options->layer_last", "any", {MULLAMA_ERROR_INVALID_ARGUMENT, "layer_last"},
                 "a LoRA takes none")
        .when("no such layer", {MULLAMA_ERROR_OUT_OF_RANGE, "layer_last"},
              [](World &world, auto with) {
                  const std::string_view path = world.vector_path();
                  return with(world.model(), path.data(), path.size(),
                              world.options<mullama_adapter_options_t>(
                                  mullama_adapter_options_init,
                                  [](auto &options) { options.layer_last = 99; }),
                              world.out());
              })
        .when("another model's", {MULLAMA_ERROR_BAD_MODEL, "general.architecture"},
              [](World &world, auto with) {
                  const std::string_view path = world.adapter_path();
                  return with(world.encoder_decoder(), path.data(), path.size(),
                              adapter_options(world), world.out());
              });
    all.add<mullama_adapter_retain>([](World &world, auto with) { return with(world.adapter()); })
        .only_llama(no_adapters);
    add_description_recipes(all);
    all.add<mullama_context_set_adapters>([](World &world, auto with) {
           mullama_adapter_t *const adapter = world.adapter();
           return with(world.context(), world.keep(adapter), world.keep(0.5F), std::size_t{1});
       })
        .only_llama(no_adapters)
        .when("another model's", {MULLAMA_ERROR_INVALID_ARGUMENT, "adapters", 0},
              [](World &world, auto with) {
                  mullama_adapter_t *const adapter = world.other_adapter();
                  return with(world.context(), world.keep(adapter), world.keep(0.5F),
                              std::size_t{1});
              })
        .when("listed twice", {MULLAMA_ERROR_INVALID_ARGUMENT, "adapters", 1},
              [](World &world, auto with) {
                  mullama_adapter_t *const adapter = world.adapter();
                  return with(world.context(), world.keep(std::array{adapter, adapter})->data(),
                              world.keep(std::array{0.5F, 0.5F})->data(), std::size_t{2});
              });
    all.add<mullama_context_adapter_count>(
           [](World &world, auto with) { return with(world.adapted(), world.out()); })
        .only_llama(no_adapters);
    all.add<mullama_context_get_adapter>([](World &world, auto with) {
           return with(world.adapted(), std::size_t{0}, world.out(), world.out());
       })
        .only_llama(no_adapters);
}

} // namespace mullama::sweep

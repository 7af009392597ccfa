// Models, their metadata and their vocabulary.
#include "support/manifest.hpp"
#include "sweep/recipe.hpp"

#include <fstream>
#include <iterator>

namespace mullama::sweep {

namespace {

constexpr std::string_view no_metadata = "the echo engine's model has no metadata";
constexpr std::size_t key_size = sizeof "general.architecture" - 1;

std::string_view bytes_of_fixture(World &world) {
    static const std::string bytes = [] {
        std::ifstream file(test::fixture_path("llama.gguf"), std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }();
    static_cast<void>(world);
    return bytes;
}

const mullama_tokenize_options_t *tokenize_options(World &world) {
    return world.options<mullama_tokenize_options_t>(mullama_tokenize_options_init, [](auto &) {});
}

const mullama_detokenize_options_t *detokenize_options(World &world) {
    return world.options<mullama_detokenize_options_t>(mullama_detokenize_options_init,
                                                       [](auto &) {});
}

const mullama_context_options_t *context_options(World &world) {
    return world.options<mullama_context_options_t>(mullama_context_options_init,
                                                    [](auto &options) { options.n_ctx = 64; });
}

void add_loading_recipes(Recipes &all) {
    all.add<mullama_model_load>([](World &world, auto with) {
           const std::string_view path = world.model_path();
           return with(path.data(), path.size(), world.model_options(), world.out());
       })
        .only_llama("the echo engine reads no file: its load is tried by its own tests");
    all.add<mullama_model_load_parts>([](World &world, auto with) {
           const char *const path = world.model_path().data();
           return with(world.keep(path), std::size_t{1}, world.model_options(), world.out());
       })
        .only_llama("as mullama_model_load()")
        .when("no parts", {MULLAMA_ERROR_OUT_OF_RANGE, "paths_count"}, [](World &world, auto with) {
            return with(nullptr, std::size_t{0}, world.model_options(), world.out());
        });
    all.add<mullama_model_load_memory>([](World &world, auto with) {
           const std::string_view bytes = bytes_of_fixture(world);
           return with(bytes.data(), bytes.size(), world.model_options(), world.out());
       })
        .only_llama("as mullama_model_load()");
    all.add<mullama_model_estimate>([](World &world, auto with) {
           const std::string_view path = world.model_path();
           return with(path.data(), path.size(), world.model_options(), context_options(world),
                       world.out());
       })
        .only_llama("as mullama_model_load()");
    all.add<mullama_model_retain>([](World &world, auto with) { return with(world.model()); });
}

void add_metadata_recipes(Recipes &all) {
    const auto text = [](World &world, auto with) { return with(world.model(), world.out()); };
    all.add<mullama_model_get_info>(text);
    all.add<mullama_model_architecture>(text);
    all.add<mullama_model_description>(text);
    all.add<mullama_model_quantization>(text);
    all.add<mullama_model_fingerprint>(text);
    all.add<mullama_model_chat_template>([](World &world, auto with) {
           return with(world.model(), "tool_use", std::size_t{8}, world.out());
       })
        .answers(nullptr)
        .accepts("name", "empty", "the default one");
    all.add<mullama_model_metadata_count>(
        [](World &world, auto with) { return with(world.model()); });
    all.add<mullama_model_get_metadata>(
           [](World &world, auto with) { return with(world.model(), std::size_t{0}, world.out()); })
        .only_llama(no_metadata);
    all.add<mullama_model_find_metadata>([](World &world, auto with) {
           return with(world.model(), "general.architecture", key_size, world.out());
       })
        .only_llama(no_metadata);
    const auto element = [](const char *key) {
        return [key](World &world, auto with) {
            return with(world.model(), world.metadata_index(key), std::size_t{0}, world.out());
        };
    };
    all.add<mullama_model_metadata_int>(element("llama.block_count")).only_llama(no_metadata);
    all.add<mullama_model_metadata_float>(element("llama.block_count")).only_llama(no_metadata);
    all.add<mullama_model_metadata_bool>(element("tokenizer.ggml.add_bos_token"))
        .only_llama(no_metadata);
    all.add<mullama_model_metadata_string>([](World &world, auto with) {
           return with(world.model(), world.metadata_index("general.architecture"), std::size_t{0},
                       world.out(), world.out());
       })
        .only_llama(no_metadata);
    all.add<mullama_model_metadata_format>([](World &world, auto with) {
           return with(world.model(), world.metadata_index("general.architecture"), std::size_t{3},
                       world.out());
       })
        .only_llama(no_metadata)
        .accepts("max_elements", "max", "more than there are is all of them");
}

void add_vocabulary_recipes(Recipes &all) {
    all.add<mullama_model_tokenize>([](World &world, auto with) {
        return with(world.model(), "abc", std::size_t{3}, tokenize_options(world), world.out());
    });
    all.add<mullama_model_detokenize>([](World &world, auto with) {
        return with(world.model(), world.tokens(), world.n_tokens(), detokenize_options(world),
                    world.out());
    });
    all.add<mullama_model_get_token>([](World &world, auto with) {
        return with(world.model(), world.tokens()[0], world.out());
    });
    all.add<mullama_model_special_token>(
           [](World &world, auto with) { return with(world.model(), MULLAMA_SPECIAL_EOS); })
        .answers(MULLAMA_TOKEN_NONE);
    all.add<mullama_detokenizer_new>([](World &world, auto with) {
        return with(world.model(), detokenize_options(world), world.out());
    });
    all.add<mullama_detokenizer_push>([](World &world, auto with) {
        return with(world.detokenizer(), world.tokens()[0], world.out(), world.out());
    });
    all.add<mullama_detokenizer_finish>([](World &world, auto with) {
        return with(world.detokenizer(), world.out(), world.out());
    });
}

} // namespace

void add_model_recipes(Recipes &all) {
    add_loading_recipes(all);
    add_metadata_recipes(all);
    add_vocabulary_recipes(all);
}

} // namespace mullama::sweep

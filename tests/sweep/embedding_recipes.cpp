// Embeddings, scores and perplexity in one call, and what is done with vectors.
#include <array>

#include "sweep/recipe.hpp"

namespace mullama::sweep {

namespace {

// What World::ranking_context() gives for each document.
constexpr std::size_t n_scores = 2;

const mullama_embed_options_t *embed_options(World &world) {
    return world.options<mullama_embed_options_t>(mullama_embed_options_init, [](auto &) {});
}

// Two texts of three bytes, or of three tokens.
const char *const *texts(World &world) {
    return world.keep(std::array{"abc", "def"})->data();
}
const mullama_token_t *const *token_lists(World &world) {
    return world.keep(std::array{world.tokens(), world.tokens()})->data();
}
const std::size_t *sizes(World &world) {
    return world.keep(std::array<std::size_t, 2>{3, 3})->data();
}

float *rows(World &world, std::size_t n_rows) {
    return world.outputs<float>(n_rows * world.n_embd());
}

void add_embedding_recipes_of_texts(Recipes &all) {
    all.add<mullama_context_embed>([](World &world, auto with) {
           return with(world.pooled(MULLAMA_POOLING_MEAN), texts(world), sizes(world),
                       std::size_t{2}, embed_options(world), rows(world, 2), 2 * world.n_embd());
       })
        .refuses("sizes", "[max]", {MULLAMA_ERROR_OUT_OF_RANGE, "texts[1]"},
                 "the text of that length")
        .when("a context that does not pool", {MULLAMA_ERROR_INVALID_STATE, "context"},
              [](World &world, auto with) {
                  return with(world.pooled(MULLAMA_POOLING_NONE), texts(world), sizes(world),
                              std::size_t{2}, embed_options(world), rows(world, 2),
                              2 * world.n_embd());
              });
    all.add<mullama_context_embed_tokens>([](World &world, auto with) {
           return with(world.pooled(MULLAMA_POOLING_MEAN), token_lists(world), sizes(world),
                       std::size_t{2}, embed_options(world), rows(world, 2), 2 * world.n_embd());
       })
        .refuses("sizes", "[max]", {MULLAMA_ERROR_OUT_OF_RANGE, "texts[1]"},
                 "the text of that length")
        .refuses("texts", "[NULL]", {MULLAMA_ERROR_INVALID_ARGUMENT, "texts[1]"},
                 "the text of that place");
    all.add<mullama_context_embed_each_token>([](World &world, auto with) {
           return with(world.pooled(MULLAMA_POOLING_NONE), token_lists(world), sizes(world),
                       std::size_t{2}, embed_options(world), rows(world, 6), 6 * world.n_embd());
       })
        .refuses("sizes", "[max]", {MULLAMA_ERROR_OUT_OF_RANGE, "texts[1]"},
                 "the text of that length")
        .refuses("texts", "[NULL]", {MULLAMA_ERROR_INVALID_ARGUMENT, "texts[1]"},
                 "the text of that place");
    all.add<mullama_context_rerank>([](World &world, auto with) {
           return with(
               world.ranking_context(), "abc", std::size_t{3}, texts(world), sizes(world),
               std::size_t{2},
               world.options<mullama_rerank_options_t>(mullama_rerank_options_init, [](auto &) {}),
               world.outputs<float>(2 * n_scores), 2 * n_scores);
       })
        .only_llama("the echo engine has no reranker")
        .refuses("sizes", "[max]", {MULLAMA_ERROR_OUT_OF_RANGE, "documents[1]"},
                 "the document of that length")
        .when("no reranker", {MULLAMA_ERROR_UNSUPPORTED, "context"}, [](World &world, auto with) {
            return with(world.context(), "abc", std::size_t{3}, texts(world), sizes(world),
                        std::size_t{2}, nullptr, world.outputs<float>(2), std::size_t{2});
        });
}

void add_perplexity_recipes(Recipes &all) {
    all.add<mullama_context_prefill_logprobs>([](World &world, auto with) {
        return with(world.context(), 0, world.tokens(), world.n_tokens(), std::size_t{1},
                    world.outputs<float>(2), std::size_t{2});
    });
    all.add<mullama_context_perplexity>([](World &world, auto with) {
           const auto *const tokens =
               world.keep(std::array<mullama_token_t, 9>{65, 66, 67, 68, 65, 66, 67, 68, 65});
           return with(world.context(), tokens->data(), tokens->size(),
                       world.options<mullama_perplexity_options_t>(
                           mullama_perplexity_options_init, [](auto &its) { its.window = 4; }),
                       world.out());
       })
        .refuses("options", "NULL", {MULLAMA_ERROR_INVALID_ARGUMENT, "tokens"},
                 "too few for the default window, which is all of a sequence")
        .accepts("options->max_windows", "max", "more than there are is all of them");
}

void add_vector_recipes(Recipes &all) {
    const auto two = [](World &world, auto with) {
        return with(world.keep(std::array<float, 3>{1, 2, 3})->data(),
                    world.keep(std::array<float, 3>{4, 5, 6})->data(), std::size_t{3}, world.out());
    };
    const auto no_range = [](auto &recipe, const char *name) {
        for (const char *const label : {"[nan]", "[inf]", "[-inf]"})
            recipe.refuses(name, label, {MULLAMA_ERROR_INVALID_ARGUMENT, name, 2},
                           "what is no number has no range");
    };
    const auto no_ranges = [&](auto &recipe) {
        no_range(recipe, "a");
        no_range(recipe, "b");
    };
    no_ranges(all.add<mullama_vector_dot>(two));
    no_ranges(all.add<mullama_vector_cosine>(two));
    no_ranges(all.add<mullama_vector_distance>(two));
    no_range(all.add<mullama_vector_normalize>([](World &world, auto with) {
        return with(world.keep(std::array<float, 3>{1, 2, 3})->data(), std::size_t{3},
                    world.outputs<float>(3));
    }),
             "from");
}

} // namespace

void add_embedding_recipes(Recipes &all) {
    add_embedding_recipes_of_texts(all);
    add_perplexity_recipes(all);
    add_vector_recipes(all);
}

} // namespace mullama::sweep

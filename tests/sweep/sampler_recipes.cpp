// Samplers and the table of their stages.
#include <array>
#include <limits>
#include <string_view>

#include "sweep/recipe.hpp"

namespace mullama::sweep {

namespace {

constexpr std::size_t top_k = 1; // in the usual chain: penalties, top_k, ...
constexpr std::size_t temperature = 4;

void add_chain_recipes(Recipes &all) {
    all.add<mullama_sampler_new>([](World &world, auto with) { return with(world.out()); });
    all.add<mullama_sampler_new_default>([](World &world, auto with) { return with(world.out()); });
    all.add<mullama_sampler_clone>(
        [](World &world, auto with) { return with(world.sampler(), world.out()); });
    all.add<mullama_sampler_count>([](World &world, auto with) { return with(world.sampler()); });
    all.add<mullama_sampler_stage_name>(
           [](World &world, auto with) { return with(world.sampler(), std::size_t{0}); })
        .answers(nullptr);
    all.add<mullama_sampler_new_preset>([](World &world, auto with) {
           return with("precise", std::size_t{7}, world.model(), world.out());
       })
        .when("a recommendation that the model lacks", {MULLAMA_ERROR_NOT_FOUND, "model"},
              [](World &world, auto with) {
                  return with("model", std::size_t{5}, world.model(), world.out());
              });
    all.add<mullama_sampler_insert>([](World &world, auto with) {
           return with(world.sampler(), std::size_t{0}, "top_k", std::size_t{5});
       })
        .when("after a stage that selects", {MULLAMA_ERROR_INVALID_STATE, "name"},
              [](World &world, auto with) {
                  mullama_sampler_t *const sampler = world.sampler();
                  return with(sampler, mullama_sampler_count(sampler), "top_k", std::size_t{5});
              });
    all.add<mullama_sampler_insert_custom>([](World &world, auto with) {
           return with(
               world.sampler(), std::size_t{0},
               world.options<mullama_custom_stage_t>(mullama_custom_stage_init, [](auto &stage) {
                   stage.apply = [](mullama_candidates_t *, void *) { return true; };
               }));
       })
        .refuses("stage", "older", {MULLAMA_ERROR_INVALID_ARGUMENT, "apply"},
                 "what is required lies past its end");
    all.add<mullama_sampler_ensure>([](World &world, auto with) {
        return with(world.sampler(), "top_k", std::size_t{5}, world.out());
    });
    all.add<mullama_sampler_remove>(
        [](World &world, auto with) { return with(world.sampler(), top_k); });
    all.add<mullama_sampler_set_model>(
        [](World &world, auto with) { return with(world.sampler(), world.model()); });
    all.add<mullama_sampler_reset>([](World &world, auto with) { return with(world.sampler()); });
    all.add<mullama_sampler_accept>(
           [](World &world, auto with) { return with(world.sampler(), world.tokens()[0]); })
        .accepts("token", "max", "a sampler knows no vocabulary");
    all.add<mullama_sampler_accept_prompt>([](World &world, auto with) {
           return with(world.sampler(), world.tokens(), world.n_tokens());
       })
        .accepts("tokens", "[max]", "a sampler knows no vocabulary");
    all.add<mullama_sampler_add>([](World &world, auto with) {
           return with(world.empty_sampler(), "top_k", std::size_t{5}, world.out());
       })
        .when("after a stage that selects", {MULLAMA_ERROR_INVALID_STATE, "name"},
              [](World &world, auto with) {
                  return with(world.sampler(), "top_k", std::size_t{5}, world.out());
              });
}

void add_setting_recipes(Recipes &all) {
    all.add<mullama_sampler_set_int>([](World &world, auto with) {
           return with(world.sampler(), top_k, "k", std::size_t{1}, std::int64_t{5});
       })
        .refuses("value", "min", {MULLAMA_ERROR_OUT_OF_RANGE, "k"}, "the stage's parameter")
        .accepts("value", "-1", "all tokens")
        .refuses("value", "max", {MULLAMA_ERROR_OUT_OF_RANGE, "k"}, "the stage's parameter")
        .when("a real number's name", {MULLAMA_ERROR_INVALID_ARGUMENT, "t"},
              [](World &world, auto with) {
                  return with(world.sampler(), temperature, "t", std::size_t{1}, std::int64_t{1});
              });
    all.add<mullama_sampler_set_float>([](World &world, auto with) {
           return with(world.sampler(), temperature, "t", std::size_t{1}, 0.5);
       })
        .refuses("value", "nan", {MULLAMA_ERROR_INVALID_ARGUMENT, "t"}, "it is no number")
        .refuses("value", "any", {MULLAMA_ERROR_OUT_OF_RANGE, "t"}, "the stage's parameter")
        .when("a whole number's name", {MULLAMA_ERROR_INVALID_ARGUMENT, "k"},
              [](World &world, auto with) {
                  return with(world.sampler(), top_k, "k", std::size_t{1}, 0.5);
              });
    all.add<mullama_sampler_set_bool>([](World &world, auto with) {
           return with(world.sampler(), top_k, "k", std::size_t{1}, true);
       })
        .never_succeeds({MULLAMA_ERROR_INVALID_ARGUMENT, "k"}, "no stage has such a parameter");
}

// Of what is no number.
void add_list_recipes(Recipes &all) {
    constexpr std::string_view grammar = "root ::= \"a\"";
    all.add<mullama_sampler_set_text>([=](World &world, auto with) {
           return with(world.sampler_of("grammar"), std::size_t{0}, "grammar", std::size_t{7},
                       grammar.data(), grammar.size());
       })
        .refuses("text_size", "max", {MULLAMA_ERROR_OUT_OF_RANGE, "text"}, "at most INT32_MAX")
        .when("no grammar", {MULLAMA_ERROR_INVALID_ARGUMENT, "grammar"},
              [](World &world, auto with) {
                  return with(world.sampler_of("grammar"), std::size_t{0}, "grammar",
                              std::size_t{7}, "root = a", std::size_t{8});
              })
        .when("a number's name", {MULLAMA_ERROR_INVALID_ARGUMENT, "k"},
              [=](World &world, auto with) {
                  return with(world.sampler(), top_k, "k", std::size_t{1}, grammar.data(),
                              grammar.size());
              });
    all.add<mullama_sampler_set_texts>([](World &world, auto with) {
           return with(world.sampler_of("dry"), std::size_t{0}, "sequence_breakers",
                       std::size_t{17}, world.keep(std::array{"abc", "def"})->data(),
                       world.keep(std::array<std::size_t, 2>{3, 3})->data(), std::size_t{2});
       })
        .refuses("text_sizes", "[max]", {MULLAMA_ERROR_OUT_OF_RANGE, "texts[1]"},
                 "the text of that length");
    all.add<mullama_sampler_set_biases>([](World &world, auto with) {
           return with(world.sampler_of("logit_bias"), std::size_t{0}, "biases", std::size_t{6},
                       world.keep(std::array<mullama_token_t, 2>{5, 6})->data(),
                       world.keep(std::array<float, 2>{1, -1})->data(), std::size_t{2});
       })
        .accepts("tokens", "[max]", "a sampler knows no vocabulary")
        .refuses("tokens", "[min]", {MULLAMA_ERROR_OUT_OF_RANGE, "biases", 1},
                 "the stage's parameter")
        .refuses("tokens", "[-1]", {MULLAMA_ERROR_OUT_OF_RANGE, "biases", 1},
                 "the stage's parameter")
        .refuses("biases", "[nan]", {MULLAMA_ERROR_INVALID_ARGUMENT, "biases", 1},
                 "it is no number")
        .accepts("biases", "[-inf]", "rules a token out");
}

void add_reading_recipes(Recipes &all) {
    all.add<mullama_sampler_get_number>([](World &world, auto with) {
        return with(world.sampler(), top_k, "k", std::size_t{1}, world.out());
    });
    all.add<mullama_sampler_value_count>([](World &world, auto with) {
        return with(world.sampler(), top_k, "k", std::size_t{1}, world.out());
    });
    all.add<mullama_sampler_get_text>([](World &world, auto with) {
           return with(world.sampler_of("dry"), std::size_t{0}, "sequence_breakers",
                       std::size_t{17}, std::size_t{0}, world.out(), world.out());
       })
        .when("a number's name", {MULLAMA_ERROR_INVALID_ARGUMENT, "k"},
              [](World &world, auto with) {
                  return with(world.sampler(), top_k, "k", std::size_t{1}, std::size_t{0},
                              world.out(), world.out());
              });
    all.add<mullama_sampler_get_bias>([](World &world, auto with) {
           mullama_sampler_t *const sampler = world.sampler_of("logit_bias");
           const mullama_token_t token = 5;
           const float bias = 1;
           EXPECT_OK(mullama_sampler_set_biases(sampler, 0, "biases", 6, &token, &bias, 1));
           return with(sampler, std::size_t{0}, "biases", std::size_t{6}, std::size_t{0},
                       world.out(), world.out());
       })
        .when("a number's name", {MULLAMA_ERROR_INVALID_ARGUMENT, "k"},
              [](World &world, auto with) {
                  return with(world.sampler(), top_k, "k", std::size_t{1}, std::size_t{0},
                              world.out(), world.out());
              });
}

void add_sampling_recipes(Recipes &all) {
    all.add<mullama_sampler_sample>([](World &world, auto with) {
           return with(world.sampler(), world.keep(std::array<float, 3>{1, 2, 3})->data(),
                       std::size_t{3}, world.out());
       })
        .refuses("logits", "[nan]", {MULLAMA_ERROR_INVALID_ARGUMENT, "logits", 2},
                 "what a model computes is no range")
        .refuses("logits", "[inf]", {MULLAMA_ERROR_INVALID_ARGUMENT, "logits", 2},
                 "what a model computes is no range")
        .accepts("logits", "[-inf]", "rules a token out")
        .refuses("count", "max", {MULLAMA_ERROR_OUT_OF_RANGE, "count"}, "1 to INT32_MAX")
        .when("every token ruled out", {MULLAMA_ERROR_INVALID_ARGUMENT, "logits"},
              [](World &world, auto with) {
                  const float none = -std::numeric_limits<float>::infinity();
                  return with(world.sampler(), world.keep(std::array{none, none})->data(),
                              std::size_t{2}, world.out());
              })
        .when("no logits", {MULLAMA_ERROR_OUT_OF_RANGE, "count"}, [](World &world, auto with) {
            return with(world.sampler(), nullptr, std::size_t{0}, world.out());
        });
    all.add<mullama_sampler_sample_context>([](World &world, auto with) {
           return with(world.sampler(), world.decoded(), 1, world.out());
       })
        .accepts("index", "-1", "the last one")
        .when("nothing was decoded", {MULLAMA_ERROR_INVALID_STATE, "index"},
              [](World &world, auto with) {
                  return with(world.sampler(), world.context(), 0, world.out());
              });
}

} // namespace

void add_sampler_recipes(Recipes &all) {
    add_chain_recipes(all);
    add_setting_recipes(all);
    add_list_recipes(all);
    add_reading_recipes(all);
    add_sampling_recipes(all);
    all.add<mullama_sampler_apply>(
           [](World &world, auto with) { return with(world.sampler(), world.candidates()); })
        .when(
            "candidates that were never filled", {MULLAMA_ERROR_INVALID_STATE, "candidates"},
            [](World &world, auto with) { return with(world.sampler(), world.empty_candidates()); })
        .when("a stage that needs a model", {MULLAMA_ERROR_INVALID_STATE, "sampler"},
              [](World &world, auto with) {
                  return with(world.sampler_of("infill"), world.candidates());
              });
    all.add<mullama_sampler_preset_count>([](World &, auto with) { return with(); });
    all.add<mullama_sampler_get_preset>(
        [](World &world, auto with) { return with(std::size_t{0}, world.out()); });
    all.add<mullama_sampler_stage_count>([](World &, auto with) { return with(); });
    all.add<mullama_sampler_get_stage>(
        [](World &world, auto with) { return with(std::size_t{0}, world.out()); });
    all.add<mullama_sampler_get_parameter>(
        [](World &world, auto with) { return with(std::size_t{1}, std::size_t{0}, world.out()); });
}

} // namespace mullama::sweep

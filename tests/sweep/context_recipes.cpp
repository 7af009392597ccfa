// The low road: contexts, sequences, and generation in one call.
#include "sweep/recipe.hpp"

#include <array>

namespace mullama::sweep {

namespace {

constexpr mullama_token_t too_large = 1 << 30;
const Refusal no_such_output{MULLAMA_ERROR_INVALID_STATE, "index"};
const Refusal no_such_embedding{MULLAMA_ERROR_INVALID_STATE, "sequence"};
const Refusal ends_before{MULLAMA_ERROR_INVALID_ARGUMENT, "end"};

const mullama_context_options_t *context_options(World &world) {
    return world.options<mullama_context_options_t>(mullama_context_options_init,
                                                    [](auto &options) {
                                                        options.n_ctx = 64;
                                                        options.n_threads = 1;
                                                        options.n_threads_batch = 1;
                                                    });
}

void add_lifetime_recipes(Recipes &all) {
    all.add<mullama_context_new>([](World &world, auto with) {
           return with(world.model(), context_options(world), world.out());
       })
        .when_llama("a model without weights", {MULLAMA_ERROR_UNSUPPORTED, "model"},
                    [](World &world, auto with) {
                        return with(world.vocabulary(), context_options(world), world.out());
                    });
    all.add<mullama_context_get_info>(
        [](World &world, auto with) { return with(world.context(), world.out()); });
    all.add<mullama_context_warm_up>([](World &world, auto with) { return with(world.context()); })
        .when("a sequence holds tokens", {MULLAMA_ERROR_INVALID_STATE, ""},
              [](World &world, auto with) { return with(world.decoded()); });
    all.add<mullama_context_clear>([](World &world, auto with) { return with(world.decoded()); });
    all.add<mullama_context_abort>(
           [](World &world, auto with) { return with(world.context_of_its_own()); })
        .works_while_busy("that is what it is for");
    all.add<mullama_context_set_threads>(
        [](World &world, auto with) { return with(world.context(), 1, 1); });
    all.add<mullama_context_get_counters>(
        [](World &world, auto with) { return with(world.context(), world.out()); });
    all.add<mullama_context_reset_counters>(
        [](World &world, auto with) { return with(world.context()); });
    all.add<mullama_context_set_embeddings>(
        [](World &world, auto with) { return with(world.context(), false); });
    all.add<mullama_context_set_causal>(
           [](World &world, auto with) { return with(world.context(), true); })
        .only_llama("the echo engine's tokens look back only");
}

void add_decode_recipes(Recipes &all) {
    all.add<mullama_context_decode>(
           [](World &world, auto with) { return with(world.context(), world.batch({65, 66})); })
        .when("a token of another vocabulary", {MULLAMA_ERROR_OUT_OF_RANGE, "token", 1},
              [](World &world, auto with) {
                  return with(world.context(), world.batch({65, too_large}));
              })
        .when("an abort that nothing has taken up yet", {MULLAMA_ERROR_CANCELLED, ""},
              [](World &world, auto with) { return with(world.aborted(), world.batch({65, 66})); })
        .when("an empty batch", {MULLAMA_ERROR_INVALID_ARGUMENT, "batch"},
              [](World &world, auto with) { return with(world.context(), world.batch({})); });
    all.add<mullama_context_encode>([](World &world, auto with) {
           return with(world.encoding_context(), world.batch({65, 66}));
       })
        .only_llama("the echo engine has no encoder")
        .when("a model without an encoder", {MULLAMA_ERROR_UNSUPPORTED, ""},
              [](World &world, auto with) { return with(world.context(), world.batch({65, 66})); })
        .when("a token of another vocabulary", {MULLAMA_ERROR_OUT_OF_RANGE, "token", 1},
              [](World &world, auto with) {
                  return with(world.encoding_context(), world.batch({65, too_large}));
              });
    all.add<mullama_context_prefill>([](World &world, auto with) {
           return with(world.context(), 0, world.tokens(), world.n_tokens(), MULLAMA_OUTPUT_LAST);
       })
        .when("an abort that nothing has taken up yet", {MULLAMA_ERROR_CANCELLED, ""},
              [](World &world, auto with) {
                  return with(world.aborted(), 0, world.tokens(), world.n_tokens(),
                              MULLAMA_OUTPUT_LAST);
              })
        .when("more than the context holds", {MULLAMA_ERROR_NO_SPACE, "tokens"},
              [](World &world, auto with) {
                  const mullama_token_t *const many =
                      world.keep(std::array<mullama_token_t, 300>{})->data();
                  return with(world.context(), 0, many, std::size_t{300}, MULLAMA_OUTPUT_LAST);
              });
}

void add_output_recipes(Recipes &all) {
    all.add<mullama_context_logits>([](World &world, auto with) {
           return with(world.decoded(), 1, world.out(), world.out());
       })
        .accepts("index", "-1", "the last one")
        .when("no logits were asked for", no_such_output,
              [](World &world, auto with) {
                  mullama_context_t *const context = world.context();
                  EXPECT_OK(mullama_context_prefill(context, 0, world.tokens(), world.n_tokens(),
                                                    MULLAMA_OUTPUT_NONE));
                  return with(context, 0, world.out(), world.out());
              })
        .when("nothing was decoded", no_such_output, [](World &world, auto with) {
            return with(world.context(), 0, world.out(), world.out());
        });
    all.add<mullama_context_logprobs>([](World &world, auto with) {
           return with(world.decoded(), 1, world.outputs<float>(world.n_vocab()), world.n_vocab());
       })
        .accepts("index", "-1", "the last one")
        .when("another count", {MULLAMA_ERROR_OUT_OF_RANGE, "count"},
              [](World &world, auto with) {
                  return with(world.decoded(), 1, world.outputs<float>(world.n_vocab()),
                              world.n_vocab() - 1);
              })
        .when("nothing was decoded", no_such_output, [](World &world, auto with) {
            return with(world.context(), 0, world.outputs<float>(world.n_vocab()), world.n_vocab());
        });
    all.add<mullama_context_top_logprobs>([](World &world, auto with) {
           return with(world.decoded(), 1, world.outputs<mullama_token_t>(5),
                       world.outputs<float>(5), world.in_out(std::size_t{5}));
       })
        .accepts("index", "-1", "the last one")
        .when("nothing was decoded", no_such_output, [](World &world, auto with) {
            return with(world.context(), 0, world.outputs<mullama_token_t>(5),
                        world.outputs<float>(5), world.in_out(std::size_t{5}));
        });
    all.add<mullama_context_embedding>([](World &world, auto with) {
           mullama_context_t *const context = world.pooled(MULLAMA_POOLING_NONE);
           EXPECT_OK(mullama_context_decode(context, world.batch({65, 66})));
           return with(context, 0, world.out(), world.out());
       })
        .accepts("index", "-1", "the last one")
        .when("nothing was decoded", no_such_output,
              [](World &world, auto with) {
                  return with(world.pooled(MULLAMA_POOLING_NONE), 0, world.out(), world.out());
              })
        .when("embeddings were not asked for", no_such_output, [](World &world, auto with) {
            return with(world.decoded(), 0, world.out(), world.out());
        });
    all.add<mullama_context_sequence_embedding>([](World &world, auto with) {
           mullama_context_t *const context = world.pooled(MULLAMA_POOLING_MEAN);
           EXPECT_OK(mullama_context_decode(context, world.batch({65, 66})));
           return with(context, 0, world.out(), world.out());
       })
        .when("the sequence was not in the decode", no_such_embedding,
              [](World &world, auto with) {
                  mullama_context_t *const context = world.pooled(MULLAMA_POOLING_MEAN);
                  EXPECT_OK(mullama_context_decode(context, world.batch({65, 66})));
                  return with(context, 1, world.out(), world.out());
              })
        .when("there is no pooling", no_such_embedding, [](World &world, auto with) {
            return with(world.decoded(), 0, world.out(), world.out());
        });
}

void add_sequence_recipes(Recipes &all) {
    all.add<mullama_context_sequence_size>(
        [](World &world, auto with) { return with(world.decoded(), 0, world.out()); });
    all.add<mullama_context_sequence_positions>(
        [](World &world, auto with) { return with(world.decoded(), 0, world.out(), world.out()); });
    all.add<mullama_context_sequence_tokens>(
        [](World &world, auto with) { return with(world.decoded(), 0, world.out()); });
    all.add<mullama_context_sequence_copy>(
           [](World &world, auto with) { return with(world.decoded(), 0, 1, 0, 2); })
        .accepts("end", "-1", "MULLAMA_POSITION_END")
        .accepts("end", "max", "more than there is ends where it ends")
        .refuses("begin", "max", ends_before, "2 lies before it")
        .when("a sequence that holds tokens", {MULLAMA_ERROR_INVALID_STATE, "to"},
              [](World &world, auto with) {
                  mullama_context_t *const context = world.decoded();
                  EXPECT_OK(
                      mullama_context_prefill(context, 1, world.tokens(), 1, MULLAMA_OUTPUT_NONE));
                  return with(context, 0, 1, 0, 2);
              })
        .when("to itself", {MULLAMA_ERROR_INVALID_ARGUMENT, "to"},
              [](World &world, auto with) { return with(world.decoded(), 0, 0, 0, 2); });
    all.add<mullama_context_sequence_remove>(
           [](World &world, auto with) { return with(world.decoded(), 0, 1, 3); })
        .accepts("end", "-1", "MULLAMA_POSITION_END")
        .accepts("end", "max", "more than there is ends where it ends")
        .refuses("begin", "max", ends_before, "3 lies before it");
    all.add<mullama_context_sequence_keep>(
        [](World &world, auto with) { return with(world.decoded(), 0); });
    all.add<mullama_context_sequence_shift>(
           [](World &world, auto with) { return with(world.decoded(), 0, 1, 3, 5); })
        .only_llama("the echo engine's positions do not move")
        .accepts("end", "-1", "MULLAMA_POSITION_END")
        .accepts("end", "max", "more than there is ends where it ends")
        .refuses("begin", "max", ends_before, "3 lies before it")
        .refuses("delta", "-1", {MULLAMA_ERROR_INVALID_STATE, "delta"}, "0 is taken")
        .when("shared tokens", {MULLAMA_ERROR_INVALID_STATE, "sequence"},
              [](World &world, auto with) {
                  mullama_context_t *const context = world.decoded();
                  EXPECT_OK(mullama_context_sequence_copy(context, 0, 1, 0, 3));
                  return with(context, 0, 1, 3, 5);
              });
    all.add<mullama_context_sequence_divide>(
           [](World &world, auto with) { return with(world.decoded(), 0, 0, 3, 2); })
        .only_llama("the echo engine's positions do not move")
        .accepts("end", "-1", "MULLAMA_POSITION_END")
        .accepts("end", "max", "more than there is ends where it ends")
        .refuses("begin", "max", ends_before, "3 lies before it")
        .accepts("divisor", "max", "all of them then stand at 0");
}

const mullama_generate_options_t *generate_options(World &world) {
    return world.options<mullama_generate_options_t>(mullama_generate_options_init,
                                                     [](auto &options) { options.max_tokens = 2; });
}

void add_generation_recipes(Recipes &all) {
    all.add<mullama_context_generate>([](World &world, auto with) {
        return with(world.context(), world.sampler(), "abc", std::size_t{3},
                    generate_options(world), world.out(), world.out());
    });
    all.add<mullama_context_generate_tokens>([](World &world, auto with) {
           return with(world.context(), world.sampler(), world.tokens(), world.n_tokens(),
                       generate_options(world), world.out(), world.out());
       })
        .when("more than the context holds", {MULLAMA_ERROR_NO_SPACE, "prompt"},
              [](World &world, auto with) {
                  const mullama_token_t *const many =
                      world.keep(std::array<mullama_token_t, 300>{})->data();
                  return with(world.context(), world.sampler(), many, std::size_t{300},
                              generate_options(world), world.out(), world.out());
              })
        .when("an abort that nothing has taken up yet", {MULLAMA_ERROR_CANCELLED, ""},
              [](World &world, auto with) {
                  return with(world.aborted(), world.sampler(), world.tokens(), world.n_tokens(),
                              generate_options(world), world.out(), world.out());
              })
        .when("nothing to go on from", {MULLAMA_ERROR_INVALID_ARGUMENT, "prompt"},
              [](World &world, auto with) {
                  return with(world.context(), world.sampler(), nullptr, std::size_t{0},
                              generate_options(world), world.out(), world.out());
              });
}

} // namespace

void add_context_recipes(Recipes &all) {
    add_lifetime_recipes(all);
    add_decode_recipes(all);
    add_output_recipes(all);
    add_sequence_recipes(all);
    add_generation_recipes(all);
}

} // namespace mullama::sweep

// Candidates of the caller's own.
#include <array>
#include <limits>

#include "sweep/recipe.hpp"

namespace mullama::sweep {

namespace {

const Refusal never_filled{MULLAMA_ERROR_INVALID_STATE, "candidates"};

// Three candidates, one field of the second one changed.
template <class Change>
const mullama_candidate_t *list(World &world, Change change) {
    std::array<mullama_candidate_t, 3> three{{{.id = 5, .logit = 1, .p = 0},
                                              {.id = 6, .logit = 2, .p = 0},
                                              {.id = 7, .logit = 3, .p = 0}}};
    change(three[1]);
    return world.keep(three)->data();
}

} // namespace

void add_candidates_recipes(Recipes &all) {
    all.add<mullama_candidates_new>([](World &world, auto with) { return with(world.out()); });
    all.add<mullama_candidates_set_logits>([](World &world, auto with) {
           return with(world.candidates(), world.keep(std::array<float, 3>{1, 2, 3})->data(),
                       std::size_t{3});
       })
        .refuses("logits", "[nan]", {MULLAMA_ERROR_INVALID_ARGUMENT, "logits", 2},
                 "what a model computes has no range")
        .refuses("logits", "[inf]", {MULLAMA_ERROR_INVALID_ARGUMENT, "logits", 2},
                 "what a model computes has no range")
        .accepts("logits", "[-inf]", "rules a token out")
        .refuses("count", "max", {MULLAMA_ERROR_OUT_OF_RANGE, "count"}, "1 to INT32_MAX")
        .when("no logits", {MULLAMA_ERROR_OUT_OF_RANGE, "count"}, [](World &world, auto with) {
            return with(world.candidates(), nullptr, std::size_t{0});
        });
    all.add<mullama_candidates_set_list>([](World &world, auto with) {
           return with(world.candidates(), list(world, [](auto &) {}), std::size_t{3});
       })
        .refuses("count", "max", {MULLAMA_ERROR_OUT_OF_RANGE, "count"}, "1 to INT32_MAX")
        .when("a logit that is no number", {MULLAMA_ERROR_INVALID_ARGUMENT, "list", 1},
              [](World &world, auto with) {
                  return with(
                      world.candidates(),
                      list(world,
                           [](auto &one) { one.logit = std::numeric_limits<float>::quiet_NaN(); }),
                      std::size_t{3});
              })
        .when("no token", {MULLAMA_ERROR_OUT_OF_RANGE, "list", 1}, [](World &world, auto with) {
            return with(world.candidates(), list(world, [](auto &one) { one.id = -1; }),
                        std::size_t{3});
        });
    all.add<mullama_candidates_count>(
        [](World &world, auto with) { return with(world.candidates()); });
    all.add<mullama_candidates_list>([](World &world, auto with) {
           return with(world.candidates(), world.out(), world.out());
       })
        .when("never filled", never_filled, [](World &world, auto with) {
            return with(world.empty_candidates(), world.out(), world.out());
        });
    all.add<mullama_candidates_edit>([](World &world, auto with) {
           return with(world.candidates(), world.out(), world.out());
       })
        .when("never filled", never_filled, [](World &world, auto with) {
            return with(world.empty_candidates(), world.out(), world.out());
        });
    all.add<mullama_candidates_truncate>(
           [](World &world, auto with) { return with(world.candidates(), std::size_t{2}); })
        .accepts("count", "max", "more than there are leaves all")
        .when("none", {MULLAMA_ERROR_OUT_OF_RANGE, "count"},
              [](World &world, auto with) { return with(world.candidates(), std::size_t{0}); })
        .when("never filled", never_filled, [](World &world, auto with) {
            return with(world.empty_candidates(), std::size_t{2});
        });
    all.add<mullama_candidates_sort>(
           [](World &world, auto with) { return with(world.candidates()); })
        .when("never filled", never_filled,
              [](World &world, auto with) { return with(world.empty_candidates()); });
    all.add<mullama_candidates_softmax>(
           [](World &world, auto with) { return with(world.candidates()); })
        .when("never filled", never_filled,
              [](World &world, auto with) { return with(world.empty_candidates()); });
    all.add<mullama_candidates_select>(
           [](World &world, auto with) { return with(world.candidates(), std::size_t{1}); })
        .when("never filled", never_filled, [](World &world, auto with) {
            return with(world.empty_candidates(), std::size_t{0});
        });
    all.add<mullama_candidates_selected>(
           [](World &world, auto with) { return with(world.candidates()); })
        .answers(-1);
}

} // namespace mullama::sweep

// Candidates of a caller's own, chains run over them, and stages that a caller wrote.
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "support/context.hpp"

namespace {

using namespace mullama::test;

using CandidatesHandle = std::unique_ptr<mullama_candidates_t, Deleter<mullama_candidates_free>>;
using List = std::vector<mullama_candidate_t>;

constexpr float infinity = std::numeric_limits<float>::infinity();

CandidatesHandle new_candidates() {
    mullama_candidates_t *candidates = nullptr;
    EXPECT_OK(mullama_candidates_new(&candidates));
    return CandidatesHandle(candidates);
}

CandidatesHandle of_logits(const std::vector<float> &logits) {
    CandidatesHandle candidates = new_candidates();
    EXPECT_OK(mullama_candidates_set_logits(candidates.get(), logits.data(), logits.size()));
    return candidates;
}

CandidatesHandle of_list(const List &list) {
    CandidatesHandle candidates = new_candidates();
    EXPECT_OK(mullama_candidates_set_list(candidates.get(), list.data(), list.size()));
    return candidates;
}

List list_of(mullama_candidates_t *candidates) {
    const mullama_candidate_t *list = nullptr;
    std::size_t count = 0;
    EXPECT_OK(mullama_candidates_list(candidates, &list, &count));
    return {list, list + count};
}

std::vector<mullama_token_t> ids_of(mullama_candidates_t *candidates) {
    std::vector<mullama_token_t> ids;
    for (const mullama_candidate_t &candidate : list_of(candidates))
        ids.push_back(candidate.id);
    return ids;
}

using Ids = std::vector<mullama_token_t>;

TEST(Candidates, AreTheTokensOfARow) {
    std::vector<float> logits{1, 3, -infinity};
    const CandidatesHandle candidates = of_logits(logits);
    // Copied.
    logits.assign(3, 99);
    EXPECT_EQ(mullama_candidates_count(candidates.get()), 3U);
    EXPECT_EQ(mullama_candidates_selected(candidates.get()), -1);
    const List list = list_of(candidates.get());
    ASSERT_EQ(list.size(), 3U);
    EXPECT_EQ(list[1].id, 1);
    EXPECT_EQ(list[1].logit, 3);
    EXPECT_EQ(list[2].logit, -infinity);
}

TEST(Candidates, AreSortedCutAndSelected) {
    const CandidatesHandle candidates =
        of_list({{70, 1, 0}, {5, 4, 0}, {9, 2, 0}, {1000000, 3, 0}});
    ASSERT_OK(mullama_candidates_sort(candidates.get()));
    EXPECT_EQ(ids_of(candidates.get()), (Ids{5, 1000000, 9, 70}));
    ASSERT_OK(mullama_candidates_truncate(candidates.get(), 3));
    ASSERT_OK(mullama_candidates_select(candidates.get(), 2));
    EXPECT_EQ(mullama_candidates_selected(candidates.get()), 2);
    EXPECT_REFUSED(mullama_candidates_select(candidates.get(), 3), MULLAMA_ERROR_OUT_OF_RANGE,
                   "index");
    EXPECT_EQ(mullama_candidates_selected(candidates.get()), 2);
    ASSERT_OK(mullama_candidates_truncate(candidates.get(), 2));
    EXPECT_EQ(mullama_candidates_selected(candidates.get()), -1);
    ASSERT_OK(mullama_candidates_softmax(candidates.get()));
    const List list = list_of(candidates.get());
    EXPECT_NEAR(list[0].p, 1 / (1 + std::exp(-1.0)), 1e-6);
    EXPECT_NEAR(list[1].p, 1 / (1 + std::exp(1.0)), 1e-6);
}

TEST(Candidates, AreChangedInPlaceAndCheckedThen) {
    const CandidatesHandle candidates = of_logits({1, 3, 2});
    mullama_candidate_t *list = nullptr;
    std::size_t count = 0;
    ASSERT_OK(mullama_candidates_edit(candidates.get(), &list, &count));
    ASSERT_EQ(count, 3U);
    list[0] = {17, 9, 0};
    ASSERT_OK(mullama_candidates_sort(candidates.get()));
    EXPECT_EQ(ids_of(candidates.get()), (Ids{17, 1, 2}));
    ASSERT_OK(mullama_candidates_edit(candidates.get(), &list, &count));
    list[1].logit = std::nanf("");
    EXPECT_REFUSED(mullama_candidates_sort(candidates.get()), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "list", 1);
    // Set afresh, all is well again.
    const std::vector<float> logits{0, 1};
    ASSERT_OK(mullama_candidates_set_logits(candidates.get(), logits.data(), 2));
    EXPECT_EQ(ids_of(candidates.get()), (Ids{0, 1}));
}

TEST(Candidates, RefuseWhatIsNoList) {
    const CandidatesHandle candidates = new_candidates();
    const mullama_candidate_t *list = nullptr;
    std::size_t count = 42;
    EXPECT_REFUSED(mullama_candidates_list(candidates.get(), &list, &count),
                   MULLAMA_ERROR_INVALID_STATE, "candidates");
    EXPECT_EQ(count, 42U);
    EXPECT_EQ(mullama_candidates_count(candidates.get()), 0U);
    const auto set = [&](const List &wrong) {
        return mullama_candidates_set_list(candidates.get(), wrong.data(), wrong.size());
    };
    EXPECT_REFUSED(set({}), MULLAMA_ERROR_OUT_OF_RANGE, "count");
    EXPECT_REFUSED(set({{1, 0, 0}, {-1, 0, 0}}), MULLAMA_ERROR_OUT_OF_RANGE, "list", 1);
    EXPECT_REFUSED(set({{1, infinity, 0}}), MULLAMA_ERROR_INVALID_ARGUMENT, "list", 0);
    EXPECT_REFUSED(set({{1, -infinity, 0}, {2, -infinity, 0}}), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "list");
    const std::vector<float> logits{0, std::nanf("")};
    EXPECT_REFUSED(mullama_candidates_set_logits(candidates.get(), logits.data(), 2),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "logits", 1);
    EXPECT_REFUSED(mullama_candidates_set_logits(candidates.get(), nullptr, 2),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "logits");
    ASSERT_OK(set({{1, -infinity, 0}, {2, 0, 0}}));
    EXPECT_REFUSED(mullama_candidates_truncate(candidates.get(), 0), MULLAMA_ERROR_OUT_OF_RANGE,
                   "count");
    // Nothing possible would be left.
    EXPECT_REFUSED(mullama_candidates_truncate(candidates.get(), 1), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "candidates");
    EXPECT_EQ(mullama_candidates_count(candidates.get()), 2U);
    mullama_candidates_free(nullptr);
}

TEST(Candidates, AreWhatAChainLeaves) {
    const SamplerHandle sampler = new_sampler();
    set_int(sampler.get(), add_stage(sampler.get(), "top_k"), "k", 3);
    set_float(sampler.get(), add_stage(sampler.get(), "temperature"), "t", 0.5);
    const CandidatesHandle candidates = of_list({{70, 1, 0}, {5, 4, 0}, {9, 2, 0}, {8, 3, 0}});
    ASSERT_OK(mullama_sampler_apply(sampler.get(), candidates.get()));
    const List list = list_of(candidates.get());
    ASSERT_EQ(list.size(), 3U);
    EXPECT_EQ(list[0].id, 5);
    EXPECT_EQ(list[0].logit, 8);
    EXPECT_EQ(list[2].id, 9);
    EXPECT_EQ(list[2].logit, 4);
    EXPECT_EQ(mullama_candidates_selected(candidates.get()), -1);
    // A stage that selects says which.
    add_stage(sampler.get(), "greedy");
    ASSERT_OK(mullama_sampler_apply(sampler.get(), candidates.get()));
    ASSERT_GE(mullama_candidates_selected(candidates.get()), 0);
    EXPECT_EQ(list_of(candidates.get())[static_cast<std::size_t>(
                                            mullama_candidates_selected(candidates.get()))]
                  .id,
              5);
    EXPECT_REFUSED(mullama_sampler_apply(sampler.get(), new_candidates().get()),
                   MULLAMA_ERROR_INVALID_STATE, "candidates");
    EXPECT_REFUSED(mullama_sampler_apply(sampler.get(), nullptr), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "candidates");
}

// The same list gives what the same logits give, seeded.
TEST(Candidates, ARowAndItsListAreSampledAlike) {
    std::vector<float> logits;
    List list;
    for (int i = 0; i < 500; ++i) {
        logits.push_back(static_cast<float>((i * 7919) % 101) / 10);
        list.push_back({i, logits.back(), 0});
    }
    mullama_sampler_t *usual = nullptr;
    ASSERT_OK(mullama_sampler_new_default(&usual));
    const SamplerHandle sampler(usual);
    set_int(usual, mullama_sampler_count(usual) - 1, "seed", 5);
    Ids from_rows;
    for (int i = 0; i < 20; ++i)
        from_rows.push_back(sample(usual, logits));
    ASSERT_OK(mullama_sampler_reset(usual));
    Ids from_lists;
    for (int i = 0; i < 20; ++i) {
        const CandidatesHandle candidates = of_list(list);
        ASSERT_OK(mullama_sampler_apply(usual, candidates.get()));
        const auto place = static_cast<std::size_t>(mullama_candidates_selected(candidates.get()));
        from_lists.push_back(list_of(candidates.get())[place].id);
        ASSERT_OK(mullama_sampler_accept(usual, from_lists.back()));
    }
    EXPECT_EQ(from_rows, from_lists);
}

// A stage that rules out odd tokens, and remembers what it hears.
struct Evens {
    static inline int alive = 0;
    Evens() { ++alive; }
    Evens(const Evens &other) : heard(other.heard), prompt(other.prompt) { ++alive; }
    Evens &operator=(const Evens &) = delete;
    ~Evens() { --alive; }

    Ids heard;
    Ids prompt;
    bool fail = false;
};

bool apply_evens(mullama_candidates_t *candidates, void *user_data) {
    const auto *state = static_cast<const Evens *>(user_data);
    mullama_candidate_t *list = nullptr;
    std::size_t count = 0;
    if (state->fail || !succeeded(mullama_candidates_edit(candidates, &list, &count)))
        return false;
    for (std::size_t i = 0; i < count; ++i) {
        if (list[i].id % 2 != 0)
            list[i].logit = -infinity;
    }
    return true;
}

mullama_custom_stage_t evens_stage(Evens *state) {
    mullama_custom_stage_t stage;
    mullama_custom_stage_init(&stage, sizeof stage);
    stage.name = "evens";
    stage.apply = apply_evens;
    stage.accept = [](mullama_token_t token, void *user_data) {
        static_cast<Evens *>(user_data)->heard.push_back(token);
    };
    stage.accept_prompt = [](mullama_token_t token, void *user_data) {
        static_cast<Evens *>(user_data)->prompt.push_back(token);
    };
    stage.reset = [](void *user_data) { static_cast<Evens *>(user_data)->heard.clear(); };
    stage.clone = [](void *user_data, void **copy) {
        *copy = new Evens(*static_cast<Evens *>(user_data));
        return true;
    };
    stage.release = [](void *user_data) { delete static_cast<Evens *>(user_data); };
    stage.user_data = state;
    return stage;
}

TEST(CustomStage, NarrowsHearsAndIsCopied) {
    {
        const SamplerHandle sampler = new_sampler();
        add_stage(sampler.get(), "greedy");
        auto *state = new Evens;
        const mullama_custom_stage_t stage = evens_stage(state);
        ASSERT_OK(mullama_sampler_insert_custom(sampler.get(), 0, &stage));
        EXPECT_STREQ(mullama_sampler_stage_name(sampler.get(), 0), "evens");
        const mullama_token_t prompt = 9;
        ASSERT_OK(mullama_sampler_accept_prompt(sampler.get(), &prompt, 1));
        EXPECT_EQ(sample(sampler.get(), {0, 3, 2, 5}), 2);
        EXPECT_EQ(state->heard, Ids{2});
        EXPECT_EQ(state->prompt, Ids{9});

        mullama_sampler_t *copied = nullptr;
        ASSERT_OK(mullama_sampler_clone(sampler.get(), &copied));
        const SamplerHandle copy(copied);
        EXPECT_EQ(Evens::alive, 2);
        EXPECT_EQ(sample(copied, {4, 3, 2, 5}), 0);
        EXPECT_EQ(state->heard, Ids{2});
        ASSERT_OK(mullama_sampler_reset(sampler.get()));
        EXPECT_TRUE(state->heard.empty());
    }
    EXPECT_EQ(Evens::alive, 0);
}

TEST(CustomStage, StopsTheCall) {
    const SamplerHandle sampler = new_sampler();
    auto *state = new Evens;
    const mullama_custom_stage_t stage = evens_stage(state);
    ASSERT_OK(mullama_sampler_insert_custom(sampler.get(), 0, &stage));
    state->fail = true;
    const std::vector<float> logits{0, 1, 2};
    mullama_token_t token = 42;
    EXPECT_REFUSED(mullama_sampler_sample(sampler.get(), logits.data(), logits.size(), &token),
                   MULLAMA_ERROR_CANCELLED, "sampler", std::nullopt, "evens");
    EXPECT_EQ(token, 42);
    EXPECT_TRUE(state->heard.empty());
    state->fail = false;
    EXPECT_EQ(sample(sampler.get(), logits), 2);
    // Nothing left to select.
    const std::vector<float> odd{-infinity, 1};
    EXPECT_REFUSED(mullama_sampler_sample(sampler.get(), odd.data(), odd.size(), &token),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "list");
}

TEST(CustomStage, SelectsAndMayNotUseItsChain) {
    struct State {
        mullama_sampler_t *sampler;
        mullama_error_code_t code;
    };
    const SamplerHandle sampler = new_sampler();
    State state{sampler.get(), MULLAMA_OK};
    mullama_custom_stage_t stage;
    mullama_custom_stage_init(&stage, sizeof stage);
    stage.selects = true;
    stage.user_data = &state;
    stage.apply = [](mullama_candidates_t *candidates, void *user_data) {
        auto *const seen = static_cast<State *>(user_data);
        const ErrorHandle error(mullama_sampler_reset(seen->sampler));
        seen->code = mullama_error_code(error.get());
        // The chain's: nothing happens.
        mullama_candidates_free(candidates);
        return succeeded(mullama_candidates_sort(candidates)) &&
               succeeded(mullama_candidates_select(candidates, 1));
    };
    ASSERT_OK(mullama_sampler_insert_custom(sampler.get(), 0, &stage));
    EXPECT_STREQ(mullama_sampler_stage_name(sampler.get(), 0), "custom");
    // The second best.
    EXPECT_EQ(sample(sampler.get(), {0, 3, 2, 5}), 1);
    EXPECT_EQ(state.code, MULLAMA_ERROR_BUSY);
    std::size_t added = 0;
    EXPECT_REFUSED(mullama_sampler_add(sampler.get(), "top_k", 5, &added),
                   MULLAMA_ERROR_INVALID_STATE, "name", std::nullopt, "custom");
    // Without clone and release, copies share what it is given.
    mullama_sampler_t *copied = nullptr;
    ASSERT_OK(mullama_sampler_clone(sampler.get(), &copied));
    const SamplerHandle copy(copied);
    state.sampler = copied;
    EXPECT_EQ(sample(copied, {9, 3, 2, 5}), 3);
}

// A stage may put another list in place of what it got.
TEST(CustomStage, ReplacesTheCandidates) {
    const SamplerHandle sampler = new_sampler();
    mullama_custom_stage_t stage;
    mullama_custom_stage_init(&stage, sizeof stage);
    stage.apply = [](mullama_candidates_t *candidates, void *) {
        const std::vector<float> logits{0, 7, 1};
        return static_cast<bool>(
            succeeded(mullama_candidates_set_logits(candidates, logits.data(), logits.size())));
    };
    ASSERT_OK(mullama_sampler_insert_custom(sampler.get(), 0, &stage));
    set_int(sampler.get(), add_stage(sampler.get(), "top_k"), "k", 2);
    EXPECT_EQ(sample(sampler.get(), {9, 3, 2, 5}), 1);
}

TEST(CustomStage, GivesBackWhatItCannotAdd) {
    const SamplerHandle sampler = new_sampler();
    add_stage(sampler.get(), "greedy");
    mullama_custom_stage_t stage = evens_stage(new Evens);
    EXPECT_REFUSED(mullama_sampler_insert_custom(sampler.get(), 1, &stage),
                   MULLAMA_ERROR_INVALID_STATE, "name");
    EXPECT_EQ(Evens::alive, 0);
    stage = evens_stage(new Evens);
    stage.apply = nullptr;
    EXPECT_REFUSED(mullama_sampler_insert_custom(sampler.get(), 0, &stage),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "apply");
    EXPECT_EQ(Evens::alive, 0);
    EXPECT_REFUSED(mullama_sampler_insert_custom(sampler.get(), 0, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "stage");
    // One that cannot be copied says so.
    stage = evens_stage(new Evens);
    stage.clone = nullptr;
    ASSERT_OK(mullama_sampler_insert_custom(sampler.get(), 0, &stage));
    mullama_sampler_t *copy = nullptr;
    EXPECT_REFUSED(mullama_sampler_clone(sampler.get(), &copy), MULLAMA_ERROR_UNSUPPORTED,
                   "sampler", std::nullopt, "evens");
    EXPECT_EQ(copy, nullptr);
    ASSERT_OK(mullama_sampler_remove(sampler.get(), 0));
    EXPECT_EQ(Evens::alive, 0);
}

} // namespace

// Each stage's distribution against one worked out by hand, and everything that is refused.
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "support/context.hpp"

namespace {

using namespace mullama::test;

constexpr float infinity = std::numeric_limits<float>::infinity();
const float nan = std::nanf("");

// Logits of tokens that have these probabilities.
std::vector<float> logits_of(const std::vector<double> &probabilities) {
    std::vector<float> logits;
    for (const double p : probabilities)
        logits.push_back(static_cast<float>(std::log(p)));
    return logits;
}

// Draws many tokens and compares how often each came with what was expected. `before` runs before
// each draw.
void expect_distribution(
    mullama_sampler_t *sampler, const std::vector<float> &logits,
    const std::vector<double> &expected, const std::function<void()> &before = [] {}) {
    constexpr int draws = 20000;
    std::vector<int> counts(logits.size());
    for (int i = 0; i < draws; ++i) {
        before();
        const mullama_token_t token = sample(sampler, logits);
        ASSERT_GE(token, 0);
        ASSERT_LT(static_cast<std::size_t>(token), counts.size());
        ++counts[static_cast<std::size_t>(token)];
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double p = expected[i];
        if (p == 0) {
            EXPECT_EQ(counts[i], 0) << "token " << i;
            continue;
        }
        // Five standard deviations: once in two million.
        const double tolerance = 5 * std::sqrt(draws * p * (1 - p)) + 1e-9;
        EXPECT_NEAR(counts[i], draws * p, tolerance) << "token " << i;
    }
}

// A stage under test, and then dist with a fixed seed.
struct Chain {
    explicit Chain(std::string_view name) : stage(add_stage(sampler.get(), name)) {}
    void select(std::int64_t seed = 1) {
        set_int(sampler.get(), add_stage(sampler.get(), "dist"), "seed", seed);
    }

    SamplerHandle sampler = new_sampler();
    std::size_t stage;
};

TEST(Sampler, DistFollowsTheSoftmax) {
    const SamplerHandle sampler = new_sampler();
    set_int(sampler.get(), add_stage(sampler.get(), "dist"), "seed", 3);
    expect_distribution(sampler.get(), logits_of({0.5, 0.25, 0.15, 0.1}), {0.5, 0.25, 0.15, 0.1});
    // Only differences count: the same, a thousand higher.
    std::vector<float> logits{0, 0, std::log(2.0F)};
    for (float &logit : logits)
        logit += 1000;
    expect_distribution(sampler.get(), logits, {0.25, 0.25, 0.5});
}

TEST(Sampler, DistNeverSelectsWhatIsRuledOut) {
    const SamplerHandle sampler = new_sampler();
    set_int(sampler.get(), add_stage(sampler.get(), "dist"), "seed", 3);
    expect_distribution(sampler.get(), {-infinity, 0, -infinity, 0, -infinity},
                        {0, 0.5, 0, 0.5, 0});
    expect_distribution(sampler.get(), {-infinity, -infinity, -1000}, {0, 0, 1});
}

TEST(Sampler, GreedyTakesTheFirstOfTheLikeliest) {
    const SamplerHandle sampler = new_sampler();
    add_stage(sampler.get(), "greedy");
    EXPECT_EQ(sample(sampler.get(), {1, 3, 2, 3}), 1);
    EXPECT_EQ(sample(sampler.get(), {-infinity, -5}), 1);
    EXPECT_EQ(sample(sampler.get(), {7}), 0);
    // Long enough for the ways that read a row in blocks.
    std::vector<float> logits(1000, -1);
    for (const std::size_t best : {999U, 998U, 640U, 639U, 128U, 127U, 1U, 0U}) {
        logits[best] = 2;
        EXPECT_EQ(sample(sampler.get(), logits), static_cast<mullama_token_t>(best));
    }
}

TEST(Sampler, AChainWithoutSelectorTakesTheLikeliest) {
    const SamplerHandle empty = new_sampler();
    EXPECT_EQ(sample(empty.get(), {1, 3, 2, 3}), 1);
    const SamplerHandle sampler = new_sampler();
    set_int(sampler.get(), add_stage(sampler.get(), "top_k"), "k", 2);
    add_stage(sampler.get(), "temperature");
    EXPECT_EQ(sample(sampler.get(), {1, 3, 4, 2}), 2);
}

TEST(Sampler, TopKKeepsTheLikeliest) {
    Chain chain("top_k");
    set_int(chain.sampler.get(), chain.stage, "k", 2);
    chain.select();
    const std::vector<float> logits = logits_of({0.1, 0.4, 0.2, 0.3});
    expect_distribution(chain.sampler.get(), logits, {0, 4.0 / 7, 0, 3.0 / 7});
    for (const std::int64_t all : {0, -1, 4, 5, 1000000}) {
        set_int(chain.sampler.get(), chain.stage, "k", all);
        expect_distribution(chain.sampler.get(), logits, {0.1, 0.4, 0.2, 0.3});
    }
}

TEST(Sampler, TopPKeepsTheFewestThatReachIt) {
    Chain chain("top_p");
    set_float(chain.sampler.get(), chain.stage, "p", 0.6);
    chain.select();
    const std::vector<float> logits = logits_of({0.1, 0.4, 0.2, 0.3});
    expect_distribution(chain.sampler.get(), logits, {0, 4.0 / 7, 0, 3.0 / 7});
    // Nothing reaches 0 sooner than the first.
    set_float(chain.sampler.get(), chain.stage, "p", 0);
    expect_distribution(chain.sampler.get(), logits, {0, 1, 0, 0});
    set_int(chain.sampler.get(), chain.stage, "min_keep", 3);
    expect_distribution(chain.sampler.get(), logits, {0, 4.0 / 9, 2.0 / 9, 3.0 / 9});
    set_float(chain.sampler.get(), chain.stage, "p", 1);
    expect_distribution(chain.sampler.get(), logits, {0.1, 0.4, 0.2, 0.3});
}

// The way for long rows: it sorts no more of them than it must.
TEST(Sampler, TopPOverALongRow) {
    Chain chain("top_p");
    set_float(chain.sampler.get(), chain.stage, "p", 0.9);
    chain.select();
    // Two tokens with a half and a quarter, and 5000 that share the rest: 0.9 takes 3000 of those.
    std::vector<double> probabilities(5002, 0.25 / 5000);
    probabilities[17] = 0.5;
    probabilities[4711] = 0.25;
    const std::vector<float> logits = logits_of(probabilities);
    std::set<mullama_token_t> seen;
    int large = 0;
    constexpr int draws = 6000;
    for (int i = 0; i < draws; ++i) {
        const mullama_token_t token = sample(chain.sampler.get(), logits);
        seen.insert(token);
        large += token == 17 || token == 4711 ? 1 : 0;
    }
    EXPECT_NEAR(large, draws * (0.75 / 0.9), 5 * std::sqrt(draws * 0.14));
    // A thousand draws of 3000, some of them twice.
    EXPECT_LE(seen.size(), 1200U);
    EXPECT_GE(seen.size(), 600U);
}

TEST(Sampler, MinPKeepsWhatIsLikelyBesideTheLikeliest) {
    Chain chain("min_p");
    // 0.3 of 0.4 is 0.12: out goes 0.1.
    set_float(chain.sampler.get(), chain.stage, "p", 0.3);
    chain.select();
    const std::vector<float> logits = logits_of({0.1, 0.4, 0.2, 0.3});
    expect_distribution(chain.sampler.get(), logits, {0, 4.0 / 9, 2.0 / 9, 3.0 / 9});
    set_float(chain.sampler.get(), chain.stage, "p", 1);
    expect_distribution(chain.sampler.get(), logits, {0, 1, 0, 0});
    set_int(chain.sampler.get(), chain.stage, "min_keep", 2);
    expect_distribution(chain.sampler.get(), logits, {0, 4.0 / 7, 0, 3.0 / 7});
    set_float(chain.sampler.get(), chain.stage, "p", 0);
    expect_distribution(chain.sampler.get(), logits, {0.1, 0.4, 0.2, 0.3});
}

TEST(Sampler, TemperatureIsAPower) {
    Chain chain("temperature");
    set_float(chain.sampler.get(), chain.stage, "t", 0.5);
    chain.select();
    // At a half, weights are squares: 0.25, 0.09, 0.04.
    const std::vector<float> logits = logits_of({0.5, 0.3, 0.2});
    expect_distribution(chain.sampler.get(), logits, {0.25 / 0.38, 0.09 / 0.38, 0.04 / 0.38});
    set_float(chain.sampler.get(), chain.stage, "t", 2);
    const double sum = std::sqrt(0.5) + std::sqrt(0.3) + std::sqrt(0.2);
    expect_distribution(chain.sampler.get(), logits,
                        {std::sqrt(0.5) / sum, std::sqrt(0.3) / sum, std::sqrt(0.2) / sum});
    set_float(chain.sampler.get(), chain.stage, "t", 1);
    expect_distribution(chain.sampler.get(), logits, {0.5, 0.3, 0.2});
}

TEST(Sampler, TemperatureZeroIsGreedy) {
    for (const double t : {0.0, 1e-300, 1e-30}) {
        Chain chain("temperature");
        set_float(chain.sampler.get(), chain.stage, "t", t);
        chain.select();
        expect_distribution(chain.sampler.get(), {1, 3, 2, 3}, {0, 1, 0, 0});
    }
}

TEST(Sampler, DynamicTemperatureFollowsTheEntropy) {
    Chain chain("temperature");
    mullama_sampler_t *const sampler = chain.sampler.get();
    set_float(sampler, chain.stage, "t", 1);
    set_float(sampler, chain.stage, "range", 0.5);
    set_float(sampler, chain.stage, "exponent", 2);
    chain.select();
    const std::vector<double> p{0.7, 0.2, 0.1};
    double entropy = 0;
    for (const double one : p)
        entropy -= one * std::log(one);
    const double t = 0.5 + std::pow(entropy / std::log(3.0), 2);
    double sum = 0;
    for (const double one : p)
        sum += std::pow(one, 1 / t);
    expect_distribution(
        sampler, logits_of(p),
        {std::pow(0.7, 1 / t) / sum, std::pow(0.2, 1 / t) / sum, std::pow(0.1, 1 / t) / sum});
}

TEST(Sampler, TypicalKeepsWhatSurprisesAsExpected) {
    Chain chain("typical");
    mullama_sampler_t *const sampler = chain.sampler.get();
    chain.select();
    // The entropy is 1.28; surprises are 0.92, 1.20, 1.61, 2.30: nearest are 0.3, 0.2, 0.4, 0.1.
    const std::vector<float> logits = logits_of({0.1, 0.4, 0.2, 0.3});
    set_float(sampler, chain.stage, "p", 0.2);
    expect_distribution(sampler, logits, {0, 0, 0, 1});
    set_float(sampler, chain.stage, "p", 0.35);
    expect_distribution(sampler, logits, {0, 0, 0.4, 0.6});
    set_int(sampler, chain.stage, "min_keep", 3);
    expect_distribution(sampler, logits, {0, 4.0 / 9, 2.0 / 9, 3.0 / 9});
    set_float(sampler, chain.stage, "p", 1);
    expect_distribution(sampler, logits, {0.1, 0.4, 0.2, 0.3});
    // What is ruled out is not typical.
    set_float(sampler, chain.stage, "p", 0.99);
    expect_distribution(sampler, {-infinity, 0, 0}, {0, 0.5, 0.5});
}

TEST(Sampler, TailFreeCutsWhereTheCurveIsFlat) {
    Chain chain("tail_free");
    mullama_sampler_t *const sampler = chain.sampler.get();
    chain.select();
    // Sorted 0.5, 0.3, 0.15, 0.05: slopes 0.2, 0.15, 0.1, bends 0.05, 0.05, a half each.
    const std::vector<float> logits = logits_of({0.15, 0.5, 0.05, 0.3});
    set_float(sampler, chain.stage, "z", 0.75);
    expect_distribution(sampler, logits, {0, 1, 0, 0});
    set_int(sampler, chain.stage, "min_keep", 2);
    expect_distribution(sampler, logits, {0.15, 0.5, 0.05, 0.3});
    set_int(sampler, chain.stage, "min_keep", 0);
    set_float(sampler, chain.stage, "z", 0.25);
    expect_distribution(sampler, logits, {0, 1, 0, 0});
    set_float(sampler, chain.stage, "z", 1);
    expect_distribution(sampler, logits, {0.15, 0.5, 0.05, 0.3});
}

TEST(Sampler, TopNSigmaKeepsWhatIsNearTheGreatest) {
    Chain chain("top_n_sigma");
    mullama_sampler_t *const sampler = chain.sampler.get();
    chain.select();
    // Mean 2, standard deviation 1.58 without the one that is ruled out.
    const std::vector<float> logits{0, 4, -infinity, 3, 1};
    const double e = std::exp(1.0);
    set_float(sampler, chain.stage, "n", 1);
    expect_distribution(sampler, logits, {0, e / (1 + e), 0, 1 / (1 + e), 0});
    set_float(sampler, chain.stage, "n", 0.5);
    expect_distribution(sampler, logits, {0, 1, 0, 0, 0});
    const double sum = 1 + std::exp(4) + std::exp(3) + e;
    set_float(sampler, chain.stage, "n", 0);
    expect_distribution(sampler, logits,
                        {1 / sum, std::exp(4) / sum, 0, std::exp(3) / sum, e / sum});
}

TEST(Sampler, XtcLeavesTheLastOfTheLikely) {
    Chain chain("xtc");
    mullama_sampler_t *const sampler = chain.sampler.get();
    set_float(sampler, chain.stage, "probability", 1);
    set_float(sampler, chain.stage, "threshold", 0.25);
    chain.select();
    const std::vector<float> logits = logits_of({0.1, 0.4, 0.2, 0.3});
    expect_distribution(sampler, logits, {1.0 / 6, 0, 2.0 / 6, 3.0 / 6});
    set_int(sampler, chain.stage, "min_keep", 4);
    expect_distribution(sampler, logits, {0.1, 0.4, 0.2, 0.3});
    set_int(sampler, chain.stage, "min_keep", 0);
    set_float(sampler, chain.stage, "probability", 0.5);
    set_int(sampler, chain.stage, "seed", 5);
    expect_distribution(sampler, logits,
                        {(0.1 + 1.0 / 6) / 2, 0.2, (0.2 + 2.0 / 6) / 2, (0.3 + 0.5) / 2});
}

// However the logits look, the surprise comes to be what was asked for.
TEST(Sampler, MirostatHoldsTheSurprise) {
    for (const std::string_view name : {"mirostat", "mirostat_v2"}) {
        const SamplerHandle sampler = new_sampler();
        const std::size_t stage = add_stage(sampler.get(), name);
        set_float(sampler.get(), stage, "tau", 3);
        set_float(sampler.get(), stage, "eta", 0.05);
        set_int(sampler.get(), stage, "seed", 11);
        // Zipf's law, which the first version is made for.
        std::vector<float> logits;
        for (int i = 0; i < 2000; ++i)
            logits.push_back(-std::log(static_cast<float>(i + 1)));
        double surprise = 0;
        constexpr int steps = 4000;
        std::vector<double> counts(logits.size());
        for (int i = 0; i < steps; ++i)
            ++counts[static_cast<std::size_t>(sample(sampler.get(), logits))];
        for (const double count : counts)
            surprise -= count > 0 ? count / steps * std::log2(count / steps) : 0;
        EXPECT_NEAR(surprise, 3, 0.5) << name;
    }
}

TEST(Sampler, AdaptivePPrefersWhatIsAsLikelyAsItsTarget) {
    const SamplerHandle sampler = new_sampler();
    const std::size_t stage = add_stage(sampler.get(), "adaptive_p");
    set_int(sampler.get(), stage, "seed", 3);
    const std::vector<float> logits = logits_of({0.1, 0.4, 0.2, 0.3});
    expect_distribution(sampler.get(), logits, {0.1, 0.4, 0.2, 0.3});
    set_float(sampler.get(), stage, "target", 0.2);
    // Each draw the first: then the target is as it was given.
    const std::vector<double> p{0.1, 0.4, 0.2, 0.3};
    std::vector<double> expected;
    double sum = 0;
    for (const double one : p) {
        const double distance = std::abs(one - 0.2) / 0.3;
        expected.push_back(std::exp(-10 * distance * distance / (1 + distance)));
        sum += expected.back();
    }
    for (double &one : expected)
        one /= sum;
    set_float(sampler.get(), stage, "decay", 0);
    std::vector<double> counts(4);
    constexpr int draws = 20000;
    for (int i = 0; i < draws; ++i) {
        set_int(sampler.get(), stage, "seed", i);
        ++counts[static_cast<std::size_t>(sample(sampler.get(), logits))];
    }
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_NEAR(counts[i] / draws, expected[i], 0.02) << i;
}

TEST(Sampler, PenaltiesAreForTheLastTokens) {
    Chain chain("penalties");
    mullama_sampler_t *const sampler = chain.sampler.get();
    set_int(sampler, chain.stage, "last_n", 3);
    chain.select();
    // Whatever was selected, the last three tokens are 0, 0, 1 again before the next draw.
    const auto history = [&] {
        for (const mullama_token_t token : {0, 0, 1})
            ASSERT_OK(mullama_sampler_accept(sampler, token));
    };
    // Weights 1, e, 1/e^2, e^3.
    const std::vector<float> logits{0, 1, -2, 3};
    const auto expect_weights = [&](const std::array<double, 4> &exponents) {
        double sum = 0;
        for (const double exponent : exponents)
            sum += std::exp(exponent);
        std::vector<double> expected;
        for (const double exponent : exponents)
            expected.push_back(std::exp(exponent) / sum);
        expect_distribution(sampler, logits, expected, history);
    };
    expect_weights({0, 1, -2, 3});
    set_float(sampler, chain.stage, "frequency", 0.5);
    expect_weights({-1, 0.5, -2, 3});
    set_float(sampler, chain.stage, "presence", 0.25);
    expect_weights({-1.25, 0.25, -2, 3});
    set_float(sampler, chain.stage, "frequency", 0);
    set_float(sampler, chain.stage, "presence", 0);
    set_float(sampler, chain.stage, "repeat", 2);
    expect_weights({0, 0.5, -2, 3});
    // A logit below 0 is multiplied.
    set_int(sampler, chain.stage, "last_n", 1);
    const auto negative = [&] { ASSERT_OK(mullama_sampler_accept(sampler, 2)); };
    const double sum = std::exp(0) + std::exp(1) + std::exp(-4) + std::exp(3);
    expect_distribution(
        sampler, logits,
        {std::exp(0) / sum, std::exp(1) / sum, std::exp(-4) / sum, std::exp(3) / sum}, negative);
    set_int(sampler, chain.stage, "last_n", 0);
    const double plain = std::exp(0) + std::exp(1) + std::exp(-2) + std::exp(3);
    expect_distribution(
        sampler, logits,
        {std::exp(0) / plain, std::exp(1) / plain, std::exp(-2) / plain, std::exp(3) / plain},
        negative);
}

TEST(Sampler, PenaltiesCanRememberEverything) {
    const SamplerHandle sampler = new_sampler();
    const std::size_t stage = add_stage(sampler.get(), "penalties");
    set_int(sampler.get(), stage, "last_n", -1);
    set_float(sampler.get(), stage, "presence", 10);
    // Each token is the likeliest once, as long ago as it may be.
    std::vector<float> logits(3000);
    for (std::size_t i = 0; i < logits.size(); ++i)
        logits[i] = 5 - static_cast<float>(i) * 0.001F;
    for (mullama_token_t i = 0; i < 3000; ++i)
        ASSERT_EQ(sample(sampler.get(), logits), i);
    ASSERT_OK(mullama_sampler_reset(sampler.get()));
    EXPECT_EQ(sample(sampler.get(), logits), 0);
}

// Stages that cut and sort come before one that looks for its tokens in what is left.
TEST(Sampler, PenaltiesAfterTruncation) {
    const SamplerHandle sampler = new_sampler();
    set_int(sampler.get(), add_stage(sampler.get(), "top_k"), "k", 2);
    const std::size_t stage = add_stage(sampler.get(), "penalties");
    set_float(sampler.get(), stage, "presence", 2);
    ASSERT_OK(mullama_sampler_accept(sampler.get(), 3));
    ASSERT_OK(mullama_sampler_accept(sampler.get(), 1000000));
    // 3 is cut down to 1 below 2; what top_k left out stays out.
    EXPECT_EQ(sample(sampler.get(), {0, 1.5F, 2, 3}), 2);
}

TEST(Sampler, EqualSeedsGiveEqualTokens) {
    const std::vector<float> logits(100, 0);
    const auto draw = [&](mullama_sampler_t *sampler) {
        std::vector<mullama_token_t> tokens;
        for (int i = 0; i < 50; ++i)
            tokens.push_back(sample(sampler, logits));
        return tokens;
    };
    const SamplerHandle first = new_sampler();
    set_int(first.get(), add_stage(first.get(), "dist"), "seed", 99);
    const auto tokens = draw(first.get());
    ASSERT_OK(mullama_sampler_reset(first.get()));
    EXPECT_EQ(draw(first.get()), tokens);

    mullama_sampler_t *copy = nullptr;
    ASSERT_OK(mullama_sampler_clone(first.get(), &copy));
    const SamplerHandle owned(copy);
    EXPECT_EQ(draw(copy), draw(first.get()));

    // Without a seed, each reset starts elsewhere.
    for (const std::int64_t seed : {-1LL, 4294967295LL}) {
        set_int(first.get(), 0, "seed", seed);
        const auto random = draw(first.get());
        ASSERT_OK(mullama_sampler_reset(first.get()));
        EXPECT_NE(draw(first.get()), random);
    }
}

TEST(Sampler, TheUsualChain) {
    mullama_sampler_t *sampler = nullptr;
    ASSERT_OK(mullama_sampler_new_default(&sampler));
    const SamplerHandle owned(sampler);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < mullama_sampler_count(sampler); ++i)
        names.emplace_back(mullama_sampler_stage_name(sampler, i));
    EXPECT_EQ(names, (std::vector<std::string>{"penalties", "top_k", "top_p", "min_p",
                                               "temperature", "dist"}));
    EXPECT_EQ(mullama_sampler_stage_name(sampler, 6), nullptr);
    EXPECT_EQ(mullama_sampler_stage_name(nullptr, 0), nullptr);
    EXPECT_EQ(mullama_sampler_count(nullptr), 0U);
}

TEST(Sampler, TheTableIsComplete) {
    ASSERT_GE(mullama_sampler_stage_count(), 7U);
    const ModelHandle model = echo_model();
    std::set<std::string> names;
    for (std::size_t row = 0; row < mullama_sampler_stage_count(); ++row) {
        mullama_stage_info_t stage;
        mullama_stage_info_init(&stage, sizeof stage);
        ASSERT_OK(mullama_sampler_get_stage(row, &stage));
        EXPECT_TRUE(names.insert(stage.name).second) << stage.name;
        EXPECT_GT(std::strlen(stage.description), 20U);
        const SamplerHandle sampler = new_sampler();
        const std::size_t added = add_stage(sampler.get(), stage.name);
        EXPECT_STREQ(mullama_sampler_stage_name(sampler.get(), added), stage.name);
        for (std::size_t i = 0; i < stage.parameter_count; ++i) {
            mullama_parameter_info_t parameter;
            mullama_parameter_info_init(&parameter, sizeof parameter);
            ASSERT_OK(mullama_sampler_get_parameter(row, i, &parameter));
            SCOPED_TRACE(std::string(stage.name) + "." + parameter.name);
            EXPECT_GT(std::strlen(parameter.description), 10U);
            EXPECT_GT(std::strlen(parameter.setting), 0U);
            const std::string_view name = parameter.name;
            if (parameter.type >= MULLAMA_PARAMETER_TEXT) {
                EXPECT_LT(parameter.min_value, parameter.max_value);
                EXPECT_REFUSED(
                    mullama_sampler_set_int(sampler.get(), added, name.data(), name.size(), 0),
                    MULLAMA_ERROR_INVALID_ARGUMENT, name);
                continue;
            }
            EXPECT_LE(parameter.min_value, parameter.default_value);
            EXPECT_LE(parameter.default_value, parameter.max_value);
            for (const double value : {parameter.min_value, parameter.max_value}) {
                if (parameter.type == MULLAMA_PARAMETER_INT)
                    set_int(sampler.get(), added, name, static_cast<std::int64_t>(value));
                else if (parameter.type == MULLAMA_PARAMETER_FLOAT)
                    set_float(sampler.get(), added, name, value);
            }
            if (parameter.type == MULLAMA_PARAMETER_INT) {
                const auto least = static_cast<std::int64_t>(parameter.min_value);
                EXPECT_REFUSED(mullama_sampler_set_int(sampler.get(), added, name.data(),
                                                       name.size(), least - 1),
                               MULLAMA_ERROR_OUT_OF_RANGE, name);
                EXPECT_REFUSED(
                    mullama_sampler_set_float(sampler.get(), added, name.data(), name.size(), 0.5),
                    MULLAMA_ERROR_INVALID_ARGUMENT, name);
            } else {
                EXPECT_REFUSED(mullama_sampler_set_float(sampler.get(), added, name.data(),
                                                         name.size(), parameter.max_value + 1),
                               MULLAMA_ERROR_OUT_OF_RANGE, name);
                EXPECT_REFUSED(
                    mullama_sampler_set_float(sampler.get(), added, name.data(), name.size(), nan),
                    MULLAMA_ERROR_INVALID_ARGUMENT, name);
                EXPECT_REFUSED(
                    mullama_sampler_set_int(sampler.get(), added, name.data(), name.size(), 0),
                    MULLAMA_ERROR_INVALID_ARGUMENT, name);
            }
            EXPECT_REFUSED(
                mullama_sampler_set_bool(sampler.get(), added, name.data(), name.size(), true),
                MULLAMA_ERROR_INVALID_ARGUMENT, name);
        }
        // With every parameter at its greatest, it still gives a token.
        if (stage.needs_model) {
            ASSERT_OK(mullama_sampler_set_model(sampler.get(), model.get()));
        }
        EXPECT_GE(sample(sampler.get(), {1, 2, 3}), 0);

        mullama_parameter_info_t parameter;
        mullama_parameter_info_init(&parameter, sizeof parameter);
        EXPECT_REFUSED(mullama_sampler_get_parameter(row, stage.parameter_count, &parameter),
                       MULLAMA_ERROR_OUT_OF_RANGE, "parameter");
    }
}

TEST(Sampler, ExtremesStayNumbers) {
    const SamplerHandle sampler = new_sampler();
    const std::size_t penalties = add_stage(sampler.get(), "penalties");
    set_float(sampler.get(), penalties, "repeat", 0.01);
    add_stage(sampler.get(), "top_p");
    set_float(sampler.get(), add_stage(sampler.get(), "temperature"), "t", 1e-19);
    add_stage(sampler.get(), "dist");
    constexpr float huge = std::numeric_limits<float>::max();
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(sample(sampler.get(), {-huge, 0, huge, huge / 2}), 2);
        EXPECT_GE(sample(sampler.get(), {-huge, -huge, -huge, -huge}), 0);
    }
}

TEST(Sampler, RefusesLogitsThatAreNone) {
    const SamplerHandle sampler = new_sampler();
    mullama_token_t token = 42;
    const auto refuse = [&](std::vector<float> logits, std::int64_t offset) {
        EXPECT_REFUSED(mullama_sampler_sample(sampler.get(), logits.data(), logits.size(), &token),
                       MULLAMA_ERROR_INVALID_ARGUMENT, "logits", offset);
    };
    for (const float bad : {nan, infinity}) {
        for (const std::size_t place : {0U, 1U, 63U, 64U, 127U, 199U}) {
            std::vector<float> logits(200, 1);
            logits[place] = bad;
            refuse(logits, static_cast<std::int64_t>(place));
        }
        refuse({bad}, 0);
    }
    refuse({-infinity, -infinity}, -1);
    refuse(std::vector<float>(200, -infinity), -1);
    const float logit = 0;
    EXPECT_REFUSED(mullama_sampler_sample(sampler.get(), &logit, 0, &token),
                   MULLAMA_ERROR_OUT_OF_RANGE, "count");
    EXPECT_REFUSED(mullama_sampler_sample(sampler.get(), &logit, std::size_t{1} << 31U, &token),
                   MULLAMA_ERROR_OUT_OF_RANGE, "count");
    EXPECT_REFUSED(mullama_sampler_sample(sampler.get(), nullptr, 1, &token),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "logits");
    EXPECT_REFUSED(mullama_sampler_sample(sampler.get(), &logit, 1, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "token");
    EXPECT_EQ(token, 42);
    // A refusal leaves the chain as it was.
    EXPECT_EQ(sample(sampler.get(), {0, 1}), 1);
}

TEST(Sampler, RefusesWrongStagesAndParameters) {
    const SamplerHandle sampler = new_sampler();
    std::size_t stage = 42;
    EXPECT_REFUSED(mullama_sampler_add(sampler.get(), "topk", 4, &stage), MULLAMA_ERROR_NOT_FOUND,
                   "name", std::nullopt, "top_k");
    EXPECT_REFUSED(mullama_sampler_add(sampler.get(), nullptr, 0, &stage), MULLAMA_ERROR_NOT_FOUND,
                   "name");
    EXPECT_REFUSED(mullama_sampler_add(sampler.get(), nullptr, 3, &stage),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "name");
    EXPECT_EQ(stage, 42U);
    EXPECT_REFUSED(mullama_sampler_set_int(sampler.get(), 0, "k", 1, 1), MULLAMA_ERROR_OUT_OF_RANGE,
                   "stage");
    add_stage(sampler.get(), "top_k");
    EXPECT_REFUSED(mullama_sampler_set_int(sampler.get(), 0, "p", 1, 1), MULLAMA_ERROR_NOT_FOUND,
                   "parameter", std::nullopt, "it has: k");
    EXPECT_REFUSED(mullama_sampler_set_int(sampler.get(), 1, "k", 1, 1), MULLAMA_ERROR_OUT_OF_RANGE,
                   "stage");
    add_stage(sampler.get(), "greedy");
    EXPECT_REFUSED(mullama_sampler_add(sampler.get(), "top_k", 5, &stage),
                   MULLAMA_ERROR_INVALID_STATE, "name", std::nullopt, "greedy");
    EXPECT_EQ(mullama_sampler_count(sampler.get()), 2U);
    EXPECT_REFUSED(mullama_sampler_accept(sampler.get(), -1), MULLAMA_ERROR_OUT_OF_RANGE, "token");
}

TEST(Sampler, RefusesNull) {
    mullama_token_t token = 0;
    const float logit = 0;
    mullama_sampler_t *out = nullptr;
    const auto refuse = [](mullama_error_t *error, std::string_view parameter) {
        EXPECT_REFUSED(error, MULLAMA_ERROR_INVALID_ARGUMENT, parameter);
    };
    refuse(mullama_sampler_new(nullptr), "out");
    refuse(mullama_sampler_new_default(nullptr), "out");
    refuse(mullama_sampler_clone(nullptr, &out), "sampler");
    refuse(mullama_sampler_add(nullptr, "dist", 4, nullptr), "sampler");
    refuse(mullama_sampler_set_int(nullptr, 0, "k", 1, 1), "sampler");
    refuse(mullama_sampler_sample(nullptr, &logit, 1, &token), "sampler");
    refuse(mullama_sampler_sample_context(nullptr, nullptr, -1, &token), "sampler");
    refuse(mullama_sampler_accept(nullptr, 0), "sampler");
    refuse(mullama_sampler_reset(nullptr), "sampler");
    refuse(mullama_sampler_get_stage(0, nullptr), "info");
    refuse(mullama_sampler_get_parameter(0, 0, nullptr), "info");
    const SamplerHandle sampler = new_sampler();
    refuse(mullama_sampler_clone(sampler.get(), nullptr), "out");
    refuse(mullama_sampler_sample_context(sampler.get(), nullptr, -1, &token), "context");
    mullama_stage_info_t info;
    mullama_stage_info_init(&info, sizeof info);
    EXPECT_REFUSED(mullama_sampler_get_stage(mullama_sampler_stage_count(), &info),
                   MULLAMA_ERROR_OUT_OF_RANGE, "row");
    mullama_sampler_free(nullptr);
}

TEST(Sampler, SamplesWhatAContextHolds) {
    const ModelHandle model = echo_model();
    const ContextHandle context = new_context(model.get());
    const SamplerHandle sampler = new_sampler();
    mullama_token_t token = 42;
    EXPECT_REFUSED(mullama_sampler_sample_context(sampler.get(), context.get(), -1, &token),
                   MULLAMA_ERROR_INVALID_STATE, "index");
    EXPECT_EQ(token, 42);
    const std::vector<mullama_token_t> prompt = tokenize(model.get(), "hi");
    ASSERT_OK(mullama_context_prefill(context.get(), 0, prompt.data(), prompt.size(),
                                      MULLAMA_OUTPUT_LAST));
    ASSERT_OK(mullama_sampler_sample_context(sampler.get(), context.get(), -1, &token));
    EXPECT_EQ(token, 'h');
}

} // namespace

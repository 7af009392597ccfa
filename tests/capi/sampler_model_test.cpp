// Stages that work on a model's vocabulary, over the bytes of the echo engine: distributions worked
// out by hand.
#include <cmath>
#include <string>
#include <vector>

#include "support/context.hpp"

namespace {

using namespace mullama::test;

// Logits of 0 but for one token each.
std::vector<float> flat(const ModelHandle &model) {
    mullama_model_info_t info;
    mullama_model_info_init(&info, sizeof info);
    EXPECT_OK(mullama_model_get_info(model.get(), &info));
    return std::vector<float>(static_cast<std::size_t>(info.n_vocab), 0);
}

void accept(const SamplerHandle &sampler, const ModelHandle &model, std::string_view text) {
    for (const mullama_token_t token : tokenize(model.get(), text, false))
        ASSERT_OK(mullama_sampler_accept(sampler.get(), token));
}

// What a chain makes of logits, token by token.
std::vector<float> applied(const SamplerHandle &sampler, const std::vector<float> &logits) {
    mullama_candidates_t *made = nullptr;
    EXPECT_OK(mullama_candidates_new(&made));
    const std::unique_ptr<mullama_candidates_t, Deleter<mullama_candidates_free>> owned(made);
    EXPECT_OK(mullama_candidates_set_logits(made, logits.data(), logits.size()));
    EXPECT_OK(mullama_sampler_apply(sampler.get(), made));
    const mullama_candidate_t *list = nullptr;
    std::size_t count = 0;
    EXPECT_OK(mullama_candidates_list(made, &list, &count));
    std::vector<float> result(logits.size(), -1000);
    for (std::size_t i = 0; i < count; ++i)
        result[static_cast<std::size_t>(list[i].id)] = list[i].logit;
    return result;
}

struct Dry {
    Dry() : stage(add_stage(sampler.get(), "dry")) {
        set_float(sampler.get(), stage, "multiplier", 2);
        set_float(sampler.get(), stage, "base", 3);
        set_int(sampler.get(), stage, "allowed_length", 2);
        EXPECT_OK(mullama_sampler_set_model(sampler.get(), model.get()));
    }

    ModelHandle model = echo_model();
    SamplerHandle sampler = new_sampler();
    std::size_t stage;
};

TEST(Dry, PunishesWhatProlongsARepetition) {
    Dry dry;
    // "abc" came before, and 'c' came after it, 'b' after "c", 'y' after "bc".
    accept(dry.sampler, dry.model, "abccbcyabc");
    const std::vector<float> logits = applied(dry.sampler, flat(dry.model));
    EXPECT_FLOAT_EQ(logits['c'], -2 * 3); // length 3: 2 * 3 ^ (3 - 2)
    EXPECT_FLOAT_EQ(logits['y'], -2);     // length 2: 2 * 3 ^ 0
    EXPECT_FLOAT_EQ(logits['b'], 0);      // length 1: allowed
    EXPECT_FLOAT_EQ(logits['a'], 0);
    ASSERT_OK(mullama_sampler_reset(dry.sampler.get()));
    EXPECT_EQ(applied(dry.sampler, flat(dry.model)), flat(dry.model));
}

TEST(Dry, RepetitionsEndAtBreakers) {
    Dry dry;
    // Only "bc" lies behind the breaker; ':' itself is never punished.
    accept(dry.sampler, dry.model, "a:bcxa:bcya:bc");
    std::vector<float> logits = applied(dry.sampler, flat(dry.model));
    EXPECT_FLOAT_EQ(logits['x'], -2);
    EXPECT_FLOAT_EQ(logits['y'], -2);
    ASSERT_OK(mullama_sampler_reset(dry.sampler.get()));
    accept(dry.sampler, dry.model, "abc:abc");
    logits = applied(dry.sampler, flat(dry.model));
    EXPECT_FLOAT_EQ(logits[':'], 0);
    // Without breakers both count.
    ASSERT_OK(mullama_sampler_set_texts(dry.sampler.get(), dry.stage, "sequence_breakers", 17,
                                        nullptr, nullptr, 0));
    accept(dry.sampler, dry.model, "abc:abc");
    logits = applied(dry.sampler, flat(dry.model));
    EXPECT_FLOAT_EQ(logits[':'], -6);
    ASSERT_OK(mullama_sampler_reset(dry.sampler.get()));
    accept(dry.sampler, dry.model, "a:bcxa:bcya:bc");
    logits = applied(dry.sampler, flat(dry.model));
    EXPECT_FLOAT_EQ(logits['y'], -2 * 9); // "a:bc"
}

TEST(Dry, BreakersOfSeveralTokensCount) {
    Dry dry;
    const char *const breaker = "--";
    ASSERT_OK(mullama_sampler_set_texts(dry.sampler.get(), dry.stage, "sequence_breakers", 17,
                                        &breaker, nullptr, 1));
    accept(dry.sampler, dry.model, "k--abx k--ab");
    const std::vector<float> logits = applied(dry.sampler, flat(dry.model));
    EXPECT_FLOAT_EQ(logits['x'], -2); // "ab" only
}

TEST(Dry, LooksBackAsFarAsItIsTold) {
    Dry dry;
    set_int(dry.sampler.get(), dry.stage, "last_n", 5);
    accept(dry.sampler, dry.model, "abcd....abc");
    EXPECT_EQ(applied(dry.sampler, flat(dry.model)), flat(dry.model));
    set_int(dry.sampler.get(), dry.stage, "last_n", -1);
    // Far longer than any window that it keeps.
    accept(dry.sampler, dry.model, "abcd" + std::string(9000, '.') + "abc");
    EXPECT_FLOAT_EQ(applied(dry.sampler, flat(dry.model))['d'], -6);
    set_int(dry.sampler.get(), dry.stage, "last_n", 0);
    accept(dry.sampler, dry.model, "abcdabc");
    EXPECT_EQ(applied(dry.sampler, flat(dry.model)), flat(dry.model));
}

TEST(Dry, TheLongestRepetitionStaysFinite) {
    Dry dry;
    set_int(dry.sampler.get(), dry.stage, "last_n", -1);
    set_float(dry.sampler.get(), dry.stage, "multiplier", 1000);
    accept(dry.sampler, dry.model, std::string(2000, 'a'));
    const float logit = applied(dry.sampler, flat(dry.model))['a'];
    EXPECT_TRUE(std::isfinite(logit));
    EXPECT_LT(logit, -1e30F);
}

TEST(SamplerModel, IsAskedForAndAdopted) {
    const ModelHandle model = echo_model();
    const SamplerHandle sampler = new_sampler();
    const std::size_t stage = add_stage(sampler.get(), "dry");
    set_float(sampler.get(), stage, "multiplier", 5);
    set_int(sampler.get(), stage, "allowed_length", 1);
    const std::vector<float> logits = flat(model);
    mullama_token_t token = 42;
    EXPECT_REFUSED(mullama_sampler_sample(sampler.get(), logits.data(), logits.size(), &token),
                   MULLAMA_ERROR_INVALID_STATE, "sampler", std::nullopt, "dry");
    // A context tells the chain of its model.
    const ContextHandle context = new_context(model.get());
    const std::vector<mullama_token_t> prompt = tokenize(model.get(), "hi");
    ASSERT_OK(mullama_context_prefill(context.get(), 0, prompt.data(), prompt.size(),
                                      MULLAMA_OUTPUT_LAST));
    ASSERT_OK(mullama_sampler_sample_context(sampler.get(), context.get(), -1, &token));
    EXPECT_EQ(token, 'h');
    EXPECT_GE(sample(sampler.get(), logits), 0);
    // Another model's tokens are others.
    const ModelHandle other = echo_model();
    const ContextHandle foreign = new_context(other.get());
    ASSERT_OK(mullama_context_prefill(foreign.get(), 0, prompt.data(), prompt.size(),
                                      MULLAMA_OUTPUT_LAST));
    EXPECT_REFUSED(mullama_sampler_sample_context(sampler.get(), foreign.get(), -1, &token),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "sampler");
    EXPECT_REFUSED(
        mullama_context_generate(foreign.get(), sampler.get(), "x", 1, nullptr, nullptr, nullptr),
        MULLAMA_ERROR_INVALID_ARGUMENT, "sampler");
    ASSERT_OK(mullama_sampler_set_model(sampler.get(), other.get()));
    ASSERT_OK(mullama_sampler_sample_context(sampler.get(), foreign.get(), -1, &token));
    // Chains without such stages go with any model.
    const SamplerHandle plain = new_sampler();
    ASSERT_OK(mullama_sampler_sample_context(plain.get(), context.get(), -1, &token));
    ASSERT_OK(mullama_sampler_sample_context(plain.get(), foreign.get(), -1, &token));
}

// The model stays as long as a chain works on its vocabulary.
TEST(SamplerModel, IsKept) {
    const SamplerHandle sampler = new_sampler();
    std::vector<float> logits;
    {
        const ModelHandle model = echo_model();
        set_float(sampler.get(), add_stage(sampler.get(), "dry"), "multiplier", 1);
        ASSERT_OK(mullama_sampler_set_model(sampler.get(), model.get()));
        logits = flat(model);
    }
    add_stage(sampler.get(), "infill");
    logits['q'] = 30;
    EXPECT_EQ(sample(sampler.get(), logits), 'q');
}

// Bytes are no beginnings of one another: what is left is a matter of likelihoods.
TEST(Infill, EndsWhatItCannotFill) {
    const ModelHandle model = echo_model();
    const SamplerHandle sampler = new_sampler();
    ASSERT_OK(mullama_sampler_set_model(sampler.get(), model.get()));
    add_stage(sampler.get(), "infill");
    const auto end =
        static_cast<std::size_t>(mullama_model_special_token(model.get(), MULLAMA_SPECIAL_EOT));
    std::vector<float> logits(flat(model).size(), -50);
    // Two likely bytes, 0.6 and 0.4: both stay.
    logits['a'] = std::log(0.6F);
    logits['b'] = std::log(0.4F);
    std::vector<float> left = applied(sampler, logits);
    EXPECT_GT(left['a'], -1000);
    EXPECT_GT(left['b'], -1000);
    EXPECT_EQ(left['c'], -1000);
    // One below 0.2 goes.
    logits['a'] = std::log(0.85F);
    logits['b'] = std::log(0.15F);
    left = applied(sampler, logits);
    EXPECT_GT(left['a'], -1000);
    EXPECT_EQ(left['b'], -1000);
    // An end that is likelier than the text, times three and the number of candidates.
    logits[end] = std::log(0.1F);
    EXPECT_EQ(static_cast<std::size_t>(sample(sampler.get(), logits)), end);
    // No byte likely enough.
    logits.assign(logits.size(), 0);
    logits[end] = -60;
    logits[static_cast<std::size_t>(
        mullama_model_special_token(model.get(), MULLAMA_SPECIAL_EOS))] = -60;
    EXPECT_EQ(static_cast<std::size_t>(sample(sampler.get(), logits)), end);
}

} // namespace

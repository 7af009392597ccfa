// What can be done with a chain besides sampling: stages put in, taken out and found, parameters of
// every type read back, presets.
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "support/context.hpp"

namespace {

using namespace mullama::test;

constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<std::string> names_of(const mullama_sampler_t *sampler) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < mullama_sampler_count(sampler); ++i)
        names.emplace_back(mullama_sampler_stage_name(sampler, i));
    return names;
}

mullama_error_t *insert(const SamplerHandle &sampler, std::size_t index, std::string_view name) {
    return mullama_sampler_insert(sampler.get(), index, name.data(), name.size());
}

std::size_t ensure(const SamplerHandle &sampler, std::string_view name) {
    std::size_t stage = 0;
    EXPECT_OK(mullama_sampler_ensure(sampler.get(), name.data(), name.size(), &stage));
    return stage;
}

double number_of(const SamplerHandle &sampler, std::size_t stage, std::string_view parameter) {
    double value = -12345;
    EXPECT_OK(mullama_sampler_get_number(sampler.get(), stage, parameter.data(), parameter.size(),
                                         &value));
    return value;
}

std::string text_of(const SamplerHandle &sampler, std::size_t stage, std::string_view parameter,
                    std::size_t index) {
    const char *text = nullptr;
    std::size_t size = 0;
    EXPECT_OK(mullama_sampler_get_text(sampler.get(), stage, parameter.data(), parameter.size(),
                                       index, &text, &size));
    EXPECT_EQ(std::strlen(text), size);
    return {text, size};
}

std::size_t count_of(const SamplerHandle &sampler, std::size_t stage, std::string_view parameter) {
    std::size_t count = 0;
    EXPECT_OK(mullama_sampler_value_count(sampler.get(), stage, parameter.data(), parameter.size(),
                                          &count));
    return count;
}

mullama_error_t *set_biases(const SamplerHandle &sampler, std::size_t stage,
                            const std::vector<mullama_token_t> &tokens,
                            const std::vector<float> &biases) {
    return mullama_sampler_set_biases(sampler.get(), stage, "biases", 6, tokens.data(),
                                      biases.data(), tokens.size());
}

SamplerHandle preset(std::string_view name, const mullama_model_t *model = nullptr) {
    mullama_sampler_t *sampler = nullptr;
    EXPECT_OK(mullama_sampler_new_preset(name.data(), name.size(), model, &sampler));
    return SamplerHandle(sampler);
}

TEST(SamplerChain, StagesAreInsertedAnywhereButBehindASelector) {
    const SamplerHandle sampler = new_sampler();
    EXPECT_OK(insert(sampler, 0, "temperature"));
    EXPECT_OK(insert(sampler, 1, "dist"));
    EXPECT_OK(insert(sampler, 0, "top_k"));
    EXPECT_OK(insert(sampler, 1, "min_p"));
    const std::vector<std::string> names{"top_k", "min_p", "temperature", "dist"};
    EXPECT_EQ(names_of(sampler.get()), names);
    EXPECT_REFUSED(insert(sampler, 4, "top_p"), MULLAMA_ERROR_INVALID_STATE, "name", std::nullopt,
                   "dist");
    EXPECT_REFUSED(insert(sampler, 5, "top_p"), MULLAMA_ERROR_OUT_OF_RANGE, "index");
    EXPECT_REFUSED(insert(sampler, 0, "greedy"), MULLAMA_ERROR_INVALID_STATE, "name", std::nullopt,
                   "end of the chain");
    EXPECT_REFUSED(insert(sampler, 0, "nothing"), MULLAMA_ERROR_NOT_FOUND, "name");
    EXPECT_EQ(names_of(sampler.get()), names);
}

TEST(SamplerChain, RemovingAStageLeavesTheOthersTheirState) {
    const SamplerHandle sampler = new_sampler();
    const std::size_t penalties = add_stage(sampler.get(), "penalties");
    set_float(sampler.get(), penalties, "presence", 10);
    add_stage(sampler.get(), "top_k");
    add_stage(sampler.get(), "greedy");
    EXPECT_EQ(sample(sampler.get(), {0, 3, 2, 1}), 1);
    EXPECT_OK(mullama_sampler_remove(sampler.get(), 1));
    EXPECT_EQ(names_of(sampler.get()), (std::vector<std::string>{"penalties", "greedy"}));
    // Token 1 is still remembered.
    EXPECT_EQ(sample(sampler.get(), {0, 3, 2, 1}), 2);
    EXPECT_OK(insert(sampler, 0, "temperature"));
    EXPECT_EQ(sample(sampler.get(), {0, 3, 2, 1}), 3);
    EXPECT_REFUSED(mullama_sampler_remove(sampler.get(), 3), MULLAMA_ERROR_OUT_OF_RANGE, "stage");
    // What selected is gone, so something else may follow.
    EXPECT_OK(mullama_sampler_remove(sampler.get(), 2));
    EXPECT_EQ(add_stage(sampler.get(), "min_p"), 2U);
}

TEST(SamplerChain, EnsureFindsAStageOrPutsItWhereTheTableHasIt) {
    mullama_sampler_t *usual = nullptr;
    ASSERT_OK(mullama_sampler_new_default(&usual));
    const SamplerHandle sampler(usual);
    EXPECT_EQ(ensure(sampler, "top_p"), 2U);
    EXPECT_EQ(names_of(usual), (std::vector<std::string>{"penalties", "top_k", "top_p", "min_p",
                                                         "temperature", "dist"}));
    EXPECT_EQ(ensure(sampler, "logit_bias"), 0U);
    EXPECT_EQ(ensure(sampler, "xtc"), 5U);
    EXPECT_EQ(ensure(sampler, "dry"), 2U);
    EXPECT_EQ(ensure(sampler, "mirostat"), 8U);
    EXPECT_EQ(names_of(usual),
              (std::vector<std::string>{"logit_bias", "penalties", "dry", "top_k", "top_p", "min_p",
                                        "xtc", "temperature", "mirostat"}));
    std::size_t stage = 42;
    EXPECT_REFUSED(mullama_sampler_ensure(usual, "x", 1, &stage), MULLAMA_ERROR_NOT_FOUND, "name");
    EXPECT_EQ(stage, 42U);
    const SamplerHandle empty = new_sampler();
    EXPECT_EQ(ensure(empty, "dist"), 0U);
    EXPECT_EQ(ensure(empty, "top_k"), 0U);
}

// Every stage of the table, its defaults as the table says.
TEST(SamplerChain, ParametersReadBackAsTheyWereSet) {
    for (std::size_t row = 0; row < mullama_sampler_stage_count(); ++row) {
        mullama_stage_info_t info;
        mullama_stage_info_init(&info, sizeof info);
        ASSERT_OK(mullama_sampler_get_stage(row, &info));
        const SamplerHandle sampler = new_sampler();
        const std::size_t stage = add_stage(sampler.get(), info.name);
        for (std::size_t i = 0; i < info.parameter_count; ++i) {
            mullama_parameter_info_t parameter;
            mullama_parameter_info_init(&parameter, sizeof parameter);
            ASSERT_OK(mullama_sampler_get_parameter(row, i, &parameter));
            SCOPED_TRACE(std::string(info.name) + "." + parameter.name);
            switch (parameter.type) {
            case MULLAMA_PARAMETER_INT:
                EXPECT_EQ(number_of(sampler, stage, parameter.name), parameter.default_value);
                set_int(sampler.get(), stage, parameter.name,
                        static_cast<std::int64_t>(parameter.max_value));
                EXPECT_EQ(number_of(sampler, stage, parameter.name), parameter.max_value);
                break;
            case MULLAMA_PARAMETER_FLOAT:
                EXPECT_EQ(number_of(sampler, stage, parameter.name), parameter.default_value);
                set_float(sampler.get(), stage, parameter.name, parameter.min_value);
                EXPECT_EQ(number_of(sampler, stage, parameter.name), parameter.min_value);
                break;
            case MULLAMA_PARAMETER_BOOL:
                EXPECT_EQ(number_of(sampler, stage, parameter.name), parameter.default_value);
                break;
            default:
                break;
            }
            const bool list = parameter.type == MULLAMA_PARAMETER_TEXTS ||
                              parameter.type == MULLAMA_PARAMETER_BIASES;
            EXPECT_TRUE(list || count_of(sampler, stage, parameter.name) == 1);
        }
    }
}

TEST(SamplerChain, ListsOfTextsAreCopied) {
    const SamplerHandle sampler = new_sampler();
    const std::size_t dry = add_stage(sampler.get(), "dry");
    constexpr std::string_view name = "sequence_breakers";
    ASSERT_EQ(count_of(sampler, dry, name), 4U);
    EXPECT_EQ(text_of(sampler, dry, name, 0), "\n");
    EXPECT_EQ(text_of(sampler, dry, name, 3), "*");
    std::vector<std::string> texts{"eins", "zw\xc3\xb6lf"};
    const std::array<const char *, 2> pointers{texts[0].c_str(), texts[1].c_str()};
    ASSERT_OK(mullama_sampler_set_texts(sampler.get(), dry, name.data(), name.size(),
                                        pointers.data(), nullptr, pointers.size()));
    mullama_sampler_t *copied = nullptr;
    ASSERT_OK(mullama_sampler_clone(sampler.get(), &copied));
    const SamplerHandle copy(copied);
    texts[0][0] = '!';
    for (const SamplerHandle *chain : {&sampler, &copy}) {
        ASSERT_EQ(count_of(*chain, dry, name), 2U);
        EXPECT_EQ(text_of(*chain, dry, name, 0), "eins");
        EXPECT_EQ(text_of(*chain, dry, name, 1), "zw\xc3\xb6lf");
    }
    const char *text = "unchanged";
    EXPECT_REFUSED(
        mullama_sampler_get_text(sampler.get(), dry, name.data(), name.size(), 2, &text, nullptr),
        MULLAMA_ERROR_OUT_OF_RANGE, "index");
    EXPECT_STREQ(text, "unchanged");
    ASSERT_OK(mullama_sampler_set_texts(sampler.get(), dry, name.data(), name.size(), nullptr,
                                        nullptr, 0));
    EXPECT_EQ(count_of(sampler, dry, name), 0U);
}

TEST(SamplerChain, RefusesWrongTexts) {
    const SamplerHandle sampler = new_sampler();
    const std::size_t dry = add_stage(sampler.get(), "dry");
    const auto set = [&](std::initializer_list<const char *> texts) {
        return mullama_sampler_set_texts(sampler.get(), dry, "sequence_breakers", 17, texts.begin(),
                                         nullptr, texts.size());
    };
    EXPECT_REFUSED(set({"a", ""}), MULLAMA_ERROR_INVALID_ARGUMENT, "texts[1]", 1);
    EXPECT_REFUSED(set({"a", nullptr}), MULLAMA_ERROR_INVALID_ARGUMENT, "texts[1]");
    EXPECT_REFUSED(set({"\xff"}), MULLAMA_ERROR_INVALID_UTF8, "texts[0]", 0);
    EXPECT_REFUSED(set({"12345678901234567890123456789012345678901"}), MULLAMA_ERROR_OUT_OF_RANGE,
                   "sequence_breakers");
    EXPECT_EQ(count_of(sampler, dry, "sequence_breakers"), 4U);
    EXPECT_REFUSED(mullama_sampler_set_text(sampler.get(), dry, "base", 4, "x", 1),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "base");
    double value = 42;
    EXPECT_REFUSED(mullama_sampler_get_number(sampler.get(), dry, "sequence_breakers", 17, &value),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "sequence_breakers");
    const char *text = nullptr;
    EXPECT_REFUSED(mullama_sampler_get_text(sampler.get(), dry, "base", 4, 0, &text, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "base");
    EXPECT_EQ(value, 42);
}

TEST(SamplerChain, BiasesAddUpAndRuleOut) {
    const SamplerHandle sampler = new_sampler();
    const std::size_t stage = add_stage(sampler.get(), "logit_bias");
    add_stage(sampler.get(), "greedy");
    EXPECT_EQ(sample(sampler.get(), {0, 3, 2, 1}), 1);
    ASSERT_OK(set_biases(sampler, stage, {0, 3, 0}, {2, 1.5F, 2}));
    EXPECT_EQ(sample(sampler.get(), {0, 3, 2, 1}), 0);
    ASSERT_OK(set_biases(sampler, stage, {0, 1}, {5, -infinity}));
    EXPECT_EQ(count_of(sampler, stage, "biases"), 2U);
    mullama_token_t token = -1;
    float bias = 0;
    ASSERT_OK(mullama_sampler_get_bias(sampler.get(), stage, "biases", 6, 1, &token, &bias));
    EXPECT_EQ(token, 1);
    EXPECT_EQ(bias, -infinity);
    EXPECT_EQ(sample(sampler.get(), {-10, 3, 2, 1}), 2);
    // Behind a stage that left few candidates.
    ASSERT_OK(insert(sampler, 0, "top_k"));
    set_int(sampler.get(), 0, "k", 3);
    ASSERT_OK(set_biases(sampler, 1, {0, 3}, {100, 2.5F}));
    EXPECT_EQ(sample(sampler.get(), {0, 3, 2, 1}), 3);
}

TEST(SamplerChain, RefusesWrongBiases) {
    const SamplerHandle sampler = new_sampler();
    const std::size_t stage = add_stage(sampler.get(), "logit_bias");
    EXPECT_REFUSED(set_biases(sampler, stage, {3, -1}, {1, 1}), MULLAMA_ERROR_OUT_OF_RANGE,
                   "biases", 1);
    EXPECT_REFUSED(set_biases(sampler, stage, {3, 1}, {1, std::nanf("")}),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "biases", 1);
    EXPECT_REFUSED(set_biases(sampler, stage, {3}, {infinity}), MULLAMA_ERROR_OUT_OF_RANGE,
                   "biases", 0);
    EXPECT_REFUSED(
        mullama_sampler_set_biases(sampler.get(), stage, "biases", 6, nullptr, nullptr, 1),
        MULLAMA_ERROR_INVALID_ARGUMENT, "tokens");
    // A token that the vocabulary does not have, and nothing left to select.
    const std::vector<float> logits{0, 1};
    mullama_token_t token = 42;
    ASSERT_OK(set_biases(sampler, stage, {7}, {1}));
    EXPECT_REFUSED(mullama_sampler_sample(sampler.get(), logits.data(), 2, &token),
                   MULLAMA_ERROR_OUT_OF_RANGE, "biases");
    ASSERT_OK(set_biases(sampler, stage, {0, 1}, {-infinity, -infinity}));
    EXPECT_REFUSED(mullama_sampler_sample(sampler.get(), logits.data(), 2, &token),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "biases");
    EXPECT_EQ(token, 42);
}

TEST(SamplerChain, ThePromptCountsForRepetitionOnly) {
    const SamplerHandle sampler = new_sampler();
    const std::size_t penalties = add_stage(sampler.get(), "penalties");
    set_float(sampler.get(), penalties, "presence", 10);
    const std::array<mullama_token_t, 2> prompt{1, 2};
    ASSERT_OK(mullama_sampler_accept_prompt(sampler.get(), prompt.data(), prompt.size()));
    EXPECT_EQ(sample(sampler.get(), {0, 3, 2, 1}), 3);
    const std::array<mullama_token_t, 3> wrong{1, 2, -5};
    EXPECT_REFUSED(mullama_sampler_accept_prompt(sampler.get(), wrong.data(), wrong.size()),
                   MULLAMA_ERROR_OUT_OF_RANGE, "tokens", 2);
}

TEST(SamplerPreset, AreListed) {
    std::vector<std::string> names;
    for (std::size_t row = 0; row < mullama_sampler_preset_count(); ++row) {
        mullama_preset_info_t info;
        mullama_preset_info_init(&info, sizeof info);
        ASSERT_OK(mullama_sampler_get_preset(row, &info));
        EXPECT_FALSE(std::string(info.description).empty());
        EXPECT_EQ(info.needs_model, std::string(info.name) == "model");
        names.emplace_back(info.name);
    }
    EXPECT_EQ(names, (std::vector<std::string>{"precise", "balanced", "creative", "model"}));
    mullama_preset_info_t info;
    mullama_preset_info_init(&info, sizeof info);
    EXPECT_REFUSED(mullama_sampler_get_preset(names.size(), &info), MULLAMA_ERROR_OUT_OF_RANGE,
                   "row");
}

TEST(SamplerPreset, SetWhatTheyAreFor) {
    const SamplerHandle balanced = preset("balanced");
    EXPECT_EQ(names_of(balanced.get()), (std::vector<std::string>{"penalties", "top_k", "top_p",
                                                                  "min_p", "temperature", "dist"}));
    EXPECT_EQ(number_of(balanced, 4, "t"), 0.8);
    const SamplerHandle precise = preset("precise");
    EXPECT_LT(number_of(precise, ensure(precise, "temperature"), "t"), 0.5);
    const SamplerHandle creative = preset("creative");
    EXPECT_GT(number_of(creative, ensure(creative, "temperature"), "t"), 1);
    EXPECT_GT(number_of(creative, ensure(creative, "xtc"), "probability"), 0);
    // Each samples.
    for (const SamplerHandle *chain : {&balanced, &precise, &creative})
        EXPECT_GE(sample(chain->get(), {0, 3, 2, 1}), 0);
}

// A model with that metadata.
ModelHandle model_with(std::vector<const char *> overrides) {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.backend = "echo";
    options.metadata_overrides = overrides.data();
    options.metadata_overrides_count = overrides.size();
    mullama_model_t *model = nullptr;
    EXPECT_OK(mullama_model_load(nullptr, 0, &options, &model));
    return ModelHandle(model);
}

TEST(SamplerPreset, FollowsTheModel) {
    const ModelHandle model = model_with(
        {"general.sampling.sequence=str:top-k;typ_p;temp", "general.sampling.top_k=int:7",
         "general.sampling.temp=float:0.6", "general.sampling.min_p=float:0.125"});
    const SamplerHandle sampler = preset("model", model.get());
    // min_p is not in the sequence, but recommended.
    EXPECT_EQ(names_of(sampler.get()),
              (std::vector<std::string>{"top_k", "typical", "min_p", "temperature", "dist"}));
    EXPECT_EQ(number_of(sampler, 0, "k"), 7);
    EXPECT_EQ(number_of(sampler, 2, "p"), 0.125);
    EXPECT_NEAR(number_of(sampler, 3, "t"), 0.6, 1e-6);

    const ModelHandle mirostat =
        model_with({"general.sampling.mirostat=int:2", "general.sampling.mirostat_tau=float:4"});
    const SamplerHandle other = preset("model", mirostat.get());
    EXPECT_EQ(names_of(other.get()), (std::vector<std::string>{"temperature", "mirostat_v2"}));
    EXPECT_EQ(number_of(other, 1, "tau"), 4);
}

TEST(SamplerPreset, RefusesWhatMakesNoSense) {
    mullama_sampler_t *out = nullptr;
    const auto make = [&](std::string_view name, const mullama_model_t *model) {
        return mullama_sampler_new_preset(name.data(), name.size(), model, &out);
    };
    EXPECT_REFUSED(make("wild", nullptr), MULLAMA_ERROR_NOT_FOUND, "name", std::nullopt,
                   "creative");
    EXPECT_REFUSED(make("model", nullptr), MULLAMA_ERROR_INVALID_ARGUMENT, "model");
    const ModelHandle silent = echo_model();
    EXPECT_REFUSED(make("model", silent.get()), MULLAMA_ERROR_NOT_FOUND, "model");
    const auto refuse = [&](const char *key, std::string_view parameter) {
        const ModelHandle model = model_with({key});
        EXPECT_REFUSED(make("model", model.get()), MULLAMA_ERROR_BAD_MODEL, parameter) << key;
    };
    refuse("general.sampling.top_p=float:1.5", "general.sampling.top_p");
    refuse("general.sampling.temp=str:hot", "general.sampling.temp");
    refuse("general.sampling.mirostat=int:3", "general.sampling.mirostat");
    refuse("general.sampling.sequence=str:top_k;magic", "general.sampling.sequence");
    EXPECT_EQ(out, nullptr);
}

} // namespace

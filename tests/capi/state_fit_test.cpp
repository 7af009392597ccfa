// A state fits the context that would have computed it. Where it doesn't, the error names what
// differs, with both values, and the context is as it was.
#include <string>
#include <vector>

#include "support/adapter.hpp"
#include "support/context.hpp"
#include "support/manifest.hpp"
#include "support/state.hpp"

namespace {

using namespace mullama::test;
using Tokens = std::vector<mullama_token_t>;

mullama_context_options_t small() {
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_seq_max = 2;
    return options;
}

void prefill(mullama_context_t *context, const Tokens &tokens) {
    EXPECT_OK(
        mullama_context_prefill(context, 0, tokens.data(), tokens.size(), MULLAMA_OUTPUT_LAST));
}

std::string saved(mullama_model_t *model, const mullama_context_options_t &options) {
    const ContextHandle context = new_context(model, options);
    prefill(context.get(), {5, 6, 7});
    return save_state(context.get(), 0);
}

// That a state is refused for what `parameter` names, and nothing else happens.
void expect_misfit(mullama_context_t *context, const std::string &state,
                   const std::string &parameter, const std::string &here,
                   const std::string &in_state) {
    SCOPED_TRACE(parameter);
    const Tokens before = tokens_of(context, 0);
    const ErrorHandle error(load_state(context, 0, state));
    ASSERT_NE(error, nullptr);
    const std::string message = message_of(error.get());
    EXPECT_EQ(mullama_error_code(error.get()), MULLAMA_ERROR_INVALID_ARGUMENT) << message;
    EXPECT_EQ(mullama_error_parameter(error.get(), nullptr), parameter) << message;
    EXPECT_EQ(mullama_error_expected(error.get(), nullptr), here) << message;
    EXPECT_EQ(mullama_error_actual(error.get(), nullptr), in_state) << message;
    const auto quoted = [](const std::string &value) {
        return value.empty() ? std::string("none") : '"' + value + '"';
    };
    EXPECT_NE(message.find(quoted(in_state) + " in the state, " + quoted(here) + " here"),
              std::string::npos)
        << message;
    EXPECT_EQ(tokens_of(context, 0), before);
}

TEST(StateFit, EveryDifferenceOfTheContextIsNamed) {
    const ModelHandle model = load_model(fixture_path("llama_wide.gguf"));
    const mullama_context_options_t usual = small();
    const std::string state = saved(model.get(), usual);
    const auto misfit = [&](const mullama_context_options_t &options, const char *parameter,
                            const char *here, const char *in_state) {
        const ContextHandle context = new_context(model.get(), options);
        prefill(context.get(), {9, 8});
        expect_misfit(context.get(), state, parameter, here, in_state);
        prefill(context.get(), {7});
        EXPECT_EQ(tokens_of(context.get(), 0), (Tokens{9, 8, 7}));
    };
    mullama_context_options_t other = usual;
    other.type_k = MULLAMA_CACHE_TYPE_Q8_0;
    misfit(other, "type_k", "q8_0", "f16");
    other = usual;
    other.type_v = MULLAMA_CACHE_TYPE_Q4_1;
    misfit(other, "type_v", "q4_1", "f16");
    other = usual;
    other.flash_attention = MULLAMA_SWITCH_OFF;
    misfit(other, "flash_attention", "off", "on or auto");
    other = usual;
    other.kv_unified = false;
    other.n_ctx = 512;
    misfit(other, "memories", "2", "1");
    other = usual;
    other.swa_full = !usual.swa_full;
    misfit(other, "sliding_window", usual.swa_full ? "cut" : "whole",
           usual.swa_full ? "whole" : "cut");
}

// To the last bit: six digits would take both for 1.
TEST(StateFit, PositionsThatWentIntoKeysOtherwiseAreNamed) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    mullama_context_options_t one = small();
    one.rope_freq_scale = 1.0F;
    mullama_context_options_t nearly = small();
    nearly.rope_freq_scale = 0.99999994F;
    const std::string state = saved(model.get(), one);
    const ContextHandle same = new_context(model.get(), one);
    EXPECT_OK(load_state(same.get(), 0, state));
    const ContextHandle other = new_context(model.get(), nearly);
    EXPECT_REFUSED(load_state(other.get(), 0, state), MULLAMA_ERROR_INVALID_ARGUMENT, "rope", {},
                   "0.99999994");
}

// LongRoPE: keys of a short context are wrong in a long one.
TEST(StateFit, AnotherSetOfRopeFactorsIsNamed) {
    const ModelHandle model = load_model(fixture_path("llama_longrope.gguf"));
    mullama_context_options_t longest_short = small();
    longest_short.n_ctx = 512;
    mullama_context_options_t longer = small();
    longer.n_ctx = 768;
    const std::string state = saved(model.get(), small());
    const ContextHandle same = new_context(model.get(), longest_short);
    EXPECT_OK(load_state(same.get(), 0, state));
    const ContextHandle other = new_context(model.get(), longer);
    expect_misfit(other.get(), state, "rope_factors", "long", "short");
}

TEST(StateFit, AnotherModelIsNamed) {
    const ModelHandle llama = load_model(fixture_path("llama.gguf"));
    const ModelHandle tied = load_model(fixture_path("llama_tied.gguf"));
    const ModelHandle qwen = load_model(fixture_path("qwen.gguf"));
    const std::string state = saved(llama.get(), small());
    const ContextHandle like = new_context(tied.get(), small());
    expect_misfit(like.get(), state, "model", mullama_model_fingerprint(tied.get(), nullptr),
                  mullama_model_fingerprint(llama.get(), nullptr));
    const ContextHandle unlike = new_context(qwen.get(), small());
    expect_misfit(unlike.get(), state, "architecture", "qwen3", "llama");
}

std::string text_in(const std::string &state, const char *mullama_state_info_t::*text) {
    mullama_state_t *opened = nullptr;
    EXPECT_OK(mullama_state_inspect(state.data(), state.size(), &opened));
    const std::unique_ptr<mullama_state_t, Deleter<mullama_state_free>> owned(opened);
    mullama_state_info_t info;
    mullama_state_info_init(&info, sizeof info);
    EXPECT_OK(mullama_state_get_info(opened, &info));
    return info.*text;
}

class Adapted {
public:
    explicit Adapted(mullama_model_t *model) : context_(new_context(model, small())) {}

    Adapted &set(const std::vector<mullama_adapter_t *> &adapters,
                 const std::vector<float> &scales) {
        EXPECT_OK(mullama_context_set_adapters(context_.get(), adapters.data(), scales.data(),
                                               adapters.size()));
        return *this;
    }
    [[nodiscard]] std::string saved() const {
        prefill(context_.get(), {5, 6, 7});
        return save_state(context_.get(), 0);
    }
    [[nodiscard]] mullama_context_t *get() const { return context_.get(); }

private:
    ContextHandle context_;
};

TEST(StateFit, AdaptersAndTheirExactScalesAreNamed) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const AdapterHandle lora = load_adapter(model.get(), fixture_path("lora_llama.gguf"));
    const AdapterHandle vector = load_adapter(model.get(), fixture_path("vector_llama.gguf"));
    const std::string of_lora = mullama_adapter_fingerprint(lora.get(), nullptr);
    const std::string of_vector = mullama_adapter_fingerprint(vector.get(), nullptr);
    const std::string plain = saved(model.get(), small());
    const std::string both =
        Adapted(model.get()).set({lora.get(), vector.get()}, {0.1F, -2.0F}).saved();
    const std::string digest = of_lora + " * 0.1, " + of_vector + " * -2";
    EXPECT_EQ(text_in(both, &mullama_state_info_t::adapters), digest);

    Adapted target(model.get());
    expect_misfit(target.get(), both, "adapters", "", digest);
    target.set({lora.get()}, {0.1F});
    expect_misfit(target.get(), plain, "adapters", of_lora + " * 0.1", "");
    expect_misfit(target.get(), both, "adapters", of_lora + " * 0.1", digest);
    // Their nearest neighbours: six digits would take them for the same.
    target.set({lora.get(), vector.get()}, {0.10000001F, -2.0F});
    expect_misfit(target.get(), both, "adapters", of_lora + " * 0.10000001, " + of_vector + " * -2",
                  digest);
    target.set({lora.get(), vector.get()}, {0.1F, -2.0F});
    EXPECT_OK(load_state(target.get(), 0, both));
    // At scale 0 an adapter changes nothing, and is none.
    target.set({lora.get(), vector.get()}, {0.0F, 0.0F});
    EXPECT_OK(load_state(target.get(), 0, plain));
}

TEST(StateFit, LayersOfAControlVectorAreTheAdaptersOwn) {
    const ModelHandle model = load_model(fixture_path("llama_deep.gguf"));
    mullama_adapter_options_t options = adapter_options();
    const std::string path = fixture_path("vector_deep.gguf");
    const AdapterHandle all = load_adapter(model.get(), path, &options);
    options.layer_first = 2;
    options.layer_last = 3;
    const AdapterHandle some = load_adapter(model.get(), path, &options);
    const std::string state = Adapted(model.get()).set({all.get()}, {1.0F}).saved();
    Adapted target(model.get());
    target.set({some.get()}, {1.0F});
    EXPECT_REFUSED(load_state(target.get(), 0, state), MULLAMA_ERROR_INVALID_ARGUMENT, "adapters");
}

TEST(StateFit, AnotherVersionOfTheEngineIsNamed) {
    for (const bool echo : {false, true}) {
        const ModelHandle model = echo ? echo_model() : load_model(fixture_path("llama.gguf"));
        const std::string state = saved(model.get(), small());
        const std::string engine = text_in(state, &mullama_state_info_t::engine_version);
        std::string older = engine;
        older.back() = older.back() == '0' ? '1' : '0';
        const ContextHandle context = new_context(model.get(), small());
        expect_misfit(context.get(), forged(state, engine, older), "engine", engine, older);
    }
}

TEST(StateFit, ANewerFormatIsNamed) {
    const ModelHandle model = echo_model();
    std::string state = saved(model.get(), small());
    state[8] = 2;
    mend(state);
    const ContextHandle context = new_context(model.get(), small());
    EXPECT_REFUSED(load_state(context.get(), 0, state), MULLAMA_ERROR_UNSUPPORTED, "format_version",
                   {}, "version 2, and this library reads version 1");
}

// The library's own version is told and not compared.
TEST(StateFit, AnotherVersionOfTheLibraryFits) {
    const ModelHandle model = echo_model();
    const std::string state = saved(model.get(), small());
    const std::string version = mullama_version();
    const std::string another(version.size(), '9');
    const std::string other = forged(state, version, another);
    EXPECT_EQ(text_in(other, &mullama_state_info_t::library_version), another);
    const ContextHandle context = new_context(model.get(), small());
    EXPECT_OK(load_state(context.get(), 0, other));
    EXPECT_EQ(tokens_of(context.get(), 0), (Tokens{5, 6, 7}));
}

TEST(StateFit, WhatTheEchoEngineCannotTakeIsNamed) {
    const ModelHandle model = echo_model();
    const std::string state = saved(model.get(), small());
    mullama_context_options_t apart = small();
    apart.kv_unified = false;
    const ContextHandle separate = new_context(model.get(), apart);
    expect_misfit(separate.get(), state, "memories", "2", "1");

    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.backend = "echo";
    const char *const override = "echo.vocab_size=int:300";
    options.metadata_overrides = &override;
    options.metadata_overrides_count = 1;
    mullama_model_t *larger = nullptr;
    ASSERT_OK(mullama_model_load(nullptr, 0, &options, &larger));
    const ModelHandle other(larger);
    const ContextHandle foreign = new_context(other.get(), small());
    expect_misfit(foreign.get(), state, "model", mullama_model_fingerprint(other.get(), nullptr),
                  mullama_model_fingerprint(model.get(), nullptr));
}

} // namespace

// Adapters through the contract: what they say about themselves, what is refused and why, who keeps
// what alive. That they change logits as they should is in tests/parity.
#include <atomic>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/adapter.hpp"
#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;

constexpr float no_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

ModelHandle model_of(const Json &adapter) {
    return load_model(path_of(fixture(adapter["model"].get<std::string>())));
}

mullama_adapter_info_t info_of(const mullama_adapter_t *adapter) {
    mullama_adapter_info_t info;
    mullama_adapter_info_init(&info, sizeof info);
    EXPECT_OK(mullama_adapter_get_info(adapter, &info));
    return info;
}

std::string fixture_file(const char *name) {
    return path_of(fixture(name));
}

mullama_error_t *try_load(mullama_model_t *model, const std::string &path, mullama_adapter_t **out,
                          const mullama_adapter_options_t *options = nullptr) {
    return mullama_adapter_load(model, path.data(), path.size(), options, out);
}

// Refused, and the output left alone.
#define EXPECT_LOAD_REFUSED(model, path, options, ...)                                             \
    do {                                                                                           \
        mullama_adapter_t *untouched = nullptr;                                                    \
        EXPECT_REFUSED(try_load(model, path, &untouched, options), __VA_ARGS__);                   \
        EXPECT_EQ(untouched, nullptr);                                                             \
    } while (false)

mullama_error_t *set(mullama_context_t *context, const std::vector<mullama_adapter_t *> &adapters,
                     const std::vector<float> &scales) {
    return mullama_context_set_adapters(context, adapters.data(), scales.data(), adapters.size());
}

std::size_t count_of(mullama_context_t *context) {
    std::size_t count = 999;
    EXPECT_OK(mullama_context_adapter_count(context, &count));
    return count;
}

std::vector<float> logits_of(mullama_context_t *context) {
    const std::vector<mullama_token_t> tokens{5, 99, 17, 200};
    EXPECT_OK(mullama_context_clear(context));
    EXPECT_OK(
        mullama_context_prefill(context, 0, tokens.data(), tokens.size(), MULLAMA_OUTPUT_LAST));
    const float *logits = nullptr;
    std::size_t count = 0;
    EXPECT_OK(mullama_context_logits(context, -1, &logits, &count));
    return {logits, logits + count};
}

// What the library does not take for this model, as it should be.
bool is_refused(const Json &row) {
    const std::string name = name_of(row);
    return name == "lora_tied_embedding" || name == "vector_bert" || name == "vector_plamo2";
}

std::vector<Json> good_ones() {
    std::vector<Json> rows;
    for (const Json &row : fixtures("adapter")) {
        if (!is_refused(row))
            rows.push_back(row);
    }
    return rows;
}

class Adapters : public testing::TestWithParam<Json> {};
INSTANTIATE_TEST_SUITE_P(Fixtures, Adapters, testing::ValuesIn(good_ones()),
                         [](const auto &row) { return name_of(row.param); });

TEST_P(Adapters, AreAsTheManifestSays) {
    const Json &row = GetParam();
    const ModelHandle model = model_of(row);
    mullama_adapter_options_t options = adapter_options();
    options.check_tensors = true;
    const AdapterHandle adapter = load_adapter(model.get(), path_of(row), &options);
    ASSERT_TRUE(adapter);
    const mullama_adapter_info_t info = info_of(adapter.get());
    const bool vector = row["arch"] == "controlvector";
    EXPECT_EQ(info.kind, vector ? MULLAMA_ADAPTER_CONTROL_VECTOR : MULLAMA_ADAPTER_LORA);
    EXPECT_EQ(info.alpha, row["alpha"].get<float>());
    EXPECT_EQ(info.rank, row["rank"].get<std::uint32_t>());
    EXPECT_EQ(info.n_tensors, row["n_tensors"].get<std::size_t>());
    EXPECT_EQ(info.size_bytes, row["size_bytes"].get<std::uint64_t>());
    EXPECT_EQ(mullama_adapter_metadata_count(adapter.get()), row["n_kv"].get<std::size_t>());
    EXPECT_EQ(mullama_adapter_name(adapter.get(), nullptr), "fixture " + name_of(row));
    std::size_t size = 0;
    EXPECT_EQ(std::string(mullama_adapter_fingerprint(adapter.get(), &size)).size(), 32U);
    EXPECT_EQ(size, 32U);
    EXPECT_EQ(mullama_adapter_description(adapter.get(), &size)[size], '\0');
    EXPECT_EQ(size == 0, vector);
}

// On every kind of model: applied, computed with, taken off.
TEST_P(Adapters, CanBeComputedWith) {
    const Json &row = GetParam();
    const ModelHandle model = model_of(row);
    const AdapterHandle adapter = load_adapter(model.get(), path_of(row));
    const ContextHandle context = new_context(model.get());
    ASSERT_OK(set(context.get(), {adapter.get()}, {1.0F}));
    mullama_model_info_t info;
    mullama_model_info_init(&info, sizeof info);
    ASSERT_OK(mullama_model_get_info(model.get(), &info));
    const BatchHandle batch = new_batch();
    for (int i = 0; i < 4; ++i)
        ASSERT_OK(add(batch.get(), 10 + i, i, {0}, true));
    if ((info.capabilities & MULLAMA_CAPABILITY_ENCODER) != 0) {
        ASSERT_OK(mullama_context_encode(context.get(), batch.get()));
    }
    ASSERT_OK(mullama_context_decode(context.get(), batch.get()));
    ASSERT_OK(set(context.get(), {}, {}));
    ASSERT_OK(mullama_context_clear(context.get()));
}

TEST(Adapter, FingerprintsTellThemApart) {
    std::set<std::string> seen;
    const std::vector<Json> rows = good_ones();
    for (const Json &row : rows) {
        const ModelHandle model = model_of(row);
        seen.insert(
            mullama_adapter_fingerprint(load_adapter(model.get(), path_of(row)).get(), nullptr));
    }
    EXPECT_EQ(seen.size(), rows.size());
}

TEST(Adapter, KnowsItsLayers) {
    const ModelHandle model = load_model(fixture_file("llama_deep"));
    const mullama_adapter_info_t lora =
        info_of(load_adapter(model.get(), fixture_file("lora_deep")).get());
    EXPECT_EQ(lora.layer_first, 1);
    EXPECT_EQ(lora.layer_last, 3);

    const std::string path = fixture_file("vector_deep");
    const AdapterHandle whole = load_adapter(model.get(), path);
    EXPECT_EQ(info_of(whole.get()).layer_first, 1);
    EXPECT_EQ(info_of(whole.get()).layer_last, 4);
    mullama_adapter_options_t options = adapter_options();
    options.layer_first = 2;
    options.layer_last = 3;
    const AdapterHandle part = load_adapter(model.get(), path, &options);
    EXPECT_EQ(info_of(part.get()).layer_first, 2);
    EXPECT_EQ(info_of(part.get()).layer_last, 3);
    EXPECT_EQ(info_of(part.get()).n_tensors, 2U);
    EXPECT_STRNE(mullama_adapter_fingerprint(part.get(), nullptr),
                 mullama_adapter_fingerprint(whole.get(), nullptr));
    options.layer_first = 1;
    options.layer_last = 4;
    EXPECT_EQ(info_of(load_adapter(model.get(), path, &options).get()).n_tensors, 4U);

    const auto refuse = [&](std::int32_t first, std::int32_t last, const char *parameter) {
        options.layer_first = first;
        options.layer_last = last;
        EXPECT_LOAD_REFUSED(model.get(), path, &options, MULLAMA_ERROR_OUT_OF_RANGE, parameter);
    };
    refuse(-1, 0, "layer_first");
    refuse(5, 0, "layer_first");
    refuse(0, 5, "layer_last");
    refuse(0, -1, "layer_last");
    refuse(3, 2, "layer_last");
    options.layer_first = 1;
    options.layer_last = 0;
    EXPECT_LOAD_REFUSED(model.get(), fixture_file("lora_deep"), &options,
                        MULLAMA_ERROR_INVALID_ARGUMENT, "layer_first");
    options.layer_first = 0;
    options.layer_last = 2;
    EXPECT_LOAD_REFUSED(model.get(), fixture_file("lora_deep"), &options,
                        MULLAMA_ERROR_INVALID_ARGUMENT, "layer_last");
}

TEST(Adapter, TellsWhatActivatesIt) {
    const ModelHandle model = load_model(fixture_file("llama"));
    const AdapterHandle activated = load_adapter(model.get(), fixture_file("lora_activated"));
    std::size_t count = 0;
    const mullama_token_t *const tokens =
        mullama_adapter_invocation_tokens(activated.get(), &count);
    ASSERT_EQ(count, 3U);
    EXPECT_EQ(std::vector<mullama_token_t>(tokens, tokens + count),
              (std::vector<mullama_token_t>{7, 300, 41}));
    const AdapterHandle other = load_adapter(model.get(), fixture_file("lora_llama"));
    EXPECT_EQ(mullama_adapter_invocation_tokens(other.get(), &count), nullptr);
    EXPECT_EQ(count, 0U);
}

TEST(Adapter, HasMetadata) {
    const ModelHandle model = load_model(fixture_file("llama"));
    const AdapterHandle adapter = load_adapter(model.get(), fixture_file("lora_activated"));
    const auto find = [&](std::string_view key) {
        std::size_t index = 999;
        EXPECT_OK(mullama_adapter_find_metadata(adapter.get(), key.data(), key.size(), &index));
        return index;
    };
    const std::size_t tokens = find("adapter.alora.invocation_tokens");
    mullama_metadata_entry_t entry;
    mullama_metadata_entry_init(&entry, sizeof entry);
    ASSERT_OK(mullama_adapter_get_metadata(adapter.get(), tokens, &entry));
    EXPECT_EQ(entry.type, MULLAMA_METADATA_UINT32);
    EXPECT_TRUE(entry.is_array);
    EXPECT_EQ(entry.count, 3U);
    std::int64_t number = 0;
    EXPECT_OK(mullama_adapter_metadata_int(adapter.get(), tokens, 1, &number));
    EXPECT_EQ(number, 300);
    double real = 0;
    EXPECT_OK(mullama_adapter_metadata_float(adapter.get(), tokens, 2, &real));
    EXPECT_EQ(real, 41);
    mullama_text_t *text = nullptr;
    ASSERT_OK(mullama_adapter_metadata_format(adapter.get(), tokens, 0, &text));
    EXPECT_EQ(text_of(text), "[7, 300, 41]");
    mullama_text_free(text);
    const char *string = nullptr;
    std::size_t size = 0;
    ASSERT_OK(
        mullama_adapter_metadata_string(adapter.get(), find("adapter.type"), 0, &string, &size));
    EXPECT_EQ(std::string(string, size), "lora");

    bool truth = false;
    EXPECT_REFUSED(mullama_adapter_metadata_bool(adapter.get(), tokens, 0, &truth),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "index");
    EXPECT_REFUSED(mullama_adapter_metadata_int(adapter.get(), tokens, 3, &number),
                   MULLAMA_ERROR_OUT_OF_RANGE, "element");
    EXPECT_REFUSED(mullama_adapter_metadata_int(adapter.get(), 99, 0, &number),
                   MULLAMA_ERROR_OUT_OF_RANGE, "index");
    EXPECT_REFUSED(mullama_adapter_metadata_int(adapter.get(), tokens, 0, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "value");
    EXPECT_REFUSED(mullama_adapter_find_metadata(adapter.get(), "x", 1, &size),
                   MULLAMA_ERROR_NOT_FOUND, "key");
    EXPECT_REFUSED(mullama_adapter_find_metadata(adapter.get(), nullptr, 1, &size),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "key");
    EXPECT_REFUSED(mullama_adapter_get_metadata(adapter.get(), 0, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "entry");
    EXPECT_REFUSED(mullama_adapter_metadata_format(adapter.get(), 0, 0, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "out");
}

TEST(Adapter, TakesNullWhereThatSaysNothing) {
    std::size_t size = 7;
    EXPECT_STREQ(mullama_adapter_name(nullptr, &size), "");
    EXPECT_EQ(size, 0U);
    EXPECT_STREQ(mullama_adapter_description(nullptr, nullptr), "");
    EXPECT_STREQ(mullama_adapter_fingerprint(nullptr, nullptr), "");
    EXPECT_EQ(mullama_adapter_invocation_tokens(nullptr, nullptr), nullptr);
    EXPECT_EQ(mullama_adapter_metadata_count(nullptr), 0U);
    EXPECT_EQ(mullama_adapter_retain(nullptr), nullptr);
    mullama_adapter_free(nullptr);
    mullama_adapter_options_init(nullptr, sizeof(mullama_adapter_options_t));
    mullama_adapter_info_init(nullptr, sizeof(mullama_adapter_info_t));

    mullama_adapter_info_t info;
    mullama_adapter_info_init(&info, sizeof info);
    EXPECT_REFUSED(mullama_adapter_get_info(nullptr, &info), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "adapter");
    std::int64_t number = 0;
    EXPECT_REFUSED(mullama_adapter_metadata_int(nullptr, 0, 0, &number),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "adapter");
}

TEST(Adapter, ArgumentsOfLoadingAreChecked) {
    const ModelHandle model = load_model(fixture_file("llama"));
    const std::string path = fixture_file("lora_llama");
    mullama_adapter_t *adapter = nullptr;
    EXPECT_LOAD_REFUSED(nullptr, path, nullptr, MULLAMA_ERROR_INVALID_ARGUMENT, "model");
    EXPECT_REFUSED(mullama_adapter_load(model.get(), nullptr, 0, nullptr, &adapter),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "path");
    EXPECT_REFUSED(mullama_adapter_load(model.get(), "", 0, nullptr, &adapter),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "path");
    EXPECT_REFUSED(mullama_adapter_load(model.get(), "a\0b", 3, nullptr, &adapter),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "path", 1);
    EXPECT_REFUSED(mullama_adapter_load(model.get(), "a\xFF", 2, nullptr, &adapter),
                   MULLAMA_ERROR_INVALID_UTF8, "path", 1);
    EXPECT_REFUSED(try_load(model.get(), path, nullptr), MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    mullama_adapter_options_t options{};
    EXPECT_LOAD_REFUSED(model.get(), path, &options, MULLAMA_ERROR_INVALID_ARGUMENT,
                        "options->struct_size");
    EXPECT_LOAD_REFUSED(model.get(), path + ".none", nullptr, MULLAMA_ERROR_NOT_FOUND, "path");
    EXPECT_LOAD_REFUSED(model.get(), fixture_path(), nullptr, MULLAMA_ERROR_IO, "path");
    EXPECT_EQ(adapter, nullptr);

    const AdapterHandle good = load_adapter(model.get(), path);
    EXPECT_REFUSED(mullama_adapter_get_info(good.get(), nullptr), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "info");
}

TEST(Adapter, ModelsThatCannotBeChangedSaySo) {
    const std::string path = fixture_file("lora_llama");
    const ModelHandle echo = echo_model();
    EXPECT_LOAD_REFUSED(echo.get(), path, nullptr, MULLAMA_ERROR_UNSUPPORTED, "model", {},
                        "no weights");
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.vocab_only = true;
    const ModelHandle vocabulary = load_model(fixture_file("llama"), &options);
    EXPECT_LOAD_REFUSED(vocabulary.get(), path, nullptr, MULLAMA_ERROR_UNSUPPORTED, "model", {},
                        "vocabulary only");
    const ModelHandle tied = load_model(fixture_file("llama_tied"));
    EXPECT_LOAD_REFUSED(tied.get(), fixture_file("lora_tied_embedding"), nullptr,
                        MULLAMA_ERROR_UNSUPPORTED, "token_embd.weight.lora_a", {}, "output");
    for (const char *name : {"bert_mean", "plamo2"}) {
        const ModelHandle model = load_model(fixture_file(name));
        const std::string vector = name == std::string("plamo2") ? "vector_plamo2" : "vector_bert";
        EXPECT_LOAD_REFUSED(model.get(), fixture_file(vector.c_str()), nullptr,
                            MULLAMA_ERROR_UNSUPPORTED, "model", {}, "control vectors");
    }
}

TEST(Adapter, FilesOfOtherKindsAreCalledWhatTheyAre) {
    const ModelHandle model = load_model(fixture_file("llama"));
    EXPECT_LOAD_REFUSED(model.get(), fixture_file("llama"), nullptr, MULLAMA_ERROR_UNSUPPORTED,
                        "general.type", {}, "is a model");
    EXPECT_LOAD_REFUSED(model.get(), fixture_file("vocab_bpe"), nullptr, MULLAMA_ERROR_UNSUPPORTED,
                        "general.type");
    for (const char *name : {"lora_llama", "vector_llama"}) {
        const std::string path = fixture_file(name);
        mullama_model_t *none = nullptr;
        EXPECT_REFUSED(mullama_model_load(path.data(), path.size(), nullptr, &none),
                       MULLAMA_ERROR_UNSUPPORTED, "", {}, "goes with a model");
        EXPECT_EQ(none, nullptr);
    }
}

// The right kind of file, for another model.
TEST(Adapter, AnotherModelsIsRefusedWithWhatDiffers) {
    const ModelHandle deep = load_model(fixture_file("llama_deep"));
    const ModelHandle llama = load_model(fixture_file("llama"));
    const ModelHandle qwen = load_model(fixture_file("qwen"));
    EXPECT_LOAD_REFUSED(qwen.get(), fixture_file("lora_llama"), nullptr, MULLAMA_ERROR_BAD_MODEL,
                        "general.architecture", {}, "'llama'");
    EXPECT_LOAD_REFUSED(llama.get(), fixture_file("lora_deep"), nullptr, MULLAMA_ERROR_BAD_MODEL,
                        "blk.3.ffn_up.weight.lora_a");
    EXPECT_LOAD_REFUSED(llama.get(), fixture_file("vector_deep"), nullptr, MULLAMA_ERROR_BAD_MODEL,
                        "direction.2");
    // As wide as its file says, or not.
    const ModelHandle wide = load_model(fixture_file("llama_q4_k"));
    EXPECT_LOAD_REFUSED(wide.get(), fixture_file("lora_llama"), nullptr, MULLAMA_ERROR_BAD_MODEL,
                        "", {}, "does not fit");
    // A quantized model of the same shape takes it.
    const ModelHandle quantized = load_model(fixture_file("llama_f16"));
    EXPECT_TRUE(load_adapter(quantized.get(), fixture_file("lora_llama_no_alpha")));
}

class BrokenAdapters : public testing::TestWithParam<Json> {};
INSTANTIATE_TEST_SUITE_P(Fixtures, BrokenAdapters, testing::ValuesIn(fixtures("broken_adapter")),
                         [](const auto &row) { return name_of(row.param); });

TEST_P(BrokenAdapters, AreRefusedWithTheCause) {
    const Json &row = GetParam();
    const ModelHandle model = model_of(row);
    mullama_adapter_t *adapter = nullptr;
    const ErrorHandle error(try_load(model.get(), path_of(row), &adapter));
    const AdapterHandle owned(adapter);
    ASSERT_NE(error, nullptr);
    const mullama_error_code_t code = mullama_error_code(error.get());
    const std::string cause = row["cause"];
    if (cause == "magic" || cause == "truncated")
        EXPECT_EQ(code, MULLAMA_ERROR_BAD_FILE);
    else if (name_of(row) == "broken_adapter_kind_unknown")
        EXPECT_EQ(code, MULLAMA_ERROR_UNSUPPORTED);
    else
        EXPECT_EQ(code, MULLAMA_ERROR_BAD_MODEL);
    const std::string said =
        message_of(error.get()) + "\n" + mullama_error_parameter(error.get(), nullptr);
    bool named = row["names"].empty();
    for (const Json &name : row["names"])
        named = named || said.find(name.get<std::string>()) != std::string::npos;
    EXPECT_TRUE(named) << "none of " << row["names"] << " in: " << said;
    EXPECT_NE(said.find(path_of(row)), std::string::npos) << said;
}

TEST(ContextAdapters, AreReplacedShownAndRemoved) {
    const ModelHandle model = load_model(fixture_file("llama"));
    const AdapterHandle lora = load_adapter(model.get(), fixture_file("lora_llama"));
    const AdapterHandle vector = load_adapter(model.get(), fixture_file("vector_llama"));
    const ContextHandle context = new_context(model.get());
    EXPECT_EQ(count_of(context.get()), 0U);
    const std::vector<float> plain = logits_of(context.get());

    ASSERT_OK(set(context.get(), {vector.get(), lora.get()}, {0.5F, 2.0F}));
    EXPECT_EQ(count_of(context.get()), 2U);
    mullama_adapter_t *shown = nullptr;
    float scale = 0;
    ASSERT_OK(mullama_context_get_adapter(context.get(), 0, &shown, &scale));
    EXPECT_EQ(shown, vector.get());
    EXPECT_EQ(scale, 0.5F);
    ASSERT_OK(mullama_context_get_adapter(context.get(), 1, &shown, &scale));
    EXPECT_EQ(shown, lora.get());
    EXPECT_EQ(scale, 2.0F);
    EXPECT_REFUSED(mullama_context_get_adapter(context.get(), 2, &shown, &scale),
                   MULLAMA_ERROR_OUT_OF_RANGE, "index");
    EXPECT_EQ(shown, lora.get());
    EXPECT_REFUSED(mullama_context_get_adapter(context.get(), 0, nullptr, &scale),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "adapter");
    EXPECT_REFUSED(mullama_context_get_adapter(context.get(), 0, &shown, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "scale");
    EXPECT_REFUSED(mullama_context_adapter_count(context.get(), nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "count");
    std::size_t count = 0;
    EXPECT_REFUSED(mullama_context_adapter_count(nullptr, &count), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "context");
    EXPECT_REFUSED(mullama_context_get_adapter(nullptr, 0, &shown, &scale),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "context");

    const std::vector<float> both = logits_of(context.get());
    EXPECT_NE(both, plain);
    ASSERT_OK(set(context.get(), {lora.get(), vector.get()}, {0.0F, 0.0F}));
    EXPECT_EQ(count_of(context.get()), 2U);
    EXPECT_EQ(logits_of(context.get()), plain);
    ASSERT_OK(set(context.get(), {lora.get(), vector.get()}, {2.0F, 0.5F}));
    EXPECT_EQ(logits_of(context.get()), both);
    ASSERT_OK(mullama_context_set_adapters(context.get(), nullptr, nullptr, 0));
    EXPECT_EQ(count_of(context.get()), 0U);
    EXPECT_EQ(logits_of(context.get()), plain);
}

TEST(ContextAdapters, RefusalsNameTheIndexAndChangeNothing) {
    const ModelHandle model = load_model(fixture_file("llama"));
    const ModelHandle same = load_model(fixture_file("llama"));
    const AdapterHandle lora = load_adapter(model.get(), fixture_file("lora_llama"));
    const AdapterHandle vector = load_adapter(model.get(), fixture_file("vector_llama"));
    const AdapterHandle foreign = load_adapter(same.get(), fixture_file("lora_llama"));
    const ContextHandle context = new_context(model.get());
    ASSERT_OK(set(context.get(), {lora.get()}, {0.5F}));
    const std::vector<float> before = logits_of(context.get());

    EXPECT_REFUSED(set(nullptr, {lora.get()}, {1.0F}), MULLAMA_ERROR_INVALID_ARGUMENT, "context");
    mullama_adapter_t *const list[] = {lora.get()};
    const float one = 1.0F;
    EXPECT_REFUSED(mullama_context_set_adapters(context.get(), nullptr, &one, 1),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "adapters");
    EXPECT_REFUSED(mullama_context_set_adapters(context.get(), list, nullptr, 1),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "scales");
    EXPECT_REFUSED(set(context.get(), {vector.get(), nullptr}, {1, 1}),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "adapters", 1);
    EXPECT_REFUSED(set(context.get(), {vector.get(), foreign.get()}, {1, 1}),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "adapters", 1, "another model");
    EXPECT_REFUSED(set(context.get(), {lora.get(), vector.get(), lora.get()}, {1, 1, 1}),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "adapters", 2, "twice");
    for (const float scale : {no_number, infinity, -infinity}) {
        EXPECT_REFUSED(set(context.get(), {vector.get(), lora.get()}, {1, scale}),
                       MULLAMA_ERROR_OUT_OF_RANGE, "scales", 1);
        EXPECT_REFUSED(set(context.get(), {vector.get()}, {scale}), MULLAMA_ERROR_OUT_OF_RANGE,
                       "scales", 0);
    }
    // Times alpha, which is 8, no number any more.
    EXPECT_REFUSED(set(context.get(), {lora.get()}, {1e38F}), MULLAMA_ERROR_OUT_OF_RANGE, "scales",
                   0);
    const AdapterHandle again = load_adapter(model.get(), fixture_file("vector_llama"));
    EXPECT_REFUSED(set(context.get(), {vector.get(), again.get()}, {3e38F, 3e38F}),
                   MULLAMA_ERROR_OUT_OF_RANGE, "scales");

    EXPECT_EQ(count_of(context.get()), 1U);
    mullama_adapter_t *shown = nullptr;
    float scale = 0;
    ASSERT_OK(mullama_context_get_adapter(context.get(), 0, &shown, &scale));
    EXPECT_EQ(shown, lora.get());
    EXPECT_EQ(scale, 0.5F);
    EXPECT_EQ(logits_of(context.get()), before);
}

TEST(ContextAdapters, HeldTokensAndLogitsStay) {
    const ModelHandle model = load_model(fixture_file("llama"));
    const AdapterHandle lora = load_adapter(model.get(), fixture_file("lora_llama"));
    const ContextHandle context = new_context(model.get());
    const std::vector<float> plain = logits_of(context.get());
    ASSERT_OK(set(context.get(), {lora.get()}, {1.0F}));
    const float *logits = nullptr;
    std::size_t count = 0;
    ASSERT_OK(mullama_context_logits(context.get(), -1, &logits, &count));
    EXPECT_EQ(std::vector<float>(logits, logits + count), plain);
    ASSERT_OK(mullama_context_sequence_size(context.get(), 0, &count));
    EXPECT_EQ(count, 4U);
}

TEST(ContextAdapters, CannotBeChangedFromACallback) {
    const ModelHandle model = load_model(fixture_file("llama"));
    const AdapterHandle lora = load_adapter(model.get(), fixture_file("lora_llama"));
    const ContextHandle context = new_context(model.get());
    struct Both {
        mullama_context_t *context;
        mullama_adapter_t *adapter;
    } both{context.get(), lora.get()};
    mullama_generate_options_t options = generate_options();
    options.max_tokens = 1;
    options.user_data = &both;
    options.on_token = [](const mullama_token_event_t *, void *user_data) {
        const auto &self = *static_cast<Both *>(user_data);
        EXPECT_REFUSED(set(self.context, {self.adapter}, {1.0F}), MULLAMA_ERROR_BUSY, "context");
        std::size_t count = 0;
        EXPECT_REFUSED(mullama_context_adapter_count(self.context, &count), MULLAMA_ERROR_BUSY);
        return true;
    };
    ASSERT_OK(
        mullama_context_generate(context.get(), nullptr, "Hello", 5, &options, nullptr, nullptr));
}

// Whoever needs something keeps it alive, whatever the order in which the handles go.
TEST(AdapterLifetime, AnyOrder) {
    for (int order = 0; order < 6; ++order) {
        SCOPED_TRACE(order);
        ModelHandle model = load_model(fixture_file("llama"));
        AdapterHandle lora = load_adapter(model.get(), fixture_file("lora_llama"));
        AdapterHandle vector = load_adapter(model.get(), fixture_file("vector_llama"));
        ContextHandle context = new_context(model.get());
        ASSERT_OK(set(context.get(), {lora.get(), vector.get()}, {1.0F, 1.0F}));
        const std::vector<float> before = logits_of(context.get());
        const auto free_adapters = [&] {
            lora.reset();
            vector.reset();
        };
        const auto use = [&] { EXPECT_EQ(logits_of(context.get()), before); };
        switch (order) {
        case 0:
            free_adapters();
            use();
            model.reset();
            use();
            break;
        case 1:
            model.reset();
            use();
            free_adapters();
            use();
            break;
        case 2:
            free_adapters();
            context.reset();
            model.reset();
            break;
        case 3:
            context.reset();
            model.reset();
            EXPECT_EQ(info_of(lora.get()).rank, 4U);
            break;
        case 4:
            model.reset();
            context.reset();
            free_adapters();
            break;
        default:
            free_adapters();
            model.reset();
            ASSERT_OK(set(context.get(), {}, {}));
            EXPECT_NE(logits_of(context.get()), before);
        }
    }
}

TEST(AdapterLifetime, AShownAdapterCanBeKept) {
    const ModelHandle model = load_model(fixture_file("llama"));
    ContextHandle context = new_context(model.get());
    {
        const AdapterHandle lora = load_adapter(model.get(), fixture_file("lora_llama"));
        ASSERT_OK(set(context.get(), {lora.get()}, {1.0F}));
    }
    mullama_adapter_t *shown = nullptr;
    float scale = 0;
    ASSERT_OK(mullama_context_get_adapter(context.get(), 0, &shown, &scale));
    const AdapterHandle kept(mullama_adapter_retain(shown));
    context.reset();
    EXPECT_EQ(info_of(kept.get()).rank, 4U);
}

// Loading and freeing on one thread, while contexts of the same model compute on others.
TEST(AdapterThreads, LoadWhileContextsCompute) {
    const ModelHandle model = load_model(fixture_file("llama"));
    const AdapterHandle shared = load_adapter(model.get(), fixture_file("lora_llama"));
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
            const ContextHandle context = new_context(model.get());
            for (int round = 0; round < 15; ++round) {
                EXPECT_OK(set(context.get(), {shared.get()}, {round % 2 == 0 ? 1.0F : 0.5F}));
                logits_of(context.get());
            }
        });
    }
    std::thread loader([&] {
        while (!stop)
            load_adapter(model.get(), fixture_file("lora_llama_no_alpha"));
    });
    for (std::thread &thread : threads)
        thread.join();
    stop = true;
    loader.join();
}

TEST(Adapter, CountsInTheMemoryBudget) {
    mullama_runtime_options_t runtime_options;
    mullama_runtime_options_init(&runtime_options, sizeof runtime_options);
    mullama_runtime_t *runtime = nullptr;
    const Json lora = fixture("lora_llama");
    runtime_options.max_memory = fixture("llama")["size_bytes"].get<std::uint64_t>() +
                                 lora["size_bytes"].get<std::uint64_t>() + 100;
    ASSERT_OK(mullama_runtime_new(&runtime_options, &runtime));
    const RuntimeHandle owned(runtime);
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.runtime = runtime;
    const ModelHandle model = load_model(fixture_file("llama"), &options);
    AdapterHandle first = load_adapter(model.get(), path_of(lora));
    EXPECT_LOAD_REFUSED(model.get(), path_of(lora), nullptr, MULLAMA_ERROR_NO_SPACE);
    EXPECT_LOAD_REFUSED(model.get(), fixture_file("vector_llama"), nullptr, MULLAMA_ERROR_NO_SPACE);
    first.reset();
    EXPECT_TRUE(load_adapter(model.get(), path_of(lora)));
}

} // namespace

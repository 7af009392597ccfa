#include "support/capi.hpp"
#include "support/gguf_models.hpp"
#include "support/manifest.hpp"
#include "support/temporary_folder.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <thread>
#include <vector>

using namespace mullama::test;

namespace {

mullama_model_options_t model_options() {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    return options;
}

mullama_model_options_t echo_options() {
    auto options = model_options();
    options.backend = "echo";
    return options;
}

mullama_error_t *load(const std::string &path, const mullama_model_options_t *options,
                      mullama_model_t **out) {
    return mullama_model_load(path.data(), path.size(), options, out);
}

mullama_model_info_t info_of(const mullama_model_t *model) {
    mullama_model_info_t info;
    mullama_model_info_init(&info, sizeof info);
    EXPECT_OK(mullama_model_get_info(model, &info));
    return info;
}

std::string fingerprint_of(const ModelHandle &model) {
    return mullama_model_fingerprint(model.get(), nullptr);
}

std::string read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string format(const mullama_model_t *model, std::string_view key, size_t max_elements = 0) {
    size_t index = 0;
    EXPECT_OK(mullama_model_find_metadata(model, key.data(), key.size(), &index)) << key;
    mullama_text_t *text = nullptr;
    EXPECT_OK(mullama_model_metadata_format(model, index, max_elements, &text));
    return text_of(TextHandle(text).get());
}

// What the manifest says of each model.

const std::map<std::string, mullama_capability_t> capabilities = {
    {"decoder", MULLAMA_CAPABILITY_DECODER},
    {"encoder", MULLAMA_CAPABILITY_ENCODER},
    {"embedding", MULLAMA_CAPABILITY_EMBEDDING},
    {"rerank", MULLAMA_CAPABILITY_RERANK},
    {"recurrent", MULLAMA_CAPABILITY_RECURRENT},
    {"hybrid", MULLAMA_CAPABILITY_HYBRID},
    {"sliding_window", MULLAMA_CAPABILITY_SLIDING_WINDOW},
    {"chat_template", MULLAMA_CAPABILITY_CHAT_TEMPLATE},
    {"experts", MULLAMA_CAPABILITY_EXPERTS},
    {"diffusion", MULLAMA_CAPABILITY_DIFFUSION},
};

const std::map<std::string, mullama_pooling_t> poolings = {
    {"none", MULLAMA_POOLING_NONE}, {"mean", MULLAMA_POOLING_MEAN}, {"cls", MULLAMA_POOLING_CLS},
    {"last", MULLAMA_POOLING_LAST}, {"rank", MULLAMA_POOLING_RANK},
};

class Models : public testing::TestWithParam<Json> {};

INSTANTIATE_TEST_SUITE_P(Fixtures, Models, testing::ValuesIn(fixtures("model")),
                         [](const auto &row) { return name_of(row.param); });

TEST_P(Models, AreAsTheManifestSays) {
    const Json &row = GetParam();
    const ModelHandle model = load_model(path_of(row));
    ASSERT_TRUE(model);
    const mullama_model_info_t info = info_of(model.get());
    EXPECT_EQ(row["arch"], mullama_model_architecture(model.get(), nullptr));
    EXPECT_EQ(row["n_vocab"], info.n_vocab);
    EXPECT_EQ(row["n_ctx_train"], info.n_ctx_train);
    EXPECT_EQ(row["n_embd"], info.n_embd);
    EXPECT_EQ(row["n_layer"], info.n_layer);
    EXPECT_EQ(row["n_head"], info.n_head);
    EXPECT_EQ(row["n_head_kv"], info.n_head_kv);
    EXPECT_EQ(row["n_expert"], info.n_expert);
    EXPECT_EQ(row["n_swa"], info.n_swa);
    EXPECT_EQ(row["n_cls_out"], info.n_cls_out);
    EXPECT_EQ(row["n_params"], info.n_params);
    EXPECT_EQ(row["size_bytes"], info.size_bytes);
    EXPECT_EQ(row["n_kv"], mullama_model_metadata_count(model.get()));
    std::uint64_t bits = 0;
    for (const Json &name : row["capabilities"])
        bits |= static_cast<std::uint64_t>(capabilities.at(name.get<std::string>()));
    EXPECT_EQ(bits, info.capabilities);
    const std::string pooling = row.value("pooling", "none");
    EXPECT_EQ(poolings.at(pooling), info.pooling);

    size_t size = 0;
    EXPECT_EQ(std::strlen(mullama_model_fingerprint(model.get(), &size)), 32U);
    EXPECT_EQ(size, 32U);
    const std::string description = mullama_model_description(model.get(), &size);
    EXPECT_EQ(description.size(), size);
    EXPECT_FALSE(description.empty());
    EXPECT_STRNE(mullama_model_quantization(model.get(), nullptr), "");
    const char *const chat = mullama_model_chat_template(model.get(), nullptr, 0, &size);
    EXPECT_EQ(chat != nullptr, (bits & MULLAMA_CAPABILITY_CHAT_TEMPLATE) != 0);
    if (chat != nullptr) {
        EXPECT_EQ(std::strlen(chat), size);
    }
}

TEST_P(Models, LoadWithTheirVocabularyAlone) {
    const Json &row = GetParam();
    auto options = model_options();
    options.vocab_only = true;
    const ModelHandle model = load_model(path_of(row), &options);
    ASSERT_TRUE(model);
    const mullama_model_info_t info = info_of(model.get());
    EXPECT_EQ(row["n_vocab"], info.n_vocab);
    EXPECT_EQ(row["arch"], mullama_model_architecture(model.get(), nullptr));
    mullama_context_t *context = nullptr;
    EXPECT_REFUSED(mullama_context_new(model.get(), nullptr, &context), MULLAMA_ERROR_UNSUPPORTED);
    EXPECT_EQ(context, nullptr);
}

TEST_P(Models, AreEstimated) {
    const std::string path = path_of(GetParam());
    mullama_memory_estimate_t estimate;
    mullama_memory_estimate_init(&estimate, sizeof estimate);
    ASSERT_OK(mullama_model_estimate(path.data(), path.size(), nullptr, nullptr, &estimate));
    EXPECT_EQ(estimate.total, estimate.host_weights + estimate.host_context +
                                  estimate.host_compute + estimate.device_weights +
                                  estimate.device_context + estimate.device_compute);
    EXPECT_GE(estimate.host_weights + estimate.device_weights,
              GetParam()["size_bytes"].get<std::uint64_t>());
    EXPECT_GT(estimate.n_ctx, 0U);
}

// What is broken.

class Broken : public testing::TestWithParam<Json> {};

INSTANTIATE_TEST_SUITE_P(Fixtures, Broken, testing::ValuesIn(fixtures("broken")),
                         [](const auto &row) { return name_of(row.param); });

// Whether an error names, in its message or as its parameter, one of what the manifest lists; where
// it lists nothing there is nothing to name.
testing::AssertionResult names_the_fault(const mullama_error_t *error, const Json &row) {
    const std::string said = message_of(error) + "\n" + mullama_error_parameter(error, nullptr);
    for (const Json &name : row["names"]) {
        if (said.find(name.get<std::string>()) != std::string::npos)
            return testing::AssertionSuccess();
    }
    if (row["names"].empty())
        return testing::AssertionSuccess();
    return testing::AssertionFailure() << "none of " << row["names"] << " in: " << said;
}

// What llama.cpp accepts may load. It then gives results, or an error in use.
void use(mullama_model_t *model) {
    const ModelHandle owned(model);
    const mullama_token_t token = 5;
    mullama_context_t *context = nullptr;
    const ErrorHandle made(mullama_context_new(model, nullptr, &context));
    if (context != nullptr)
        const ErrorHandle used(mullama_context_prefill(context, 0, &token, 1, MULLAMA_OUTPUT_LAST));
    mullama_context_free(context);
}

TEST_P(Broken, IsRefusedWithItsCause) {
    const Json &row = GetParam();
    auto options = model_options();
    options.vocab_only = row["needs"] == "vocab_only";
    options.check_tensors = row["needs"] == "check_tensors";
    auto *const untouched = reinterpret_cast<mullama_model_t *>(1);
    mullama_model_t *model = untouched;
    const ErrorHandle error(load(path_of(row), &options, &model));
    if (error == nullptr) {
        ASSERT_EQ(row["llama_cpp"], "accepts") << "it loaded";
        use(model);
        return;
    }
    EXPECT_EQ(model, untouched);
    const mullama_error_code_t code = mullama_error_code(error.get());
    const std::set<mullama_error_code_t> of_files = {
        MULLAMA_ERROR_BAD_FILE,  MULLAMA_ERROR_BAD_MODEL,   MULLAMA_ERROR_UNKNOWN_MODEL,
        MULLAMA_ERROR_NOT_FOUND, MULLAMA_ERROR_UNSUPPORTED, MULLAMA_ERROR_IO,
    };
    const std::string message = message_of(error.get());
    EXPECT_EQ(of_files.count(code), 1U) << mullama_error_code_name(code) << ": " << message;
    // A split model whose count is wrong is not named like one: it is that name that is told.
    if (row["cause"] == "split")
        EXPECT_NE(message.find("split"), std::string::npos) << message;
    else
        EXPECT_TRUE(names_the_fault(error.get(), row));
    EXPECT_NE(message.find(name_of(row)), std::string::npos) << "expected the path in: " << message;
    EXPECT_STRNE(mullama_error_parameter(error.get(), nullptr), "");
}

// From memory the same files are refused the same way, as far as they are one file.

std::vector<Json> broken_single_files() {
    std::vector<Json> rows;
    for (const Json &row : fixtures("broken")) {
        if (row["files"].size() == 1 && row["cause"] != "folder" && row["cause"] != "split")
            rows.push_back(row);
    }
    return rows;
}

class BrokenInMemory : public testing::TestWithParam<Json> {};

INSTANTIATE_TEST_SUITE_P(Fixtures, BrokenInMemory, testing::ValuesIn(broken_single_files()),
                         [](const auto &row) { return name_of(row.param); });

TEST_P(BrokenInMemory, IsRefusedToo) {
    const Json &row = GetParam();
    auto options = model_options();
    options.vocab_only = row["needs"] == "vocab_only";
    options.check_tensors = row["needs"] == "check_tensors";
    const std::string bytes = read_file(path_of(row));
    mullama_model_t *model = nullptr;
    const ErrorHandle error(
        mullama_model_load_memory(bytes.data(), bytes.size(), &options, &model));
    if (error == nullptr) {
        ASSERT_EQ(row["llama_cpp"], "accepts") << "it loaded";
        use(model);
        return;
    }
    EXPECT_EQ(model, nullptr);
    EXPECT_TRUE(names_the_fault(error.get(), row));
}

// Options.

TEST(ModelOptions, DefaultsAreFilled) {
    mullama_model_options_t options;
    std::memset(&options, 0xAB, sizeof options);
    mullama_model_options_init(&options, sizeof options);
    EXPECT_EQ(options.struct_size, sizeof options);
    EXPECT_EQ(options.runtime, nullptr);
    EXPECT_EQ(options.backend, nullptr);
    EXPECT_EQ(options.n_gpu_layers, -1);
    EXPECT_EQ(options.split_mode, MULLAMA_SPLIT_MODE_LAYER);
    EXPECT_EQ(options.main_gpu, 0);
    EXPECT_EQ(options.tensor_split, nullptr);
    EXPECT_EQ(options.devices, nullptr);
    EXPECT_EQ(options.load_mode, MULLAMA_LOAD_MODE_AUTO);
    EXPECT_FALSE(options.vocab_only);
    EXPECT_FALSE(options.check_tensors);
    EXPECT_TRUE(options.repack);
    EXPECT_EQ(options.metadata_overrides, nullptr);
    EXPECT_EQ(options.probe_program, nullptr);
    EXPECT_EQ(options.progress, nullptr);
    mullama_model_options_init(nullptr, sizeof options);
}

TEST(ModelOptions, RefuseWhatCannotBe) {
    auto *const untouched = reinterpret_cast<mullama_model_t *>(1);
    mullama_model_t *model = untouched;
    const auto try_echo = [&](const mullama_model_options_t &options) {
        return mullama_model_load(nullptr, 0, &options, &model);
    };
    auto options = echo_options();
    options.backend = "imaginary";
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_UNSUPPORTED, "backend", {}, "echo");
    options = echo_options();
    options.backend = "ech\xFF";
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_INVALID_UTF8, "backend", 3);
    options = echo_options();
    options.n_gpu_layers = -2;
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_OUT_OF_RANGE, "n_gpu_layers");
    options = echo_options();
    options.main_gpu = -1;
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_OUT_OF_RANGE, "main_gpu");
    options = echo_options();
    options.load_mode = static_cast<mullama_load_mode_t>(6);
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_INVALID_ARGUMENT, "load_mode");

    options = echo_options();
    options.tensor_split_count = 1;
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_INVALID_ARGUMENT, "tensor_split");
    const std::array<float, 3> shares = {1, -1, 0};
    options.tensor_split = shares.data();
    options.tensor_split_count = 2;
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_OUT_OF_RANGE, "tensor_split", 1);
    options.tensor_split = shares.data() + 2;
    options.tensor_split_count = 1;
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_OUT_OF_RANGE, "tensor_split", {}, "share");
    const float nan = std::numeric_limits<float>::quiet_NaN();
    options.tensor_split = &nan;
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_OUT_OF_RANGE, "tensor_split", 0);

    options = echo_options();
    options.devices_count = 1;
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_INVALID_ARGUMENT, "devices");
    const std::array<const char *, 2> names = {"no such device", nullptr};
    options.devices = names.data();
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_NOT_FOUND, "devices", {}, "no such device");
    options.devices_count = 2;
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_INVALID_ARGUMENT, "devices[1]");

    options = echo_options();
    options.probe_program = "";
    EXPECT_REFUSED(try_echo(options), MULLAMA_ERROR_INVALID_ARGUMENT, "probe_program");
    EXPECT_EQ(model, untouched);

    options = echo_options();
    EXPECT_REFUSED(mullama_model_load(nullptr, 0, &options, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    EXPECT_REFUSED(mullama_model_load("x", 1, &options, &model), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "path");
    EXPECT_REFUSED(mullama_model_load_memory("x", 1, &options, &model),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "backend");
}

TEST(ModelOptions, FitOlderAndNewerCallers) {
    mullama_model_t *model = nullptr;
    auto older = echo_options();
    older.struct_size = offsetof(mullama_model_options_t, n_gpu_layers);
    older.n_gpu_layers = -99; // behind its end
    ASSERT_OK(mullama_model_load(nullptr, 0, &older, &model));
    mullama_model_free(std::exchange(model, nullptr));

    struct Newer {
        mullama_model_options_t known;
        std::uint64_t unknown[2];
    } newer{.known = {}, .unknown = {1, 2}};
    mullama_model_options_init(&newer.known, sizeof newer);
    newer.known.backend = "echo";
    ASSERT_OK(mullama_model_load(nullptr, 0, &newer.known, &model));
    mullama_model_free(std::exchange(model, nullptr));
    newer.unknown[1] = 1;
    EXPECT_REFUSED(mullama_model_load(nullptr, 0, &newer.known, &model), MULLAMA_ERROR_UNSUPPORTED,
                   "options", sizeof(mullama_model_options_t) + sizeof(std::uint64_t), "newer");

    mullama_model_options_t never_filled{};
    EXPECT_REFUSED(mullama_model_load(nullptr, 0, &never_filled, &model),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "options->struct_size", {},
                   "mullama_model_options_init");
}

TEST(ModelOptions, OverridesAreReadExactly) {
    struct Case {
        const char *text;
        mullama_error_code_t code;
        std::int64_t offset;
    };
    const std::string long_key = std::string(128, 'k') + "=int:1";
    const std::string long_text = "k=str:" + std::string(128, 'x');
    const std::array<Case, 16> cases = {{
        {"", MULLAMA_ERROR_INVALID_ARGUMENT, 0},
        {"echo.n_ctx_train", MULLAMA_ERROR_INVALID_ARGUMENT, 16},
        {"=int:1", MULLAMA_ERROR_INVALID_ARGUMENT, 0},
        {"key=1", MULLAMA_ERROR_INVALID_ARGUMENT, 4},
        {"key=whole:1", MULLAMA_ERROR_INVALID_ARGUMENT, 4},
        {"key=int:", MULLAMA_ERROR_INVALID_ARGUMENT, 8},
        {"key=int:12x", MULLAMA_ERROR_INVALID_ARGUMENT, 8},
        {"key=int: 1", MULLAMA_ERROR_INVALID_ARGUMENT, 8},
        {"key=int:9223372036854775808", MULLAMA_ERROR_OUT_OF_RANGE, 8},
        {"key=float:1,5", MULLAMA_ERROR_INVALID_ARGUMENT, 10},
        {"key=float:nan", MULLAMA_ERROR_INVALID_ARGUMENT, 10},
        {"key=float:1e999", MULLAMA_ERROR_INVALID_ARGUMENT, 10},
        {"key=bool:yes", MULLAMA_ERROR_INVALID_ARGUMENT, 9},
        {long_key.c_str(), MULLAMA_ERROR_OUT_OF_RANGE, 0},
        {long_text.c_str(), MULLAMA_ERROR_OUT_OF_RANGE, 6},
        // Read, and then refused by the engine.
        {"key=str:a=b:c", MULLAMA_ERROR_INVALID_ARGUMENT, -1},
    }};
    for (const Case &c : cases) {
        auto options = echo_options();
        options.metadata_overrides = &c.text;
        options.metadata_overrides_count = 1;
        mullama_model_t *model = nullptr;
        EXPECT_REFUSED(mullama_model_load(nullptr, 0, &options, &model), c.code,
                       "metadata_overrides", c.offset)
            << c.text;
    }
    const std::array<const char *, 2> with_null = {"echo.n_ctx_train=int:77", nullptr};
    auto options = echo_options();
    options.metadata_overrides = with_null.data();
    options.metadata_overrides_count = 2;
    mullama_model_t *model = nullptr;
    EXPECT_REFUSED(mullama_model_load(nullptr, 0, &options, &model), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "metadata_overrides[1]");
    options.metadata_overrides_count = 1;
    ASSERT_OK(mullama_model_load(nullptr, 0, &options, &model));
    const ModelHandle owned(model);
    EXPECT_EQ(info_of(model).n_ctx_train, 77);
    EXPECT_NE(fingerprint_of(owned), fingerprint_of(echo_model()));
}

TEST(ModelOptions, OverridesChangeTheModel) {
    const std::array<const char *, 4> texts = {
        "llama.context_length=int:333",
        "llama.rope.freq_base=float:5000.5",
        "tokenizer.ggml.add_bos_token=bool:false",
        "my.own=str:\xC3\xA4 = b:c",
    };
    auto options = model_options();
    options.metadata_overrides = texts.data();
    options.metadata_overrides_count = texts.size();
    const ModelHandle model = load_model(fixture_path("llama.gguf"), &options);
    ASSERT_TRUE(model);
    const ModelHandle plain = load_model(fixture_path("llama.gguf"));
    EXPECT_EQ(info_of(model.get()).n_ctx_train, 333);
    EXPECT_EQ(format(model.get(), "llama.context_length"), "333");
    EXPECT_EQ(format(model.get(), "llama.rope.freq_base"), "5000.5");
    EXPECT_EQ(format(model.get(), "my.own"), "\"\xC3\xA4 = b:c\"");
    EXPECT_NE(fingerprint_of(model), fingerprint_of(plain));
    mullama_tokens_t *tokens = nullptr;
    ASSERT_OK(mullama_model_tokenize(model.get(), "a", 1, nullptr, &tokens));
    const TokensHandle owned(tokens);
    EXPECT_NE(mullama_tokens_data(tokens, nullptr)[0],
              mullama_model_special_token(model.get(), MULLAMA_SPECIAL_BOS));

    // The engine's own type for a key counts.
    const char *const wrong = "llama.context_length=str:long";
    options.metadata_overrides = &wrong;
    options.metadata_overrides_count = 1;
    mullama_model_t *none = nullptr;
    const ErrorHandle error(load(fixture_path("llama.gguf"), &options, &none));
    ASSERT_NE(error, nullptr);
    EXPECT_NE(message_of(error.get()).find("context_length"), std::string::npos);
}

// Paths.

TEST(ModelPath, RefusesWhatIsNone) {
    mullama_model_t *model = nullptr;
    EXPECT_REFUSED(mullama_model_load(nullptr, 0, nullptr, &model), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "path");
    EXPECT_REFUSED(mullama_model_load("", 0, nullptr, &model), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "path");
    EXPECT_REFUSED(load(std::string("a\0b", 3), nullptr, &model), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "path", 1);
    EXPECT_REFUSED(load("a\xFF", nullptr, &model), MULLAMA_ERROR_INVALID_UTF8, "path", 1);
    EXPECT_REFUSED(load("/no/such/model.gguf", nullptr, &model), MULLAMA_ERROR_NOT_FOUND, "", {},
                   "/no/such/model.gguf");
    EXPECT_REFUSED(load(fixture_path(), nullptr, &model), MULLAMA_ERROR_IO, "", {}, "");
    EXPECT_REFUSED(mullama_model_load_parts(nullptr, 0, nullptr, &model),
                   MULLAMA_ERROR_OUT_OF_RANGE, "paths_count");
    const std::array<const char *, 2> paths = {"x", nullptr};
    EXPECT_REFUSED(mullama_model_load_parts(paths.data(), 2, nullptr, &model),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "paths[1]");
    EXPECT_REFUSED(mullama_model_load_memory(nullptr, 0, nullptr, &model),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "data");
    EXPECT_REFUSED(mullama_model_load_memory("", 0, nullptr, &model), MULLAMA_ERROR_BAD_FILE);
}

TEST(ModelPath, NeedsNoEndingAndNoAscii) {
    const TemporaryFolder folder;
    const std::string bytes = read_file(fixture_path("llama.gguf"));
    for (const char *const name :
         {"model", "sha256-abc", "\xE7\x81\xAF\xE5\x8F\xB0 \xF0\x9F\x99\x82.bin"}) {
        const ModelHandle model = load_model(folder.write(name, bytes));
        ASSERT_TRUE(model) << name;
        EXPECT_EQ(fingerprint_of(model), fingerprint_of(load_model(fixture_path("llama.gguf"))));
    }
}

TEST(ModelPath, SplitModelsAreOne) {
    const std::string first = fixture_path("llama_split-00001-of-00003.gguf");
    const std::string second = fixture_path("llama_split-00002-of-00003.gguf");
    const std::string third = fixture_path("llama_split-00003-of-00003.gguf");
    const ModelHandle model = load_model(first);
    ASSERT_TRUE(model);
    const mullama_model_info_t info = info_of(model.get());
    EXPECT_EQ(info.n_params, info_of(load_model(fixture_path("llama.gguf")).get()).n_params);

    mullama_model_t *out = nullptr;
    EXPECT_REFUSED(load(second, nullptr, &out), MULLAMA_ERROR_BAD_FILE, "path");

    // Under names of their own, all parts are given.
    const TemporaryFolder folder;
    const std::string a = folder.write("a", read_file(first));
    const std::string b = folder.write("b", read_file(second));
    const std::string c = folder.write("c", read_file(third));
    std::array<const char *, 3> paths = {a.c_str(), b.c_str(), c.c_str()};
    ASSERT_OK(mullama_model_load_parts(paths.data(), paths.size(), nullptr, &out));
    const ModelHandle parts(std::exchange(out, nullptr));
    EXPECT_EQ(fingerprint_of(parts), fingerprint_of(model));
    EXPECT_EQ(info_of(parts.get()).n_params, info.n_params);
    std::swap(paths[1], paths[2]);
    EXPECT_REFUSED(mullama_model_load_parts(paths.data(), paths.size(), nullptr, &out),
                   MULLAMA_ERROR_BAD_MODEL);
    EXPECT_REFUSED(mullama_model_load_parts(paths.data(), 2, nullptr, &out),
                   MULLAMA_ERROR_BAD_MODEL);

    // One path stands for a model in one file, or the first part of a split one.
    const std::string whole = fixture_path("llama.gguf");
    const std::array<const char *, 1> one = {whole.c_str()};
    ASSERT_OK(mullama_model_load_parts(one.data(), one.size(), nullptr, &out));
    mullama_model_free(out);
}

TEST(ModelMemory, IsTheSameModel) {
    for (const char *const file : {"llama.gguf", "llama_tied.gguf", "t5.gguf", "llama_q4_0.gguf"}) {
        std::string bytes = read_file(fixture_path(file));
        for (const mullama_load_mode_t mode :
             {MULLAMA_LOAD_MODE_AUTO, MULLAMA_LOAD_MODE_READ, MULLAMA_LOAD_MODE_MMAP}) {
            auto options = model_options();
            options.load_mode = mode;
            mullama_model_t *out = nullptr;
            ASSERT_OK(mullama_model_load_memory(bytes.data(), bytes.size(), &options, &out));
            const ModelHandle model(out);
            const ModelHandle from_file = load_model(fixture_path(file));
            EXPECT_EQ(fingerprint_of(model), fingerprint_of(from_file));
            EXPECT_EQ(info_of(model.get()).size_bytes, info_of(from_file.get()).size_bytes);
        }
        // The bytes are the caller's again.
        mullama_model_t *out = nullptr;
        ASSERT_OK(mullama_model_load_memory(bytes.data(), bytes.size(), nullptr, &out));
        const ModelHandle model(out);
        std::fill(bytes.begin(), bytes.end(), '\xFF');
        mullama_tokens_t *tokens = nullptr;
        EXPECT_OK(mullama_model_tokenize(out, "still there", 11, nullptr, &tokens));
        mullama_tokens_free(tokens);
    }
}

TEST(ModelMemory, CannotBeProbed) {
    auto options = model_options();
    options.probe_program = "/bin/true";
    const std::string bytes = read_file(fixture_path("llama.gguf"));
    mullama_model_t *model = nullptr;
    EXPECT_REFUSED(mullama_model_load_memory(bytes.data(), bytes.size(), &options, &model),
                   MULLAMA_ERROR_UNSUPPORTED, "probe_program");
}

TEST(ModelLoad, ModeInEffectIsReported) {
    const std::string path = fixture_path("llama.gguf");
    for (const mullama_load_mode_t mode : {MULLAMA_LOAD_MODE_READ, MULLAMA_LOAD_MODE_MMAP}) {
        auto options = model_options();
        options.load_mode = mode;
        const ModelHandle model = load_model(path, &options);
        ASSERT_TRUE(model);
        EXPECT_EQ(info_of(model.get()).load_mode, mode);
    }
    // What the system refuses (locked memory, direct reads) is told as it turned out.
    for (const mullama_load_mode_t mode :
         {MULLAMA_LOAD_MODE_AUTO, MULLAMA_LOAD_MODE_MLOCK, MULLAMA_LOAD_MODE_MMAP_MLOCK,
          MULLAMA_LOAD_MODE_DIRECT}) {
        auto options = model_options();
        options.load_mode = mode;
        const ModelHandle model = load_model(path, &options);
        ASSERT_TRUE(model);
        EXPECT_NE(info_of(model.get()).load_mode, MULLAMA_LOAD_MODE_AUTO);
    }
}

// ggml asserts that tensors it uses from a mapping are aligned to 32 bytes.
TEST(ModelLoad, FilesThatCannotBeMappedAreRead) {
    std::set<mullama_load_mode_t> modes;
    for (size_t padding = 0; padding < 32; padding += 8) {
        const std::vector<std::byte> bytes =
            llama_model().alignment(8).set("padding", std::string(padding, 'x')).build();
        auto options = model_options();
        options.load_mode = MULLAMA_LOAD_MODE_MMAP;
        mullama_model_t *out = nullptr;
        ASSERT_OK(mullama_model_load_memory(bytes.data(), bytes.size(), &options, &out));
        const ModelHandle model(out);
        modes.insert(info_of(out).load_mode);
        const mullama_token_t token = 5;
        mullama_context_t *context = nullptr;
        ASSERT_OK(mullama_context_new(out, nullptr, &context));
        EXPECT_OK(mullama_context_prefill(context, 0, &token, 1, MULLAMA_OUTPUT_LAST));
        mullama_context_free(context);
    }
    EXPECT_EQ(modes, (std::set{MULLAMA_LOAD_MODE_READ, MULLAMA_LOAD_MODE_MMAP}));
}

TEST(ModelLoad, ProgressRisesFromZeroToOne) {
    struct Heard {
        std::vector<float> all;
        std::thread::id thread;
    };
    for (const bool echo : {true, false}) {
        for (const bool vocab_only : {false, true}) {
            Heard heard;
            auto options = echo ? echo_options() : model_options();
            options.vocab_only = vocab_only;
            options.progress = [](float progress, void *self) {
                static_cast<Heard *>(self)->all.push_back(progress);
                static_cast<Heard *>(self)->thread = std::this_thread::get_id();
                return true;
            };
            options.progress_user_data = &heard;
            const ModelHandle model = load_model(echo ? "" : fixture_path("llama.gguf"), &options);
            ASSERT_TRUE(model);
            ASSERT_GE(heard.all.size(), 2U);
            EXPECT_EQ(heard.all.front(), 0.0F);
            EXPECT_EQ(heard.all.back(), 1.0F);
            EXPECT_TRUE(std::is_sorted(heard.all.begin(), heard.all.end()));
            EXPECT_EQ(std::count(heard.all.begin(), heard.all.end(), 1.0F), 1);
            EXPECT_EQ(heard.thread, std::this_thread::get_id());
        }
    }
}

TEST(ModelLoad, CanBeCancelledAtEveryStep) {
    struct Patience {
        int left;
        static bool spend(float, void *self) { return static_cast<Patience *>(self)->left-- > 0; }
    };
    for (const bool echo : {true, false}) {
        int steps = 0;
        for (;; ++steps) {
            ASSERT_LT(steps, 1000);
            Patience patience{steps};
            auto options = echo ? echo_options() : model_options();
            options.progress = Patience::spend;
            options.progress_user_data = &patience;
            mullama_model_t *model = nullptr;
            mullama_error_t *const error =
                load(echo ? "" : fixture_path("llama.gguf"), &options, &model);
            if (error == nullptr) {
                mullama_model_free(model);
                break;
            }
            EXPECT_EQ(model, nullptr);
            EXPECT_REFUSED(error, MULLAMA_ERROR_CANCELLED, "progress");
        }
        EXPECT_GE(steps, 2);
    }
}

// References, threads, budgets.

TEST(ModelReferences, LastOneFrees) {
    mullama_model_t *const model = echo_model().release();
    EXPECT_EQ(mullama_model_retain(model), model);
    EXPECT_EQ(mullama_model_retain(model), model);
    mullama_model_free(model);
    mullama_model_free(model);
    EXPECT_EQ(info_of(model).n_vocab, 265);
    mullama_model_free(model);
    EXPECT_EQ(mullama_model_retain(nullptr), nullptr);
    mullama_model_free(nullptr);
}

TEST(ModelReferences, ThreadsShareAModel) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    ASSERT_TRUE(model);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 200; ++round) {
                const ModelHandle mine(mullama_model_retain(model.get()));
                EXPECT_EQ(info_of(mine.get()).n_vocab, 512);
                size_t index = 0;
                EXPECT_OK(
                    mullama_model_find_metadata(mine.get(), "general.architecture", 20, &index));
                mullama_tokens_t *tokens = nullptr;
                EXPECT_OK(mullama_model_tokenize(mine.get(), "text", 4, nullptr, &tokens));
                mullama_tokens_free(tokens);
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
}

TEST(ModelBudget, CountsWhatIsLoaded) {
    const std::uint64_t size = info_of(load_model(fixture_path("llama.gguf")).get()).size_bytes;
    mullama_runtime_options_t runtime_options;
    mullama_runtime_options_init(&runtime_options, sizeof runtime_options);
    runtime_options.max_memory = size * 3 / 2;
    mullama_runtime_t *runtime = nullptr;
    ASSERT_OK(mullama_runtime_new(&runtime_options, &runtime));
    const RuntimeHandle owned(runtime);
    auto options = model_options();
    options.runtime = runtime;
    ModelHandle first = load_model(fixture_path("llama.gguf"), &options);
    ASSERT_TRUE(first);
    mullama_model_t *second = nullptr;
    mullama_error_t *const error = load(fixture_path("llama.gguf"), &options, &second);
    EXPECT_TRUE(mullama_error_retryable(error));
    EXPECT_REFUSED(error, MULLAMA_ERROR_NO_SPACE, "max_memory", {}, "budget");
    // The vocabulary alone takes none of it; the first one's share comes back.
    options.vocab_only = true;
    EXPECT_TRUE(load_model(fixture_path("llama.gguf"), &options));
    options.vocab_only = false;
    first.reset();
    EXPECT_TRUE(load_model(fixture_path("llama.gguf"), &options));
}

// Fingerprints.

TEST(ModelFingerprint, TellsContentsApart) {
    std::map<std::string, std::string> names;
    for (const char *const kind : {"model", "vocabulary"}) {
        for (const Json &row : fixtures(kind)) {
            auto options = model_options();
            options.vocab_only = true;
            const ModelHandle model = load_model(path_of(row), &options);
            ASSERT_TRUE(model);
            // The same content under another name, or cut up, is the same model.
            const std::string name = name_of(row) == "noext" || name_of(row) == "llama_split"
                                         ? row["same_as"].get<std::string>()
                                         : name_of(row);
            const auto [other, is_new] = names.emplace(fingerprint_of(model), name);
            EXPECT_EQ(other->second, name);
        }
    }
}

TEST(ModelFingerprint, DoesNotDependOnOptions) {
    const std::string path = fixture_path("llama.gguf");
    auto options = model_options();
    options.load_mode = MULLAMA_LOAD_MODE_READ;
    options.repack = false;
    EXPECT_EQ(fingerprint_of(load_model(path, &options)), fingerprint_of(load_model(path)));
    EXPECT_EQ(fingerprint_of(echo_model()), fingerprint_of(echo_model()));
}

// Metadata.

TEST(ModelMetadata, HoldsEveryTypeAndText) {
    const auto rows = fixtures("model");
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [](const Json &r) { return name_of(r) == "metadata"; });
    ASSERT_NE(row, rows.end());
    const ModelHandle model = load_model(path_of(*row));
    ASSERT_TRUE(model);
    const std::map<std::string, mullama_metadata_type_t> types = {
        {"u8", MULLAMA_METADATA_UINT8},    {"i8", MULLAMA_METADATA_INT8},
        {"u16", MULLAMA_METADATA_UINT16},  {"i16", MULLAMA_METADATA_INT16},
        {"u32", MULLAMA_METADATA_UINT32},  {"i32", MULLAMA_METADATA_INT32},
        {"u64", MULLAMA_METADATA_UINT64},  {"i64", MULLAMA_METADATA_INT64},
        {"f32", MULLAMA_METADATA_FLOAT32}, {"f64", MULLAMA_METADATA_FLOAT64},
        {"bool", MULLAMA_METADATA_BOOL},   {"string", MULLAMA_METADATA_STRING},
    };
    size_t seen = 0;
    for (const Json &expected : (*row)["entries"]) {
        const std::string key = expected["key"];
        SCOPED_TRACE(key);
        size_t index = 0;
        ASSERT_OK(mullama_model_find_metadata(model.get(), key.data(), key.size(), &index));
        mullama_metadata_entry_t entry;
        mullama_metadata_entry_init(&entry, sizeof entry);
        ASSERT_OK(mullama_model_get_metadata(model.get(), index, &entry));
        EXPECT_EQ(std::string(entry.key, entry.key_size), key);
        EXPECT_EQ(entry.is_array, expected["type"] == "array");
        EXPECT_EQ(entry.type, types.at(expected[entry.is_array ? "item" : "type"]));
        EXPECT_EQ(entry.count, expected.value("count", size_t{1}));
        ++seen;

        mullama_text_t *text = nullptr;
        ASSERT_OK(mullama_model_metadata_format(model.get(), index, 0, &text));
        const Json shown = Json::parse(text_of(TextHandle(text).get()));
        if (!expected.contains("value"))
            continue;
        EXPECT_EQ(shown, expected["value"]);
        const Json list = entry.is_array ? expected["value"] : Json::array({expected["value"]});
        for (size_t i = 0; i < list.size(); ++i) {
            std::int64_t whole = 0;
            double real = 0;
            bool truth = false;
            const char *bytes = nullptr;
            size_t size = 0;
            if (list[i].is_boolean()) {
                ASSERT_OK(mullama_model_metadata_bool(model.get(), index, i, &truth));
                EXPECT_EQ(list[i], truth);
            } else if (list[i].is_string()) {
                ASSERT_OK(mullama_model_metadata_string(model.get(), index, i, &bytes, &size));
                EXPECT_EQ(bytes[size], '\0');
                EXPECT_EQ(list[i], std::string(bytes, size));
            } else if (list[i].is_number_float()) {
                ASSERT_OK(mullama_model_metadata_float(model.get(), index, i, &real));
                EXPECT_EQ(list[i], real);
            } else if (list[i].is_number_unsigned() &&
                       list[i].get<std::uint64_t>() > std::uint64_t{INT64_MAX}) {
                EXPECT_REFUSED(mullama_model_metadata_int(model.get(), index, i, &whole),
                               MULLAMA_ERROR_OUT_OF_RANGE, "index", {}, key);
            } else {
                ASSERT_OK(mullama_model_metadata_int(model.get(), index, i, &whole));
                EXPECT_EQ(list[i], whole);
                ASSERT_OK(mullama_model_metadata_float(model.get(), index, i, &real));
                EXPECT_EQ(real, static_cast<double>(whole));
            }
        }
    }
    EXPECT_GT(seen, 50U);
}

TEST(ModelMetadata, ShowsWhatJsonHasNoWordFor) {
    const ModelHandle model = load_model(fixture_path("metadata.gguf"));
    ASSERT_TRUE(model);
    EXPECT_EQ(format(model.get(), "fixture.f32.not_a_number"), "null");
    EXPECT_EQ(format(model.get(), "fixture.f64.infinite"), "null");
    EXPECT_EQ(format(model.get(), "fixture.array.empty.u32"), "[]");
    EXPECT_EQ(format(model.get(), "fixture.array.u8", 2), "[0, 0, ...]");
    EXPECT_EQ(format(model.get(), "fixture.array.u8", 4), "[0, 0, 1, 255]");
    EXPECT_EQ(format(model.get(), "fixture.u64.highest"), "18446744073709551615");
    // Bytes that are no UTF-8 come out as they are, and are shown as U+FFFD.
    EXPECT_NE(format(model.get(), "fixture.string.not_utf8").find("\xEF\xBF\xBD"),
              std::string::npos);
    size_t index = 0;
    ASSERT_OK(mullama_model_find_metadata(model.get(), "fixture.string.not_utf8", 23, &index));
    const char *bytes = nullptr;
    size_t size = 0;
    ASSERT_OK(mullama_model_metadata_string(model.get(), index, 0, &bytes, &size));
    EXPECT_NE(std::string(bytes, size).find('\xFF'), std::string::npos);
}

TEST(ModelMetadata, RefusesWhatCannotBe) {
    const ModelHandle model = load_model(fixture_path("metadata.gguf"));
    ASSERT_TRUE(model);
    const size_t count = mullama_model_metadata_count(model.get());
    size_t index = 77;
    EXPECT_REFUSED(mullama_model_find_metadata(model.get(), "no.such.key", 11, &index),
                   MULLAMA_ERROR_NOT_FOUND, "key", {}, "no.such.key");
    EXPECT_REFUSED(mullama_model_find_metadata(model.get(), nullptr, 1, &index),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "key");
    EXPECT_REFUSED(mullama_model_find_metadata(nullptr, "x", 1, &index),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "model");
    EXPECT_REFUSED(mullama_model_find_metadata(model.get(), "x", 1, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "index");
    EXPECT_EQ(index, 77U);

    mullama_metadata_entry_t entry;
    mullama_metadata_entry_init(&entry, sizeof entry);
    EXPECT_STREQ(entry.key, "");
    EXPECT_REFUSED(mullama_model_get_metadata(model.get(), count, &entry),
                   MULLAMA_ERROR_OUT_OF_RANGE, "index");
    EXPECT_REFUSED(mullama_model_get_metadata(model.get(), 0, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "entry");
    entry.struct_size = 0;
    EXPECT_REFUSED(mullama_model_get_metadata(model.get(), 0, &entry),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "entry->struct_size");

    size_t text_index = 0;
    size_t number_index = 0;
    ASSERT_OK(mullama_model_find_metadata(model.get(), "general.architecture", 20, &text_index));
    ASSERT_OK(mullama_model_find_metadata(model.get(), "fixture.array.u8", 16, &number_index));
    std::int64_t whole = 5;
    double real = 5;
    bool truth = true;
    const char *bytes = "untouched";
    size_t size = 5;
    EXPECT_REFUSED(mullama_model_metadata_int(model.get(), text_index, 0, &whole),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "index", {}, "general.architecture");
    EXPECT_REFUSED(mullama_model_metadata_float(model.get(), text_index, 0, &real),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "index");
    EXPECT_REFUSED(mullama_model_metadata_bool(model.get(), number_index, 0, &truth),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "index");
    EXPECT_REFUSED(mullama_model_metadata_string(model.get(), number_index, 0, &bytes, &size),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "index");
    EXPECT_REFUSED(mullama_model_metadata_int(model.get(), number_index, 4, &whole),
                   MULLAMA_ERROR_OUT_OF_RANGE, "element");
    EXPECT_REFUSED(mullama_model_metadata_int(model.get(), count, 0, &whole),
                   MULLAMA_ERROR_OUT_OF_RANGE, "index");
    EXPECT_REFUSED(mullama_model_metadata_int(model.get(), number_index, 0, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "value");
    EXPECT_REFUSED(mullama_model_metadata_string(model.get(), text_index, 0, nullptr, &size),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "text");
    EXPECT_REFUSED(mullama_model_metadata_string(model.get(), text_index, 0, &bytes, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "size");
    mullama_text_t *text = nullptr;
    EXPECT_REFUSED(mullama_model_metadata_format(model.get(), count, 0, &text),
                   MULLAMA_ERROR_OUT_OF_RANGE, "index");
    EXPECT_REFUSED(mullama_model_metadata_format(model.get(), 0, 0, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    EXPECT_EQ(whole, 5);
    EXPECT_EQ(real, 5);
    EXPECT_TRUE(truth);
    EXPECT_STREQ(bytes, "untouched");
    EXPECT_EQ(size, 5U);
    EXPECT_EQ(text, nullptr);
}

TEST(Model, NullIsNoModel) {
    size_t size = 9;
    for (const auto text : {mullama_model_architecture, mullama_model_description,
                            mullama_model_quantization, mullama_model_fingerprint}) {
        EXPECT_STREQ(text(nullptr, &size), "");
        EXPECT_EQ(size, 0U);
        EXPECT_STREQ(text(nullptr, nullptr), "");
    }
    EXPECT_EQ(mullama_model_chat_template(nullptr, nullptr, 0, &size), nullptr);
    EXPECT_EQ(mullama_model_metadata_count(nullptr), 0U);
    mullama_model_info_t info;
    mullama_model_info_init(&info, sizeof info);
    EXPECT_REFUSED(mullama_model_get_info(nullptr, &info), MULLAMA_ERROR_INVALID_ARGUMENT, "model");
    const ModelHandle model = echo_model();
    EXPECT_REFUSED(mullama_model_get_info(model.get(), nullptr), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "info");
    info.struct_size = 8;
    EXPECT_REFUSED(mullama_model_get_info(model.get(), &info), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "info->struct_size");
    mullama_model_info_init(nullptr, 1);
    mullama_metadata_entry_init(nullptr, 1);
    mullama_memory_estimate_init(nullptr, 1);
}

TEST(Model, InfoFitsOlderCallers) {
    const ModelHandle model = echo_model();
    mullama_model_info_t info;
    std::memset(&info, 0x5A, sizeof info);
    mullama_model_info_init(&info, offsetof(mullama_model_info_t, n_ctx_train));
    ASSERT_OK(mullama_model_get_info(model.get(), &info));
    EXPECT_EQ(info.n_vocab, 265);
    EXPECT_EQ(info.n_ctx_train, 0x5A5A5A5A);
    EXPECT_EQ(info.struct_size, offsetof(mullama_model_info_t, n_ctx_train));
}

TEST(Model, ChatTemplatesHaveNames) {
    const ModelHandle model = echo_model();
    size_t size = 0;
    ASSERT_NE(mullama_model_chat_template(model.get(), nullptr, 0, &size), nullptr);
    EXPECT_GT(size, 0U);
    EXPECT_NE(mullama_model_chat_template(model.get(), "", 0, nullptr), nullptr);
    EXPECT_EQ(mullama_model_chat_template(model.get(), "tool_use", 8, &size), nullptr);
}

// Estimates.

TEST(Estimate, GrowsWithTheContext) {
    const std::string path = fixture_path("llama.gguf");
    mullama_context_options_t context;
    mullama_context_options_init(&context, sizeof context);
    context.n_ctx = 512;
    mullama_memory_estimate_t small;
    mullama_memory_estimate_init(&small, sizeof small);
    ASSERT_OK(mullama_model_estimate(path.data(), path.size(), nullptr, &context, &small));
    EXPECT_EQ(small.n_ctx, 512U);
    context.n_ctx = 1024;
    mullama_memory_estimate_t large;
    mullama_memory_estimate_init(&large, sizeof large);
    ASSERT_OK(mullama_model_estimate(path.data(), path.size(), nullptr, &context, &large));
    EXPECT_EQ(large.n_ctx, 1024U);
    EXPECT_EQ(large.host_context + large.device_context,
              2 * (small.host_context + small.device_context));
    EXPECT_EQ(large.host_weights, small.host_weights);

    context.type_k = static_cast<mullama_cache_type_t>(9);
    mullama_memory_estimate_t untouched = small;
    EXPECT_REFUSED(mullama_model_estimate(path.data(), path.size(), nullptr, &context, &small),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "type_k");
    EXPECT_EQ(std::memcmp(&untouched, &small, sizeof small), 0);
    EXPECT_REFUSED(mullama_model_estimate(path.data(), path.size(), nullptr, nullptr, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "estimate");
    EXPECT_REFUSED(mullama_model_estimate("/none", 5, nullptr, nullptr, &small),
                   MULLAMA_ERROR_NOT_FOUND);
}

TEST(Estimate, KnowsTheEchoEngine) {
    const auto options = echo_options();
    mullama_memory_estimate_t estimate;
    mullama_memory_estimate_init(&estimate, sizeof estimate);
    ASSERT_OK(mullama_model_estimate(nullptr, 0, &options, nullptr, &estimate));
    EXPECT_EQ(estimate.n_ctx, 4096U);
    EXPECT_GT(estimate.total, 0U);
}

} // namespace

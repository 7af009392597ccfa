// Loading: facts, options, cancelling, and what cannot be loaded.
#include "backend/llama/support.hpp"

#include <fstream>
#include <sstream>

#include "platform/memory_file.hpp"
#include "support/temporary_folder.hpp"

namespace mullama::test {
namespace {

std::string contents(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(Load, TellsTheFacts) {
    const auto model = load(fixture("moe"));
    const ModelFacts &facts = model->facts();
    EXPECT_EQ(facts.architecture, "qwen3moe");
    EXPECT_EQ(facts.description, "qwen3moe F32");
    EXPECT_EQ(facts.quantization, "F32");
    EXPECT_EQ(facts.n_expert, 6);
    EXPECT_EQ(facts.n_embd, 64);
    EXPECT_EQ(facts.n_layer, 2);
    EXPECT_EQ(facts.n_head, 4);
    EXPECT_EQ(facts.n_head_kv, 2);
    EXPECT_EQ(facts.size_bytes, facts.n_params * 4);
    EXPECT_EQ(facts.pooling, MULLAMA_POOLING_NONE);
    EXPECT_TRUE(facts.has_decoder);
    EXPECT_FALSE(facts.has_encoder);
    EXPECT_EQ(facts.n_gpu_layers, 0);
    ASSERT_TRUE(model->chat_template("").has_value());
    EXPECT_FALSE(model->chat_template("no such template").has_value());
}

struct Ability {
    const char *name;
    bool encoder;
    bool decoder;
    bool recurrent;
    bool hybrid;
    mullama_pooling_t pooling;
    std::int32_t n_swa;
    std::int32_t n_cls_out;
};

TEST(Load, TellsAbilities) {
    for (const Ability &its : {
             Ability{"llama", false, true, false, false, MULLAMA_POOLING_NONE, 0, 0},
             Ability{"recurrent", false, true, true, false, MULLAMA_POOLING_NONE, 0, 0},
             Ability{"rwkv", false, true, true, false, MULLAMA_POOLING_NONE, 0, 0},
             Ability{"hybrid", false, true, false, true, MULLAMA_POOLING_NONE, 0, 0},
             Ability{"swa", false, true, false, false, MULLAMA_POOLING_NONE, 64, 0},
             Ability{"t5", true, true, false, false, MULLAMA_POOLING_NONE, 0, 0},
             Ability{"bert_mean", true, false, false, false, MULLAMA_POOLING_MEAN, 0, 0},
             Ability{"bert_cls", true, false, false, false, MULLAMA_POOLING_CLS, 0, 0},
             Ability{"bert_last", true, false, false, false, MULLAMA_POOLING_LAST, 0, 0},
             Ability{"bert_rank", true, false, false, false, MULLAMA_POOLING_RANK, 0, 1},
             Ability{"qwen_rank", false, true, false, false, MULLAMA_POOLING_RANK, 0, 2},
         }) {
        const auto model = load(fixture(its.name));
        const ModelFacts &facts = model->facts();
        EXPECT_EQ(facts.has_encoder, its.encoder) << its.name;
        EXPECT_EQ(facts.has_decoder, its.decoder) << its.name;
        EXPECT_EQ(facts.is_recurrent, its.recurrent) << its.name;
        EXPECT_EQ(facts.is_hybrid, its.hybrid) << its.name;
        EXPECT_EQ(facts.pooling, its.pooling) << its.name;
        EXPECT_EQ(facts.n_swa, its.n_swa) << its.name;
        EXPECT_EQ(facts.n_cls_out, its.n_cls_out) << its.name;
    }
}

TEST(Load, ReportsTheModeInEffect) {
    ModelParams params;
    EXPECT_EQ(load(fixture("llama"), params)->facts().load_mode, MULLAMA_LOAD_MODE_MMAP);
    for (const auto mode :
         {MULLAMA_LOAD_MODE_READ, MULLAMA_LOAD_MODE_MMAP, MULLAMA_LOAD_MODE_DIRECT}) {
        params.load_mode = mode;
        const auto model = load(fixture("llama"), params);
        // A file system without direct access, such as that of a container, falls back.
        if (mode == MULLAMA_LOAD_MODE_DIRECT) {
            EXPECT_TRUE(model->facts().load_mode == MULLAMA_LOAD_MODE_DIRECT ||
                        model->facts().load_mode == MULLAMA_LOAD_MODE_READ);
        } else {
            EXPECT_EQ(model->facts().load_mode, mode);
        }
        const auto context = model->new_context(small_context());
        EXPECT_EQ(context->decode(batch_of(tokenize(*model, "x"), 0)), DecodeStatus::ok);
    }
    params.load_mode = MULLAMA_LOAD_MODE_MLOCK;
    const auto locked = load(fixture("llama"), params)->facts().load_mode;
    EXPECT_TRUE(locked == MULLAMA_LOAD_MODE_MLOCK || locked == MULLAMA_LOAD_MODE_READ);
    params.load_mode = MULLAMA_LOAD_MODE_MMAP_MLOCK;
    const auto both = load(fixture("llama"), params)->facts().load_mode;
    EXPECT_TRUE(both == MULLAMA_LOAD_MODE_MMAP_MLOCK || both == MULLAMA_LOAD_MODE_MMAP);
}

TEST(Load, ReadsAVocabularyAlone) {
    ModelParams params;
    params.vocab_only = true;
    const auto model = load(fixture("vocab_bpe"), params);
    EXPECT_EQ(model->vocab().type(), MULLAMA_VOCAB_BPE);
    EXPECT_FALSE(tokenize(*model, "Hello world").empty());
    EXPECT_EQ(error_of([&] { (void)model->new_context(small_context()); }).code,
              MULLAMA_ERROR_UNSUPPORTED);
    EXPECT_EQ(load(fixture("llama"), params)->facts().n_ctx_train, 1024);
}

TEST(Load, TakesMetadataOverrides) {
    ModelParams params;
    params.overrides = {{"llama.context_length", std::int64_t{77}}};
    EXPECT_EQ(load(fixture("llama"), params)->facts().n_ctx_train, 77);
    params.overrides = {{"tokenizer.ggml.add_bos_token", false},
                        {"llama.rope.freq_base", 5000.0},
                        {"general.name", std::string("renamed")}};
    EXPECT_FALSE(load(fixture("llama"), params)->vocab().adds_bos());
}

TEST(Load, RefusesOverridesThatDoNotFit) {
    ModelParams params;
    params.overrides = {{"llama.context_length", 7.5}};
    const auto wrong_type = error_of([&] { (void)load(fixture("llama"), params); });
    EXPECT_EQ(wrong_type.code, MULLAMA_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(wrong_type.message.find("llama.context_length"), std::string::npos)
        << wrong_type.message;
    params.overrides = {{std::string(128, 'k'), true}};
    EXPECT_EQ(error_of([&] { (void)load(fixture("llama"), params); }).parameter,
              "metadata_overrides");
    params.overrides = {{"general.name", std::string(128, 'v')}};
    EXPECT_EQ(error_of([&] { (void)load(fixture("llama"), params); }).parameter,
              "metadata_overrides");
    params.overrides = {{"", true}};
    EXPECT_EQ(error_of([&] { (void)load(fixture("llama"), params); }).parameter,
              "metadata_overrides");
}

TEST(Load, TellsProgress) {
    std::vector<float> heard;
    ModelParams params;
    params.progress = [&](float progress) {
        heard.push_back(progress);
        return true;
    };
    (void)load(fixture("llama"), params);
    ASSERT_FALSE(heard.empty());
    EXPECT_TRUE(std::ranges::is_sorted(heard));
    EXPECT_EQ(heard.back(), 1.0F);
}

TEST(Load, CanBeCancelledAtAnyPoint) {
    int calls = 0;
    ModelParams params;
    params.progress = [&](float) {
        ++calls;
        return true;
    };
    (void)load(fixture("llama"), params);
    for (int stop = 1; stop <= calls; ++stop) {
        int seen = 0;
        params.progress = [&](float) { return ++seen < stop; };
        EXPECT_EQ(error_of([&] { (void)load(fixture("llama"), params); }).code,
                  MULLAMA_ERROR_CANCELLED);
        EXPECT_EQ(seen, stop);
    }
}

TEST(Load, PassesOnWhatTheProgressCallbackThrows) {
    ModelParams params;
    params.progress = [](float) -> bool { throw Error(MULLAMA_ERROR_BUSY, "not now"); };
    EXPECT_EQ(error_of([&] { (void)load(fixture("llama"), params); }).code, MULLAMA_ERROR_BUSY);
}

TEST(Load, RefusesOptionsThatDoNotFitTheMachine) {
    const auto refusal = [](const ModelParams &params) {
        return error_of([&] { (void)load(fixture("llama"), params); });
    };
    ModelParams params;
    params.devices = {"no such device"};
    const auto no_device = refusal(params);
    EXPECT_EQ(no_device.code, MULLAMA_ERROR_NOT_FOUND);
    EXPECT_EQ(no_device.parameter, "devices");
    EXPECT_NE(no_device.expected.find("CPU"), std::string::npos);
    params = {};
    params.devices = {"CPU", "CPU"};
    EXPECT_EQ(refusal(params).code, MULLAMA_ERROR_INVALID_ARGUMENT);
    params = {};
    params.n_gpu_layers = -2;
    EXPECT_EQ(refusal(params).code, MULLAMA_ERROR_OUT_OF_RANGE);
    params = {};
    params.main_gpu = -1;
    EXPECT_EQ(refusal(params).code, MULLAMA_ERROR_OUT_OF_RANGE);
    params.main_gpu = 99;
    params.split_mode = MULLAMA_SPLIT_MODE_NONE;
    EXPECT_EQ(refusal(params).code, MULLAMA_ERROR_OUT_OF_RANGE);
    params = {};
    params.load_mode = static_cast<mullama_load_mode_t>(7);
    EXPECT_EQ(refusal(params).code, MULLAMA_ERROR_INVALID_ARGUMENT);
    // With the processor alone there is nothing to split over.
    params = {};
    params.devices.emplace();
    params.split_mode = MULLAMA_SPLIT_MODE_TENSOR;
    EXPECT_EQ(refusal(params).code, MULLAMA_ERROR_UNSUPPORTED);
    params.split_mode = MULLAMA_SPLIT_MODE_LAYER;
    params.tensor_split = {1, 1};
    EXPECT_EQ(refusal(params).code, MULLAMA_ERROR_OUT_OF_RANGE);
}

TEST(Load, UsesTheProcessorAloneWhenAsked) {
    ModelParams params;
    params.devices = {"CPU"};
    EXPECT_EQ(load(fixture("llama"), params)->facts().n_gpu_layers, 0);
    params.devices.emplace();
    params.n_gpu_layers = 99;
    params.split_mode = MULLAMA_SPLIT_MODE_NONE;
    EXPECT_EQ(load(fixture("llama"), params)->facts().n_gpu_layers, 0);
}

TEST(Load, SaysWhyItCannot) {
    const auto missing = error_of([] { (void)load("/no/such/model.gguf"); });
    EXPECT_EQ(missing.code, MULLAMA_ERROR_BAD_FILE);
    EXPECT_NE(missing.message.find("/no/such/model.gguf"), std::string::npos);
    EXPECT_FALSE(missing.log.empty());
    EXPECT_EQ(error_of([] { (void)llama::backend().load({}, {}); }).code,
              MULLAMA_ERROR_INVALID_ARGUMENT);

    const auto weightless = error_of([] { (void)load(fixture("vocab_spm")); });
    EXPECT_EQ(weightless.code, MULLAMA_ERROR_BAD_MODEL);
    EXPECT_NE(weightless.message.find("llama.context_length"), std::string::npos);
}

// A copy of a fixture with a value of a tensor overwritten.
std::string spoiled(const TemporaryFolder &folder, const std::string &name,
                    const std::string &tensor, std::size_t offset, std::string_view bytes) {
    std::string content = contents(fixture(name));
    ggml_context *unused = nullptr;
    gguf_context *metadata = gguf_init_from_file(fixture(name).c_str(), {true, &unused});
    const std::size_t begin =
        gguf_get_data_offset(metadata) +
        gguf_get_tensor_offset(metadata, gguf_find_tensor(metadata, tensor.c_str()));
    gguf_free(metadata);
    ggml_free(unused);
    content.replace(begin + offset, bytes.size(), bytes);
    return folder.write(name + ".gguf", content);
}

TEST(Load, LooksAtEveryWeightWhenAsked) {
    ModelParams params;
    params.check_tensors = true;
    for (const char *name : {"llama", "llama_f16", "llama_bf16", "llama_q4_0", "llama_q6_k",
                             "llama_iq2_xxs", "llama_mxfp4", "llama_tq1_0", "moe"}) {
        EXPECT_EQ(error_of([&] { (void)load(fixture(name), params); }).code, MULLAMA_OK) << name;
    }

    const TemporaryFolder folder;
    constexpr std::string_view nan_f32("\x00\x00\xC0\x7F", 4);
    constexpr std::string_view infinity_f16("\x00\x7C", 2);
    testing::internal::CaptureStderr();
    const auto path = spoiled(folder, "llama", "blk.1.ffn_up.weight", (64 * 3 + 5) * 4, nan_f32);
    const auto error = error_of([&] { (void)load(path, params); });
    EXPECT_EQ(error.code, MULLAMA_ERROR_BAD_MODEL);
    EXPECT_NE(error.message.find("'blk.1.ffn_up.weight'"), std::string::npos) << error.message;
    EXPECT_NE(error.message.find("number 5 of row 3"), std::string::npos) << error.message;
    EXPECT_GT(error.offset, 0);
    const auto quantized = spoiled(folder, "llama_q4_0", "blk.0.attn_q.weight", 18, infinity_f16);
    EXPECT_EQ(error_of([&] { (void)load(quantized, params); }).code, MULLAMA_ERROR_BAD_MODEL);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    // Nobody looks unless asked.
    EXPECT_NE(load(path), nullptr);

    params.progress = [](float) { return false; };
    EXPECT_EQ(error_of([&] { (void)load(fixture("llama"), params); }).code,
              MULLAMA_ERROR_CANCELLED);
}

TEST(Load, ReadsAMemoryFile) {
    const std::string bytes = contents(fixture("llama_tied"));
    const platform::MemoryFile memory(std::as_bytes(std::span(bytes)), "model");
    if (!memory.path()) {
        GTEST_SKIP() << "memory files have no path here";
    }
    for (const auto mode : {MULLAMA_LOAD_MODE_AUTO, MULLAMA_LOAD_MODE_READ}) {
        ModelParams params;
        params.load_mode = mode;
        const auto model = load(*memory.path(), params);
        const auto reference = load(fixture("llama_tied"));
        const auto prompt = tokenize(*model, "From memory");
        const auto context = model->new_context(small_context());
        const auto expected = reference->new_context(small_context());
        EXPECT_EQ(greedy(*model, *context, prompt, 64, 16),
                  greedy(*reference, *expected, prompt, 64, 16));
    }
}

TEST(Load, KnowsArchitectures) {
    for (const char *name : {"llama", "qwen3moe", "mamba", "rwkv7", "t5", "bert", "gemma3", "jamba",
                             "plamo2", "deepseek2"}) {
        EXPECT_TRUE(llama::backend().knows_architecture(name)) << name;
    }
    for (const char *name : {"", "clip", "LLAMA", "llama ", "no-such-architecture"}) {
        EXPECT_FALSE(llama::backend().knows_architecture(name)) << name;
    }
}

} // namespace
} // namespace mullama::test

// Batches of embeddings: what comes out is what raw llama.cpp computes from them, and what the
// tokens would have given whose embeddings they are.
#include <memory>
#include <string>
#include <vector>

#include <gguf.h>
#include <llama.h>

#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;

struct FreeModel {
    void operator()(llama_model *model) const { llama_model_free(model); }
};
struct FreeContext {
    void operator()(llama_context *context) const { llama_free(context); }
};
struct FreeBatch {
    void operator()(llama_batch *batch) const {
        llama_batch_free(*batch);
        delete batch;
    }
};

constexpr int n_positions = 6;

mullama_model_info_t info_of(const mullama_model_t *model) {
    mullama_model_info_t info;
    mullama_model_info_init(&info, sizeof info);
    EXPECT_OK(mullama_model_get_info(model, &info));
    return info;
}

// Rows of the file's table of token embeddings, which is one of 32-bit floats.
std::vector<float> embeddings_of(const std::string &path,
                                 const std::vector<mullama_token_t> &tokens) {
    ggml_context *data = nullptr;
    gguf_context *const file = gguf_init_from_file(path.c_str(), {false, &data});
    const ggml_tensor *const table = ggml_get_tensor(data, "token_embd.weight");
    EXPECT_EQ(table->type, GGML_TYPE_F32);
    std::vector<float> rows;
    for (const mullama_token_t token : tokens) {
        const auto *const row =
            static_cast<const float *>(table->data) + std::int64_t{token} * table->ne[0];
        rows.insert(rows.end(), row, row + table->ne[0]);
    }
    ggml_free(data);
    gguf_free(file);
    return rows;
}

std::vector<mullama_token_t> some_tokens() {
    std::vector<mullama_token_t> tokens;
    for (int i = 0; i < n_positions; ++i)
        tokens.push_back(60 + 7 * i);
    return tokens;
}

// Two sequences of the same embeddings, the second one two shorter.
void fill(mullama_batch_t *batch, const std::vector<float> &rows, std::size_t width) {
    for (mullama_seq_id_t sequence = 0; sequence < 2; ++sequence) {
        for (int i = 0; i < n_positions - 2 * sequence; ++i) {
            ASSERT_OK(mullama_batch_add_embedding(batch,
                                                  rows.data() + static_cast<std::size_t>(i) * width,
                                                  width, i, &sequence, 1, true));
        }
    }
}

class EmbeddingInput : public testing::TestWithParam<const char *> {};

TEST_P(EmbeddingInput, GivesLlamasLogits) {
    const std::string path = fixture_path(std::string(GetParam()) + ".gguf");
    const ModelHandle model = load_model(path);
    const auto width = static_cast<std::size_t>(info_of(model.get()).n_embd_inp);
    ASSERT_GT(width, 0U);
    const std::vector<float> rows = embeddings_of(path, some_tokens());
    ASSERT_EQ(rows.size(), n_positions * width);
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_seq_max = 2;
    const ContextHandle context = new_context(model.get(), options);
    const BatchHandle batch = new_batch();
    fill(batch.get(), rows, width);
    ASSERT_OK(mullama_context_decode(context.get(), batch.get()));

    llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
    llama_backend_init();
    llama_model_params model_params = llama_model_default_params();
    model_params.n_gpu_layers = 0;
    const std::unique_ptr<llama_model, FreeModel> raw_model(
        llama_model_load_from_file(path.c_str(), model_params));
    llama_context_params params = llama_context_default_params();
    params.n_ctx = 256;
    params.n_seq_max = 2;
    params.n_threads = 1;
    params.n_threads_batch = 1;
    params.kv_unified = true;
    params.swa_full = true;
    const std::unique_ptr<llama_context, FreeContext> raw(
        llama_init_from_model(raw_model.get(), params));
    const std::unique_ptr<llama_batch, FreeBatch> raw_batch(
        new llama_batch(llama_batch_init(32, static_cast<std::int32_t>(width), 1)));
    for (mullama_seq_id_t sequence = 0; sequence < 2; ++sequence) {
        for (int position = 0; position < n_positions - 2 * sequence; ++position) {
            const std::int32_t i = raw_batch->n_tokens++;
            std::copy_n(rows.data() + static_cast<std::size_t>(position) * width, width,
                        raw_batch->embd + static_cast<std::size_t>(i) * width);
            raw_batch->pos[i] = position;
            raw_batch->n_seq_id[i] = 1;
            raw_batch->seq_id[i][0] = sequence;
            raw_batch->logits[i] = 1;
        }
    }
    ASSERT_EQ(llama_decode(raw.get(), *raw_batch), 0);
    for (std::int32_t i = 0; i < raw_batch->n_tokens; ++i) {
        const float *logits = nullptr;
        std::size_t count = 0;
        ASSERT_OK(mullama_context_logits(context.get(), i, &logits, &count));
        const float *const wanted = llama_get_logits_ith(raw.get(), i);
        EXPECT_EQ(std::vector(logits, logits + count), std::vector(wanted, wanted + count)) << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Batch, EmbeddingInput,
                         testing::Values("llama", "qwen", "moe", "recurrent", "hybrid", "swa"),
                         [](const auto &its) { return std::string(its.param); });

// llama.cpp looks tokens up as they are in a llama.
TEST(EmbeddingInputOfTokens, GivesTheirLogits) {
    const std::string path = fixture_path("llama.gguf");
    const ModelHandle model = load_model(path);
    const auto width = static_cast<std::size_t>(info_of(model.get()).n_embd_inp);
    const std::vector<mullama_token_t> tokens = some_tokens();
    const std::vector<float> rows = embeddings_of(path, tokens);
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_seq_max = 2;
    const ContextHandle context = new_context(model.get(), options);
    const ContextHandle other = new_context(model.get(), options);
    const BatchHandle batch = new_batch();
    fill(batch.get(), rows, width);
    ASSERT_OK(mullama_context_decode(context.get(), batch.get()));
    mullama_batch_clear(batch.get());
    for (mullama_seq_id_t sequence = 0; sequence < 2; ++sequence) {
        for (int i = 0; i < n_positions - 2 * sequence; ++i)
            ASSERT_OK(add(batch.get(), tokens[static_cast<std::size_t>(i)], i, {sequence}, true));
    }
    ASSERT_OK(mullama_context_decode(other.get(), batch.get()));
    for (int i = 0; i < 2 * n_positions - 2; ++i) {
        const float *logits = nullptr;
        const float *wanted = nullptr;
        std::size_t count = 0;
        ASSERT_OK(mullama_context_logits(context.get(), i, &logits, &count));
        ASSERT_OK(mullama_context_logits(other.get(), i, &wanted, &count));
        EXPECT_EQ(std::vector(logits, logits + count), std::vector(wanted, wanted + count)) << i;
    }
}

// A context knows that no token stands there, goes on from it, and can save and load it.
TEST(EmbeddingInputOfTokens, IsRemembered) {
    const std::string path = fixture_path("llama.gguf");
    const ModelHandle model = load_model(path);
    const auto width = static_cast<std::size_t>(info_of(model.get()).n_embd_inp);
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_seq_max = 2;
    const ContextHandle context = new_context(model.get(), options);
    const BatchHandle batch = new_batch();
    fill(batch.get(), embeddings_of(path, some_tokens()), width);
    ASSERT_OK(mullama_context_decode(context.get(), batch.get()));
    const mullama_token_t next = 65;
    ASSERT_OK(mullama_context_prefill(context.get(), 0, &next, 1, MULLAMA_OUTPUT_LAST));

    mullama_text_t *saved = nullptr;
    ASSERT_OK(mullama_context_save_state(context.get(), 0, &saved));
    const TextHandle state(saved);
    std::size_t size = 0;
    const char *const bytes = mullama_text_data(saved, &size);
    const ContextHandle other = new_context(model.get(), options);
    ASSERT_OK(mullama_context_load_state(other.get(), 1, bytes, size));
    for (const auto &[it, sequence] : {std::pair(context.get(), mullama_seq_id_t{0}),
                                       std::pair(other.get(), mullama_seq_id_t{1})}) {
        mullama_tokens_t *list = nullptr;
        ASSERT_OK(mullama_context_sequence_tokens(it, sequence, &list));
        const TokensHandle owned(list);
        std::size_t count = 0;
        const mullama_token_t *const held = mullama_tokens_data(list, &count);
        std::vector<mullama_token_t> wanted(n_positions, MULLAMA_TOKEN_NONE);
        wanted.push_back(next);
        EXPECT_EQ(std::vector(held, held + count), wanted);
    }
}

TEST(EmbeddingInputOfTokens, IsRefusedWhereTheModelTakesNone) {
    for (const char *const name : {"t5", "bert_mean"}) {
        const ModelHandle model = load_model(fixture_path(std::string(name) + ".gguf"));
        EXPECT_EQ(info_of(model.get()).n_embd_inp, 0) << name;
        const ContextHandle context = new_context(model.get());
        const BatchHandle batch = new_batch();
        const std::vector<float> row(32, 0.5F);
        const mullama_seq_id_t sequence = 0;
        ASSERT_OK(mullama_batch_add_embedding(batch.get(), row.data(), row.size(), 0, &sequence, 1,
                                              true));
        EXPECT_REFUSED(mullama_context_encode(context.get(), batch.get()),
                       MULLAMA_ERROR_UNSUPPORTED, "batch");
    }
}

} // namespace

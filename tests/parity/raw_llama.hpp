// llama.cpp by itself, beside the one that is hidden in the library: what the library is compared
// with.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gguf.h>
#include <llama.h>

#include "support/capi.hpp"

namespace mullama::test {

using RawModel = std::unique_ptr<llama_model, Deleter<llama_model_free>>;
using RawContext = std::unique_ptr<llama_context, Deleter<llama_free>>;
using RawLora = std::unique_ptr<llama_adapter_lora, Deleter<llama_adapter_lora_free>>;

// nullptr, and a failure, where it doesn't load.
inline RawModel load_raw(const std::string &path, llama_load_mode mode = LLAMA_LOAD_MODE_MMAP) {
    llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
    llama_backend_init();
    llama_model_params params = llama_model_default_params();
    params.load_mode = mode;
    params.n_gpu_layers = 0;
    RawModel model(llama_model_load_from_file(path.c_str(), params));
    EXPECT_NE(model, nullptr) << path;
    return model;
}

// As one_thread() has them.
inline llama_context_params raw_params(std::uint32_t n_ctx) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = n_ctx;
    params.n_threads = 1;
    params.n_threads_batch = 1;
    params.kv_unified = true;
    return params;
}

inline std::int32_t n_vocab_of(const llama_model *model) {
    return llama_vocab_n_tokens(llama_model_get_vocab(model));
}

// Tokens of one sequence each, all of them outputs.
class RawBatch {
public:
    explicit RawBatch(std::int32_t capacity) : batch_(llama_batch_init(capacity, 0, 1)) {}
    RawBatch(const RawBatch &) = delete;
    RawBatch &operator=(const RawBatch &) = delete;
    ~RawBatch() { llama_batch_free(batch_); }

    void add(llama_token token, llama_pos position, llama_seq_id sequence) {
        const std::int32_t i = batch_.n_tokens++;
        batch_.token[i] = token;
        batch_.pos[i] = position;
        batch_.n_seq_id[i] = 1;
        batch_.seq_id[i][0] = sequence;
        batch_.logits[i] = 1;
    }

    [[nodiscard]] const llama_batch &get() const { return batch_; }
    [[nodiscard]] std::int32_t size() const { return batch_.n_tokens; }

private:
    llama_batch batch_;
};

// The directions of control vectors times their scales, for llama_set_adapter_cvec(): as
// llama.cpp's common/ sums them.
inline std::vector<float>
sum_of_directions(const llama_model *model,
                  const std::vector<std::pair<std::string, float>> &files) {
    const auto n_embd = static_cast<std::size_t>(llama_model_n_embd(model));
    const auto n_layer = static_cast<std::size_t>(llama_model_n_layer(model));
    std::vector<float> sum(n_embd * (n_layer - 1));
    for (const auto &[path, scale] : files) {
        ggml_context *tensors = nullptr;
        gguf_context *const file = gguf_init_from_file(path.c_str(), {false, &tensors});
        EXPECT_NE(file, nullptr) << path;
        for (std::size_t layer = 1; file != nullptr && layer < n_layer; ++layer) {
            const std::string name = "direction." + std::to_string(layer);
            const auto *data =
                static_cast<const float *>(ggml_get_tensor(tensors, name.c_str())->data);
            for (std::size_t i = 0; i < n_embd; ++i)
                sum[n_embd * (layer - 1) + i] += data[i] * scale;
        }
        gguf_free(file);
        ggml_free(tensors);
    }
    return sum;
}

} // namespace mullama::test

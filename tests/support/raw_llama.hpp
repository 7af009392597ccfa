// A llama.cpp of the test's own, to compare the library's with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <llama.h>

namespace mullama::test {

class RawLlama {
public:
    using Tokens = std::vector<llama_token>;

    explicit RawLlama(const std::string &path) {
        llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
        llama_backend_init();
        llama_model_params params = llama_model_default_params();
        params.n_gpu_layers = 0;
        model_.reset(llama_model_load_from_file(path.c_str(), params));
    }

    // As support/context.hpp's one_thread() makes contexts, and with what `set` changes.
    void make_context(const std::function<void(llama_context_params &)> &set) {
        llama_context_params params = llama_context_default_params();
        params.n_ctx = 256;
        params.n_batch = 256;
        params.n_ubatch = 256;
        params.n_threads = 1;
        params.n_threads_batch = 1;
        params.kv_unified = true;
        params.swa_full = true;
        set(params);
        context_.reset(llama_init_from_model(model_.get(), params));
    }

    [[nodiscard]] llama_model *model() const { return model_.get(); }
    [[nodiscard]] llama_context *context() const { return context_.get(); }
    [[nodiscard]] const llama_vocab *vocab() const { return llama_model_get_vocab(model_.get()); }

    [[nodiscard]] Tokens tokenize(std::string_view text, bool add_special,
                                  bool parse_special) const {
        Tokens tokens(text.size() + 8);
        tokens.resize(static_cast<std::size_t>(llama_tokenize(
            vocab(), text.data(), static_cast<std::int32_t>(text.size()), tokens.data(),
            static_cast<std::int32_t>(tokens.size()), add_special, parse_special)));
        return tokens;
    }

    // Sequence i is texts[i], from position 0; every token is an output. Encodes or decodes, as the
    // model has it.
    std::int32_t compute(const std::vector<Tokens> &texts, bool encoder = false) {
        if (llama_memory_t memory = llama_get_memory(context_.get()); memory != nullptr) {
            llama_memory_clear(memory, true);
        }
        std::size_t n_tokens = 0;
        for (const Tokens &text : texts) {
            n_tokens += text.size();
        }
        llama_batch batch = llama_batch_init(static_cast<std::int32_t>(n_tokens), 0, 1);
        for (std::size_t sequence = 0; sequence < texts.size(); ++sequence) {
            add(batch, texts[sequence], 0, static_cast<llama_seq_id>(sequence));
        }
        const std::int32_t status =
            encoder ? llama_encode(context_.get(), batch) : llama_decode(context_.get(), batch);
        llama_batch_free(batch);
        return status;
    }

    // Appends tokens to sequence 0, each an output.
    std::int32_t append(const Tokens &tokens, llama_pos position) {
        llama_batch batch = llama_batch_init(static_cast<std::int32_t>(tokens.size()), 0, 1);
        add(batch, tokens, position, 0);
        const std::int32_t status = llama_decode(context_.get(), batch);
        llama_batch_free(batch);
        return status;
    }

private:
    static void add(llama_batch &batch, const Tokens &tokens, llama_pos position,
                    llama_seq_id sequence) {
        for (const llama_token token : tokens) {
            const std::int32_t i = batch.n_tokens++;
            batch.token[i] = token;
            batch.pos[i] = position++;
            batch.n_seq_id[i] = 1;
            batch.seq_id[i][0] = sequence;
            batch.logits[i] = 1;
        }
    }

    struct Free {
        void operator()(llama_model *model) const { llama_model_free(model); }
        void operator()(llama_context *context) const { llama_free(context); }
    };
    std::unique_ptr<llama_model, Free> model_;
    std::unique_ptr<llama_context, Free> context_;
};

} // namespace mullama::test

// A model loaded by llama.cpp.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include <llama.h>

#include "backend/llama/load.hpp"
#include "backend/llama/vocab.hpp"
#include "backend/port.hpp"

namespace mullama::backend::llama {

class LlamaModel final : public Model {
public:
    LlamaModel(const std::vector<std::string> &paths, const ModelParams &params);

    [[nodiscard]] const ModelFacts &facts() const noexcept override { return facts_; }
    [[nodiscard]] const Vocab &vocab() const noexcept override { return vocab_; }
    [[nodiscard]] std::optional<std::string_view>
    chat_template(const std::string &name) const override;
    [[nodiscard]] std::unique_ptr<Context> new_context(const ContextParams &params) override;
    [[nodiscard]] std::unique_ptr<Adapter> load_lora(const std::string &path,
                                                     std::size_t n_pairs) override;
    void require_control_vectors() const override;

private:
    // Loads, and fills in the facts.
    [[nodiscard]] ModelHandle load(const std::vector<std::string> &paths,
                                   const ModelParams &params);

    bool vocab_only_;
    ModelFacts facts_;
    ModelHandle model_;
    LlamaVocab vocab_;
    // Making a context may write to the model: llama.cpp sets n_ctx_train by custom scaling. It
    // also reads the model's list of adapters, as does a context that plans anew.
    std::mutex registry_;
};

} // namespace mullama::backend::llama

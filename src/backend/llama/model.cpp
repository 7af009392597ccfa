#include "backend/llama/model.hpp"

#include <algorithm>

#include "backend/llama/adapter.hpp"
#include "backend/llama/context.hpp"
#include "backend/llama/facts.hpp"

namespace mullama::backend::llama {

using base::Error;

namespace {

std::int32_t layers_on_gpus(const ModelFacts &facts, const ModelParams &params, bool uses_gpu) {
    if (!uses_gpu || params.vocab_only) {
        return 0;
    }
    // The output counts as one more layer.
    const std::int32_t all = facts.n_layer + 1;
    return params.n_gpu_layers < 0 ? all : std::min(params.n_gpu_layers, all);
}

} // namespace

LlamaModel::LlamaModel(const std::vector<std::string> &paths, const ModelParams &params)
    : vocab_only_(params.vocab_only), model_(load(paths, params)), vocab_(*model_) {
}

ModelHandle LlamaModel::load(const std::vector<std::string> &paths, const ModelParams &params) {
    LoadPlan plan(params);
    ModelHandle model = plan.load(paths);
    facts_ = read_facts(*model, params);
    facts_.load_mode = plan.load_mode();
    facts_.n_gpu_layers = layers_on_gpus(facts_, params, plan.uses_gpu());
    return model;
}

std::optional<std::string_view> LlamaModel::chat_template(const std::string &name) const {
    const char *text =
        llama_model_chat_template(model_.get(), name.empty() ? nullptr : name.c_str());
    if (text == nullptr) {
        return std::nullopt;
    }
    return text;
}

std::unique_ptr<Context> LlamaModel::new_context(const ContextParams &params) {
    if (vocab_only_) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "this model was loaded without weights (vocab_only): it makes no contexts");
    }
    const std::lock_guard lock(registry_);
    return std::make_unique<LlamaContext>(*model_, facts_, registry_, params);
}

std::unique_ptr<Adapter> LlamaModel::load_lora(const std::string &path, std::size_t n_pairs) {
    return std::make_unique<LlamaAdapter>(*model_, registry_, path, n_pairs);
}

void LlamaModel::require_control_vectors() const {
    llama::require_control_vectors(facts_);
}

} // namespace mullama::backend::llama

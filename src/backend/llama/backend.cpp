#include "backend/llama/backend.hpp"

#include <ggml.h>
#include <llama.h>

#include "backend/llama/architectures.hpp"
#include "backend/llama/devices.hpp"
#include "backend/llama/estimate.hpp"
#include "backend/llama/log.hpp"
#include "backend/llama/model.hpp"

namespace mullama::backend::llama {

namespace {

class LlamaBackend final : public Backend {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "llama"; }
    [[nodiscard]] const std::string &version() const noexcept override { return version_; }
    [[nodiscard]] bool reads_files() const noexcept override { return true; }
    [[nodiscard]] bool knows_architecture(std::string_view name) const override {
        return llama::knows_architecture(name);
    }
    [[nodiscard]] std::vector<Device> devices() const override { return list_devices(); }
    void set_log_sink(LogSink sink) const noexcept override { set_sink(sink); }

    [[nodiscard]] std::unique_ptr<Model> load(const std::vector<std::string> &paths,
                                              const ModelParams &params) const override {
        return std::make_unique<LlamaModel>(paths, params);
    }
    [[nodiscard]] MemoryEstimate estimate(const std::vector<std::string> &paths,
                                          const ModelParams &model_params,
                                          const ContextParams &context_params) const override {
        return llama::estimate(paths, model_params, context_params);
    }

private:
    std::string version_ = std::string("llama.cpp ") + llama_version() + " (" + ggml_commit() +
                           "), ggml " + ggml_version();
};

} // namespace

const Backend &backend() {
    static const LlamaBackend instance;
    return instance;
}

} // namespace mullama::backend::llama

#include "backend/llama/architectures.hpp"

#include <memory>
#include <string>

#include <gguf.h>
#include <llama.h>

#include "backend/llama/load.hpp"
#include "backend/llama/log.hpp"
#include "backend/llama/process.hpp"

namespace mullama::backend::llama {

namespace {

struct FreeMetadata {
    void operator()(gguf_context *metadata) const noexcept { gguf_free(metadata); }
};

} // namespace

bool knows_architecture(std::string_view name) {
    start();
    // Where it does not, it says so in the log, which is no failure here.
    const LogCapture quiet(LogCapture::Also::keep_quiet);
    const std::unique_ptr<gguf_context, FreeMetadata> metadata(gguf_init_empty());
    gguf_set_val_str(metadata.get(), "general.architecture", std::string(name).c_str());
    gguf_set_val_str(metadata.get(), "tokenizer.ggml.model", "none");
    llama_model_params params = llama_model_default_params();
    // With it, no key is missed and no tensor is looked for.
    params.vocab_only = true;
    ggml_backend_dev_t no_device = nullptr;
    params.devices = &no_device;
    const auto fill_nothing = [](ggml_tensor * /*tensor*/, void * /*user_data*/) {};
    try {
        const ModelHandle model(
            llama_model_init_from_user(metadata.get(), fill_nothing, nullptr, params));
        return model != nullptr;
    } catch (const std::exception &) {
        return false;
    }
}

} // namespace mullama::backend::llama

#include "backend/llama/unstable.hpp"

#include <../src/llama-ext.h>

namespace mullama::backend::llama {

namespace {

bool in_main_memory(ggml_backend_buffer_type_t type) {
    // The CPU's plain buffers name no device.
    const ggml_backend_dev_t device = ggml_backend_buft_get_device(type);
    return ggml_backend_buft_is_host(type) || device == nullptr ||
           ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU;
}

} // namespace

std::int32_t expert_count(const llama_model &model) {
    return llama_model_n_expert(&model);
}

MemoryEstimate memory_of(const llama_context &context) {
    MemoryEstimate memory;
    memory.n_ctx = llama_n_ctx(&context);
    for (const auto &[type, size] : llama_get_memory_breakdown(&context)) {
        const bool host = in_main_memory(type);
        (host ? memory.host_weights : memory.device_weights) += size.model;
        (host ? memory.host_context : memory.device_context) += size.context;
        (host ? memory.host_compute : memory.device_compute) += size.compute;
    }
    return memory;
}

} // namespace mullama::backend::llama

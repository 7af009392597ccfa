#include "backend/llama/threadpool.hpp"

#include <ggml-backend.h>
#include <ggml-cpu.h>

namespace mullama::backend::llama {

namespace {

// Where ggml's CPU part is a module, its functions can only be reached by name.
template <class Function>
Function *cpu_function(const char *name) {
    const ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    return cpu == nullptr ? nullptr
                          : reinterpret_cast<Function *>(ggml_backend_reg_get_proc_address(
                                ggml_backend_dev_backend_reg(cpu), name));
}

} // namespace

Threadpool::Threadpool(std::int32_t n_threads) : size_(n_threads) {
    if (auto *make = cpu_function<decltype(ggml_threadpool_new)>("ggml_threadpool_new")) {
        ggml_threadpool_params params = ggml_threadpool_params_default(n_threads);
        params.poll = 0;
        pool_ = make(&params);
    }
}

Threadpool::~Threadpool() {
    if (pool_ != nullptr) {
        cpu_function<decltype(ggml_threadpool_free)>("ggml_threadpool_free")(pool_);
    }
}

} // namespace mullama::backend::llama

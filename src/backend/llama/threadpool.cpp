#include "backend/llama/threadpool.hpp"

#include <latch>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <ggml-backend.h>
#include <ggml-cpu.h>

#include "base/error.hpp"
#include "platform/signal_mask.hpp"

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

// ggml asserts that it gets its threads. A limit of the system's, as containers have, is found out
// beforehand by starting as many.
void require_threads(std::int32_t count) {
    std::latch all_tried(1);
    std::vector<std::jthread> threads;
    try {
        for (std::int32_t i = 0; i < count; ++i) {
            threads.emplace_back([&all_tried] { all_tried.wait(); });
        }
    } catch (const std::system_error &error) {
        all_tried.count_down();
        throw base::Error(MULLAMA_ERROR_OUT_OF_MEMORY,
                          "the system gives this process " + std::to_string(threads.size()) +
                              " more threads, not " + std::to_string(count) + ": " + error.what())
            .parameter("n_threads");
    }
    all_tried.count_down();
}

} // namespace

void require_thread_count(const char *parameter, std::int32_t count) {
    if (count < 1 || count > GGML_MAX_N_THREADS) {
        throw base::Error(MULLAMA_ERROR_OUT_OF_RANGE, "the number of threads is out of range")
            .parameter(parameter)
            .expected("1 to " + std::to_string(GGML_MAX_N_THREADS))
            .actual(count);
    }
}

Threadpool::Threadpool(std::int32_t n_threads) : size_(n_threads) {
    // A thread inherits what its maker hears.
    const platform::SignalsBlocked no_signals;
    require_threads(n_threads - 1);
    if (auto *make = cpu_function<decltype(ggml_threadpool_new)>("ggml_threadpool_new")) {
        ggml_threadpool_params params = ggml_threadpool_params_default(n_threads);
        // Between two tokens threads spin for a few milliseconds before they sleep: waking them
        // costs a tiny model more than computing. An idle context burns nothing.
        params.poll = 1;
        pool_ = make(&params);
        free_ = cpu_function<decltype(ggml_threadpool_free)>("ggml_threadpool_free");
    }
}

Threadpool::~Threadpool() {
    if (pool_ != nullptr) {
        free_(pool_);
    }
}

} // namespace mullama::backend::llama

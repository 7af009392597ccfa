// The threads of one context. llama.cpp without them starts and joins threads in every decode.
#pragma once

#include <cstdint>
#include <memory>

#include <ggml.h>

namespace mullama::backend::llama {

// Throws unless `count`, a value of the parameter, is a number of threads that the engine takes.
void require_thread_count(const char *parameter, std::int32_t count);

class Threadpool {
public:
    // `n_threads` counts the calling thread: 1 starts none. The others sleep between decodes.
    // Throws MULLAMA_ERROR_OUT_OF_MEMORY where the system has no more threads.
    explicit Threadpool(std::int32_t n_threads);
    Threadpool(const Threadpool &) = delete;
    Threadpool &operator=(const Threadpool &) = delete;
    ~Threadpool();

    [[nodiscard]] std::int32_t size() const noexcept { return size_; }
    // nullptr where the engine's CPU part offers no threadpools.
    [[nodiscard]] ggml_threadpool_t get() const noexcept { return pool_; }

private:
    std::int32_t size_;
    ggml_threadpool_t pool_ = nullptr;
    // Known from the beginning: a context that the host keeps in a static variable may end when
    // ggml's list of what it has is gone.
    void (*free_)(ggml_threadpool_t) = nullptr;
};

} // namespace mullama::backend::llama

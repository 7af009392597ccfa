#include "backend/llama/process.hpp"

#include <mutex>

#include <llama.h>

#include "backend/llama/log.hpp"

namespace mullama::backend::llama {

namespace {

void on_abort(const char *message) {
    log_line(MULLAMA_LOG_ERROR, message);
}

} // namespace

void start() {
    static std::once_flag once;
    std::call_once(once, [] {
        install_log();
        // Without a callback ggml forks gdb to print a backtrace. Its terminate handler is in an
        // object of its own that nothing refers to, so that a static link leaves it out.
        ggml_set_abort_callback(on_abort);
        llama_backend_init();
    });
}

} // namespace mullama::backend::llama

#include "backend/echo/backend.hpp"
#include "backend/port.hpp"
#if MULLAMA_BACKEND_LLAMA
#include "backend/llama/backend.hpp"
#endif

namespace mullama::backend {

const Backend *find_backend(std::string_view name) {
#if MULLAMA_BACKEND_LLAMA
    if (name == "llama") {
        return &llama::backend();
    }
#endif
    if (name == "echo") {
        return &echo::backend();
    }
    return nullptr;
}

std::vector<std::string_view> backend_names() {
#if MULLAMA_BACKEND_LLAMA
    return {"llama", "echo"};
#else
    return {"echo"};
#endif
}

} // namespace mullama::backend

#include "mullama/api.h"

#include "backend/port.hpp"
#include "base/version.generated.hpp"

#include <exception>

int32_t mullama_abi_version(void) {
    return MULLAMA_ABI_VERSION;
}

const char *mullama_version(void) {
    return MULLAMA_VERSION_STRING;
}

const char *mullama_engine_version(void) {
    try {
        const mullama::backend::Backend *const llama = mullama::backend::find_backend("llama");
        return llama == nullptr ? "none" : llama->version().c_str();
    } catch (const std::exception &) {
        // An engine that cannot even start has no version; loading a model says why.
        return "none";
    }
}

#include "mullama/api.h"

#include "base/version.generated.hpp"
#include "core/runtime.hpp"

int32_t mullama_abi_version(void) {
    return MULLAMA_ABI_VERSION;
}

const char *mullama_version(void) {
    return MULLAMA_VERSION_STRING;
}

const char *mullama_engine_version(void) {
    return mullama::core::llama_version();
}

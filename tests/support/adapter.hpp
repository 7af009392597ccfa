// Adapters, as tests load them.
#pragma once

#include <string>

#include "support/capi.hpp"

namespace mullama::test {

using AdapterHandle = std::unique_ptr<mullama_adapter_t, Deleter<mullama_adapter_free>>;

inline mullama_adapter_options_t adapter_options() {
    mullama_adapter_options_t options;
    mullama_adapter_options_init(&options, sizeof options);
    return options;
}

// nullptr, and a failure, where it doesn't load.
inline AdapterHandle load_adapter(mullama_model_t *model, const std::string &path,
                                  const mullama_adapter_options_t *options = nullptr) {
    mullama_adapter_t *adapter = nullptr;
    EXPECT_OK(mullama_adapter_load(model, path.data(), path.size(), options, &adapter)) << path;
    return AdapterHandle(adapter);
}

} // namespace mullama::test

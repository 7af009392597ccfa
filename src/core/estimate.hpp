// What a model and one context would take, before any weights are loaded.
#pragma once

#include "backend/port.hpp"
#include "core/model_loader.hpp"
#include "mullama/context.h"

#include <string>
#include <vector>

namespace mullama::core {

// Checks the files as load_model() does. What is loaded for its vocabulary alone is estimated as if
// it were to make contexts, too. The enums of the options are known to be within their
// range.
[[nodiscard]] backend::MemoryEstimate
estimate_memory(const std::vector<std::string> &paths, const ModelRequest &request,
                const mullama_context_options_t &context_options);

} // namespace mullama::core

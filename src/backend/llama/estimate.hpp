// What a model with a context would take, found out by making both without their memory.
#pragma once

#include <string>
#include <vector>

#include "backend/port.hpp"

namespace mullama::backend::llama {

[[nodiscard]] MemoryEstimate estimate(const std::vector<std::string> &paths,
                                      const ModelParams &model_params, const ContextParams &params);

} // namespace mullama::backend::llama

// From ContextParams to llama.cpp's, with everything refused that would make it abort.
#pragma once

#include <llama.h>

#include "backend/port.hpp"

namespace mullama::backend::llama {

[[nodiscard]] llama_context_params context_params(const llama_model &model, const ModelFacts &facts,
                                                  const ContextParams &params);

} // namespace mullama::backend::llama

// mullama_model_options_t as the core takes it.
#pragma once

#include "core/model_loader.hpp"
#include "mullama/model.h"

namespace mullama::capi {

[[nodiscard]] mullama_model_options_t default_model_options() noexcept;

// Checks all that can be checked without a model.
[[nodiscard]] core::ModelRequest model_request(const mullama_model_options_t *options,
                                               std::string_view parameter);

} // namespace mullama::capi

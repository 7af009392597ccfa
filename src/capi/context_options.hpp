// mullama_context_options_t as the core takes it.
#pragma once

#include "mullama/context.h"

#include <string_view>

namespace mullama::capi {

// Over the defaults, with every enum within its range.
[[nodiscard]] mullama_context_options_t
read_context_options(const mullama_context_options_t *options, std::string_view parameter);

} // namespace mullama::capi

// The llama.cpp engine.
#pragma once

#include "backend/port.hpp"

namespace mullama::backend::llama {

// The only instance.
[[nodiscard]] const Backend &backend();

} // namespace mullama::backend::llama

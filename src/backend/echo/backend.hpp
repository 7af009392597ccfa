// The pretend engine: a model without weights that repeats what it is told (rule.hpp), through the
// same port as the real one, so that every layer above can be tested and timed by itself.
#pragma once

#include "backend/port.hpp"

namespace mullama::backend::echo {

// The only instance.
[[nodiscard]] const Backend &backend();

} // namespace mullama::backend::echo

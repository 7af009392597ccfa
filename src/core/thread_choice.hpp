// How many threads are fastest for a model on this machine: measured, never guessed. A tiny model
// is fastest on one thread, by far, and a large one on all cores.
#pragma once

#include "backend/port.hpp"
#include "core/runtime.hpp"

#include <cstdint>

namespace mullama::core {

// Decodes into the context, which is empty, for half a second at most beyond what its first decode
// takes, and leaves it empty again. `asked` are the caller's own numbers, 0 where it is left to us:
// only those are measured.
[[nodiscard]] ThreadChoice measure_threads(backend::Context &context,
                                           const backend::ModelFacts &facts, std::int32_t n_vocab,
                                           ThreadChoice asked, std::int32_t max_threads);

} // namespace mullama::core

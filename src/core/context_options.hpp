// What a caller asks of a context, turned into what an engine is told.
#pragma once

#include "backend/port.hpp"
#include "mullama/context.h"

#include <cstdint>

namespace mullama::core {

// The contract's defaults.
[[nodiscard]] mullama_context_options_t default_context_options() noexcept;

// Fills in what was left to us, from the model and the most threads that its runtime allows. Throws
// MULLAMA_ERROR_OUT_OF_RANGE or MULLAMA_ERROR_UNSUPPORTED for what cannot be. The enums are known
// to be within their range. A number of threads that is still to be measured becomes 1.
[[nodiscard]] backend::ContextParams resolve(const mullama_context_options_t &options,
                                             const backend::ModelFacts &facts,
                                             std::int32_t max_threads);

// The same for one number of threads.
[[nodiscard]] std::int32_t resolve_threads(std::int32_t asked, std::int32_t max_threads,
                                           const char *parameter);

// Roughly what a context takes, in bytes: keys and values, or recurrent states, and work space.
[[nodiscard]] std::uint64_t estimate_context_bytes(const backend::ContextParams &params,
                                                   const backend::ModelFacts &facts,
                                                   std::int32_t n_vocab);

} // namespace mullama::core

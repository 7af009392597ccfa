// The little that llama.cpp offers in a header without any promise only (src/llama-ext.h). A new
// pin that changes it changes unstable.cpp.
#pragma once

#include <cstdint>

#include <llama.h>

#include "backend/port.hpp"

namespace mullama::backend::llama {

[[nodiscard]] std::int32_t expert_count(const llama_model &model);

// What a context and its model take, or would take if they were made without allocating.
[[nodiscard]] MemoryEstimate memory_of(const llama_context &context);

} // namespace mullama::backend::llama

// The table of stages: the only place that knows which there are, and what they can be told.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/sampling/stage.hpp"

namespace mullama::core::sampling {

// In the order in which they stand in a chain best; llama.cpp's own, as far as it has them.
[[nodiscard]] std::span<const StageKind> stages() noexcept;

// The row of that name; nullptr where there is none.
[[nodiscard]] const StageKind *find_stage(std::string_view name) noexcept;

// "greedy, dist, ..." for messages.
[[nodiscard]] std::string stage_names();

// The stages of the usual chain, in order: llama.cpp's, as far as the table has them.
[[nodiscard]] std::span<const std::string_view> default_chain() noexcept;

} // namespace mullama::core::sampling

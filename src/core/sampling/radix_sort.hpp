// Falling order of many values, without comparing any: least significant digit first.
#pragma once

#include <span>

#include "core/sampling/ranked.hpp"

namespace mullama::core::sampling {

// Writes the items into `sorted` in falling order; equal ones keep theirs. All three have the same
// size, and none overlaps another.
void sort_by_radix(std::span<const Ranked> items, std::span<Ranked> sorted,
                   std::span<Ranked> scratch) noexcept;

} // namespace mullama::core::sampling

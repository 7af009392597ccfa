// Falling order of many values, without comparing any: least significant digit first.
#pragma once

#include <span>

namespace mullama::core::sampling {

// Puts the values, of which none is NaN, into falling order. `scratch` has the same size.
void sort_by_radix(std::span<float> values, std::span<float> scratch) noexcept;

} // namespace mullama::core::sampling

// Numbers that look random and are always the same.
#pragma once

#include <cstdint>

namespace mullama::backend::echo {

// The finalizer of splitmix64: every bit of the result depends on every bit of the number.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t number) noexcept {
    number += 0x9E3779B97F4A7C15U;
    number = (number ^ (number >> 30U)) * 0xBF58476D1CE4E5B9U;
    number = (number ^ (number >> 27U)) * 0x94D049BB133111EBU;
    return number ^ (number >> 31U);
}

// The number's upper bits as a fraction, 0 <= fraction < 1.
[[nodiscard]] constexpr double fraction(std::uint64_t number) noexcept {
    return static_cast<double>(number >> 11U) * 0x1p-53;
}

} // namespace mullama::backend::echo

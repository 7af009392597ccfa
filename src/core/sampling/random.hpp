// Random numbers that are the same with every standard library, and the same as llama.cpp's.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>

namespace mullama::core::sampling {

// Uniform in [0, 1), from two draws: what libstdc++'s and libc++'s
// uniform_real_distribution<double> make of this engine.
[[nodiscard]] inline double draw_uniform(std::mt19937 &engine) {
    constexpr double two_to_32 = 4294967296.0;
    const auto low = static_cast<double>(engine());
    const auto high = static_cast<double>(engine());
    const double drawn = (low + high * two_to_32) / (two_to_32 * two_to_32);
    return drawn < 1 ? drawn : std::nextafter(1.0, 0.0);
}

// A seed that nobody can foresee.
[[nodiscard]] inline std::uint32_t draw_seed() {
    return std::random_device{}();
}

} // namespace mullama::core::sampling

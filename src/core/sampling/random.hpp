// Random numbers that are the same with every standard library, and the same as llama.cpp's.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <span>

#include "core/sampling/candidate.hpp"

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

// Uniform in [0, 1), from one draw: the same of uniform_real_distribution<float>.
[[nodiscard]] inline float draw_uniform_float(std::mt19937 &engine) {
    constexpr float two_to_32 = 4294967296.0F;
    const float drawn = static_cast<float>(engine()) / two_to_32;
    return drawn < 1 ? drawn : std::nextafter(1.0F, 0.0F);
}

// A place, each with its candidate's p as its weight: what libstdc++'s discrete_distribution makes
// of this engine, which draws nothing for a single candidate. There is at least one.
[[nodiscard]] inline std::size_t draw_place(std::span<const Candidate> candidates,
                                            std::mt19937 &engine) {
    if (candidates.size() < 2) {
        return 0;
    }
    double sum = 0;
    for (const Candidate &candidate : candidates) {
        sum += static_cast<double>(candidate.p);
    }
    const double drawn = draw_uniform(engine);
    double running = 0;
    std::size_t last_possible = 0;
    for (std::size_t place = 0; place < candidates.size(); ++place) {
        if (candidates[place].p > 0) {
            running += static_cast<double>(candidates[place].p) / sum;
            last_possible = place;
            if (running >= drawn) {
                break;
            }
        }
    }
    return last_possible;
}

// llama.cpp's way of saying "no seed".
inline constexpr std::int64_t no_seed = 0xFFFFFFFF;

// Starts over from a seed; from one that nobody can foresee where it is negative or no_seed.
inline void seed_engine(std::mt19937 &engine, std::int64_t seed) {
    const bool random = seed < 0 || seed == no_seed;
    engine.seed(random ? static_cast<std::uint32_t>(std::random_device{}())
                       : static_cast<std::uint32_t>(seed));
}

} // namespace mullama::core::sampling

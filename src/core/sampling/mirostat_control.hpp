// What both versions of Mirostat share: the surprise they allow, and how it follows what they see
// (S. Basu et al., "Mirostat", 2021).
#pragma once

#include <cstdint>
#include <random>
#include <string_view>

#include "core/sampling/candidates.hpp"

namespace mullama::core::sampling {

class MirostatControl {
public:
    // tau, eta and seed.
    void set(std::string_view parameter, double value);
    void reset();

    // The surprise allowed, in bits.
    [[nodiscard]] float mu() const noexcept { return mu_; }

    // Selects one of the candidates that are left by chance, and allows more after one that was
    // likelier than aimed at, less after another.
    void select(Candidates &candidates);

private:
    // The surprise aimed at, in bits, and how fast mu follows.
    float tau_ = 0;
    float eta_ = 0;
    float mu_ = 0;
    std::int64_t seed_ = -1;
    std::mt19937 engine_;
};

} // namespace mullama::core::sampling

// What the sorts of this folder move about: eight bytes for a candidate instead of twelve.
#pragma once

#include <cstdint>

#include "core/sampling/candidate.hpp"

namespace mullama::core::sampling {

struct Ranked {
    // What decides the order: falling values.
    float value;
    // Where the candidate is.
    std::uint32_t place;
};

// What an item is ordered by.
[[nodiscard]] inline float rank(const Ranked &item) noexcept {
    return item.value;
}
[[nodiscard]] inline float rank(const Candidate &candidate) noexcept {
    return candidate.logit;
}

} // namespace mullama::core::sampling

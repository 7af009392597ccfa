#include "core/sampling/radix_sort.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace mullama::core::sampling {

namespace {

// Numbers of more bits are few where values lie near each other.
constexpr std::size_t most_bits = 32;

// A number that rises as the value falls. The two zeros are equal.
std::uint32_t key(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);
    const std::uint32_t negative = 0U - (bits >> 31U);
    return ~(bits ^ (negative | 0x80000000U));
}

// `first` is the least key, `bits` how many the greatest has above it.
template <unsigned digit_bits>
void sort_digits(std::span<float> values, std::span<float> scratch, std::uint32_t first,
                 unsigned bits) noexcept {
    constexpr std::size_t most_digits = (most_bits + digit_bits - 1) / digit_bits;
    constexpr std::uint32_t digit_mask = (1U << digit_bits) - 1;
    const std::size_t digits = (bits + digit_bits - 1) / digit_bits;
    std::array<std::array<std::uint32_t, digit_mask + 1>, most_digits> counts;
    for (std::size_t which = 0; which < digits; ++which) {
        counts[which].fill(0);
    }
    for (const float value : values) {
        std::uint32_t number = key(value) - first;
        for (std::size_t which = 0; which < digits; ++which) {
            ++counts[which][number & digit_mask];
            number >>= digit_bits;
        }
    }
    float *from = values.data();
    float *to = scratch.data();
    for (std::size_t which = 0; which < digits; ++which) {
        std::uint32_t begin = 0;
        for (std::uint32_t &count : counts[which]) {
            begin += std::exchange(count, begin);
        }
        const auto shift = static_cast<unsigned>(which) * digit_bits;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const float value = from[i];
            to[counts[which][((key(value) - first) >> shift) & digit_mask]++] = value;
        }
        std::swap(from, to);
    }
    if (from != values.data()) {
        std::copy_n(from, values.size(), values.data());
    }
}

} // namespace

void sort_by_radix(std::span<float> values, std::span<float> scratch) noexcept {
    // Counting the digits that there could be must not take longer than moving the values.
    constexpr std::size_t many = 1500;
    if (values.empty()) {
        return;
    }
    float least = values[0];
    float greatest = values[0];
    for (const float value : values) {
        least = value < least ? value : least;
        greatest = value > greatest ? value : greatest;
    }
    const std::uint32_t first = key(greatest);
    const auto bits = static_cast<unsigned>(std::bit_width(key(least) - first));
    if (values.size() < many) {
        sort_digits<8>(values, scratch, first, bits);
    } else {
        sort_digits<11>(values, scratch, first, bits);
    }
}

} // namespace mullama::core::sampling

#include "core/sampling/radix_sort.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace mullama::core::sampling {

namespace {

constexpr unsigned digit_bits = 8;
constexpr std::size_t digit_values = 1U << digit_bits;
constexpr std::size_t most_digits = 32 / digit_bits;

// A number that rises as the value falls. The two zeros are equal.
std::uint32_t key(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);
    const std::uint32_t negative = 0U - (bits >> 31U);
    return ~(bits ^ (negative | 0x80000000U));
}

std::size_t digit(std::uint32_t key, std::size_t which) noexcept {
    return (key >> (which * digit_bits)) % digit_values;
}

} // namespace

void sort_by_radix(std::span<const Ranked> items, std::span<Ranked> sorted,
                   std::span<Ranked> scratch) noexcept {
    if (items.empty()) {
        return;
    }
    std::uint32_t least = key(items[0].value);
    std::uint32_t greatest = least;
    for (const Ranked &item : items) {
        least = std::min(least, key(item.value));
        greatest = std::max(greatest, key(item.value));
    }
    // Of keys that lie near each other few digits differ.
    const auto bits = static_cast<std::size_t>(std::bit_width(greatest - least));
    const std::size_t digits = std::max<std::size_t>((bits + digit_bits - 1) / digit_bits, 1);
    std::array<std::array<std::uint32_t, digit_values>, most_digits> counts;
    for (std::size_t which = 0; which < digits; ++which) {
        counts[which].fill(0);
    }
    for (const Ranked &item : items) {
        const std::uint32_t distance = key(item.value) - least;
        for (std::size_t which = 0; which < digits; ++which) {
            ++counts[which][digit(distance, which)];
        }
    }
    const Ranked *from = items.data();
    for (std::size_t which = 0; which < digits; ++which) {
        std::uint32_t begin = 0;
        for (std::uint32_t &count : counts[which]) {
            const std::uint32_t size = count;
            count = begin;
            begin += size;
        }
        // Such that the last goes where it is wanted.
        Ranked *const to = (digits - which) % 2 == 1 ? sorted.data() : scratch.data();
        for (std::size_t i = 0; i < items.size(); ++i) {
            const Ranked item = from[i];
            to[counts[which][digit(key(item.value) - least, which)]++] = item;
        }
        from = to;
    }
}

} // namespace mullama::core::sampling

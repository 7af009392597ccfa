#include "core/sampling/radix_sort.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace mullama::core::sampling {

namespace {

constexpr unsigned digit_bits = 8;
constexpr std::size_t digit_values = 1U << digit_bits;

// A number that rises as the value falls. The two zeros are equal.
std::uint32_t key(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);
    const std::uint32_t negative = 0U - (bits >> 31U);
    return ~(bits ^ (negative | 0x80000000U));
}

std::size_t digit(std::uint32_t key, std::size_t which) noexcept {
    return (key >> (which * digit_bits)) % digit_values;
}

template <std::size_t digits>
void sort_digits(std::span<const Ranked> items, Ranked *sorted, Ranked *scratch) noexcept {
    std::array<std::array<std::uint32_t, digit_values>, digits> counts{};
    for (const Ranked &item : items) {
        const std::uint32_t number = key(item.value);
        for (std::size_t which = 0; which < digits; ++which) {
            ++counts[which][digit(number, which)];
        }
    }
    const Ranked *from = items.data();
    for (std::size_t which = 0; which < digits; ++which) {
        std::uint32_t begin = 0;
        for (std::uint32_t &count : counts[which]) {
            begin += std::exchange(count, begin);
        }
        // Such that the last pass ends where it is wanted.
        Ranked *const to = (digits - which) % 2 == 1 ? sorted : scratch;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const Ranked item = from[i];
            to[counts[which][digit(key(item.value), which)]++] = item;
        }
        from = to;
    }
}

} // namespace

void sort_by_radix(std::span<const Ranked> items, std::span<Ranked> sorted,
                   std::span<Ranked> scratch) noexcept {
    if (items.empty()) {
        return;
    }
    // Numbers that lie near each other differ in few digits.
    const std::uint32_t first = key(items[0].value);
    std::uint32_t differing = 0;
    for (const Ranked &item : items) {
        differing |= key(item.value) ^ first;
    }
    const auto bits = static_cast<unsigned>(std::bit_width(differing));
    if (bits == 0) {
        std::copy(items.begin(), items.end(), sorted.begin());
    } else if (bits <= digit_bits) {
        sort_digits<1>(items, sorted.data(), scratch.data());
    } else if (bits <= 2 * digit_bits) {
        sort_digits<2>(items, sorted.data(), scratch.data());
    } else if (bits <= 3 * digit_bits) {
        sort_digits<3>(items, sorted.data(), scratch.data());
    } else {
        sort_digits<4>(items, sorted.data(), scratch.data());
    }
}

} // namespace mullama::core::sampling

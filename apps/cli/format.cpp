#include "cli/format.hpp"

#include <array>
#include <cstdio>
#include <span>
#include <string_view>

namespace mullama::cli {
namespace {

std::string format_scaled(std::uint64_t number, double base,
                          std::span<const std::string_view> units) {
    auto value = static_cast<double>(number);
    std::size_t unit = 0;
    while (value >= base && unit + 1 < units.size()) {
        value /= base;
        ++unit;
    }
    std::string result = unit == 0 ? std::to_string(number) : format_fixed(value, 2);
    if (!units[unit].empty()) {
        result += ' ';
        result += units[unit];
    }
    return result;
}

} // namespace

std::string format_fixed(double number, int digits) {
    std::array<char, 400> buffer{};
    const int size = std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, number);
    return {buffer.data(), static_cast<std::size_t>(size)};
}

std::string format_bytes(std::uint64_t bytes) {
    static constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
    return format_scaled(bytes, 1024, units);
}

std::string format_count(std::uint64_t count) {
    static constexpr std::array<std::string_view, 5> units{"", "K", "M", "B", "T"};
    return format_scaled(count, 1000, units);
}

std::string format_duration(std::chrono::nanoseconds time) {
    const auto count = static_cast<double>(time.count());
    if (count >= 1e9) {
        return format_fixed(count / 1e9, 3) + "s";
    }
    if (count >= 1e6) {
        return format_fixed(count / 1e6, 3) + "ms";
    }
    return format_fixed(count / 1e3, 1) + "µs";
}

double rate_of(std::uint64_t count, std::chrono::nanoseconds time) {
    return time.count() > 0 ? static_cast<double>(count) * 1e9 / static_cast<double>(time.count())
                            : 0.0;
}

} // namespace mullama::cli

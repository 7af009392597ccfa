// Numbers as texts that can be compared.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <string>

namespace mullama::base {

// The shortest text that reads back as this very number, whatever the locale: std::to_string()
// keeps six digits, and asks the locale for the point.
template <std::floating_point Number>
[[nodiscard]] std::string exact_text(Number number) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    return {buffer.data(), end.ptr};
}

} // namespace mullama::base

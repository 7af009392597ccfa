// Walking through text that claims to be UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mullama::cli {

struct Character {
    char32_t code_point;
    // In bytes; 1 for a byte that is no UTF-8.
    std::size_t size;
    bool valid;
};

// The character at the front of a text that is not empty.
[[nodiscard]] Character first_character(std::string_view text) noexcept;

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

[[nodiscard]] std::size_t count_characters(std::string_view text) noexcept;

// Bytes that are no UTF-8, and control characters other than line break and tab, become U+FFFD: a
// file's metadata, or a model's words, must not steer the terminal that shows them.
[[nodiscard]] std::string visible(std::string_view text);

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

} // namespace mullama::cli

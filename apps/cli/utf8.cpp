#include "cli/utf8.hpp"

#include <array>

namespace mullama::cli {

Character first_character(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) {
        return {lead, 1, true};
    }
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || size > text.size()) {
        return {lead, 1, false};
    }
    char32_t code_point = lead & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) {
            return {lead, 1, false};
        }
        code_point = (code_point << 6) | (byte(i) & 0x3FU);
    }
    static constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (code_point < least[size] || code_point > 0x10FFFF || surrogate) {
        return {lead, 1, false};
    }
    return {code_point, size, true};
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const Character character = first_character(text);
        if (!character.valid) {
            return false;
        }
        text.remove_prefix(character.size);
    }
    return true;
}

std::size_t count_characters(std::string_view text) noexcept {
    std::size_t count = 0;
    for (; !text.empty(); ++count) {
        text.remove_prefix(first_character(text).size);
    }
    return count;
}

std::string visible(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const Character character = first_character(text);
        const char32_t c = character.code_point;
        const bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
        if (character.valid && !control) {
            result += text.substr(0, character.size);
        } else {
            result += replacement_character;
        }
        text.remove_prefix(character.size);
    }
    return result;
}

} // namespace mullama::cli

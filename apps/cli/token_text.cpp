#include "cli/token_text.hpp"

#include "cli/utf8.hpp"

namespace mullama::cli {

std::string quote_piece(std::string_view piece) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result = "\"";
    while (!piece.empty()) {
        const Character character = first_character(piece);
        const char32_t c = character.code_point;
        if (c == '\n') {
            result += "\\n";
        } else if (c == '\t') {
            result += "\\t";
        } else if (c == '"' || c == '\\') {
            result += '\\';
            result += static_cast<char>(c);
        } else if (!character.valid || c < 0x20 || (c >= 0x7F && c < 0xA0)) {
            for (const char byte : piece.substr(0, character.size)) {
                const auto value = static_cast<unsigned char>(byte);
                result += "\\x";
                result += digits[value >> 4];
                result += digits[value & 0xF];
            }
        } else {
            result += piece.substr(0, character.size);
        }
        piece.remove_prefix(character.size);
    }
    return result + '"';
}

void write_piece(JsonWriter &out, std::string_view piece) {
    if (is_utf8(piece)) {
        out.value(piece);
        return;
    }
    out.begin_array();
    for (const char byte : piece) {
        out.value(static_cast<int>(static_cast<unsigned char>(byte)));
    }
    out.end_array();
}

} // namespace mullama::cli

#include "cli/json_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "cli/utf8.hpp"

namespace mullama::cli {
namespace {

template <class Number>
std::string format_number(Number number) {
    if (!std::isfinite(number)) {
        return "null";
    }
    std::array<char, 32> buffer{};
    const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    return {buffer.data(), result.ptr};
}

} // namespace

JsonWriter &JsonWriter::key(std::string_view name) {
    separate();
    quote(name);
    text_ += ':';
    first_ = true;
    return *this;
}

JsonWriter &JsonWriter::value(std::string_view text) {
    separate();
    quote(text);
    return *this;
}

JsonWriter &JsonWriter::value(bool truth) {
    return raw(truth ? "true" : "false");
}

JsonWriter &JsonWriter::value(double number) {
    return raw(format_number(number));
}

JsonWriter &JsonWriter::value(float number) {
    return raw(format_number(number));
}

JsonWriter &JsonWriter::raw(std::string_view json) {
    separate();
    text_ += json;
    return *this;
}

JsonWriter &JsonWriter::open(char bracket) {
    separate();
    text_ += bracket;
    first_ = true;
    return *this;
}

JsonWriter &JsonWriter::close(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
}

void JsonWriter::separate() {
    if (!first_) {
        text_ += ',';
    }
    first_ = false;
}

void JsonWriter::quote(std::string_view text) {
    static constexpr std::string_view digits = "0123456789abcdef";
    text_ += '"';
    while (!text.empty()) {
        const Character character = first_character(text);
        const char32_t c = character.code_point;
        if (!character.valid) {
            text_ += replacement_character;
        } else if (c == '"' || c == '\\') {
            text_ += '\\';
            text_ += static_cast<char>(c);
        } else if (c == '\n') {
            text_ += "\\n";
        } else if (c == '\t') {
            text_ += "\\t";
        } else if (c < 0x20 || c == 0x7F) {
            text_ += "\\u00";
            text_ += digits[c >> 4];
            text_ += digits[c & 0xF];
        } else {
            text_ += text.substr(0, character.size);
        }
        text.remove_prefix(character.size);
    }
    text_ += '"';
}

} // namespace mullama::cli

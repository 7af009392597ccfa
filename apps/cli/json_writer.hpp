// Writes one JSON value (RFC 8259) into a string, without spaces or line breaks.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mullama::cli {

class JsonWriter {
public:
    JsonWriter &begin_object() { return open('{'); }
    JsonWriter &end_object() { return close('}'); }
    JsonWriter &begin_array() { return open('['); }
    JsonWriter &end_array() { return close(']'); }
    // What follows is its value.
    JsonWriter &key(std::string_view name);

    // Bytes that are no UTF-8 become U+FFFD.
    JsonWriter &value(std::string_view text);
    JsonWriter &value(const char *text) { return value(std::string_view(text)); }
    JsonWriter &value(bool truth);
    // The shortest form that reads back as the same number; null for what is not a number.
    JsonWriter &value(double number);
    JsonWriter &value(float number);
    template <std::integral Integer>
    JsonWriter &value(Integer number) {
        return raw(std::to_string(number));
    }
    JsonWriter &null() { return raw("null"); }
    // JSON that something else wrote.
    JsonWriter &raw(std::string_view json);

    // A member of an object.
    template <class Value>
    JsonWriter &member(std::string_view name, const Value &content) {
        return key(name).value(content);
    }
    template <class Value>
    JsonWriter &member(std::string_view name, const std::optional<Value> &content) {
        key(name);
        return content ? value(*content) : null();
    }

    [[nodiscard]] const std::string &text() const noexcept { return text_; }

private:
    JsonWriter &open(char bracket);
    JsonWriter &close(char bracket);
    void separate();
    void quote(std::string_view text);

    std::string text_;
    bool first_ = true;
};

} // namespace mullama::cli

#include "core/metadata.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "platform/system_error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace mullama::core {
namespace {

using base::Error;
using gguf::Value;
using gguf::ValueType;

template <class Number>
std::vector<std::byte> to_bytes(Number number) {
    std::vector<std::byte> bytes(sizeof number);
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
}

Value to_value(const backend::MetadataOverride &override) {
    return std::visit(
        [](const auto &value) {
            using Kind = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<Kind, std::int64_t>) {
                return Value::numbers(ValueType::int64, false, to_bytes(value));
            } else if constexpr (std::is_same_v<Kind, double>) {
                return Value::numbers(ValueType::float64, false, to_bytes(value));
            } else if constexpr (std::is_same_v<Kind, bool>) {
                return Value::numbers(ValueType::boolean, false,
                                      to_bytes<std::uint8_t>(value ? 1 : 0));
            } else {
                return Value::strings(false, value + '\0', {value.size()});
            }
        },
        override.value);
}

void append_json_string(std::string_view bytes, std::string &out) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += '"';
    for (const char c : base::replace_invalid_utf8(bytes)) {
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default: {
            const auto byte = static_cast<unsigned char>(c);
            if (byte < 0x20 || byte == 0x7F) {
                out += "\\u00";
                out += digits[byte >> 4];
                out += digits[byte & 15];
            } else {
                out += c;
            }
        }
        }
    }
    out += '"';
}

// The shortest digits that read back as the same number, whatever the locale. JSON has no word for
// what is not a number.
template <class Number>
void append_json_number(Number number, std::string &out) {
    if constexpr (std::is_floating_point_v<Number>) {
        if (!std::isfinite(number)) {
            out += "null";
            return;
        }
    }
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    out.append(buffer.data(), end.ptr);
}

void append_json(const Value &value, std::uint64_t element, std::string &out) {
    switch (value.element_type()) {
    case ValueType::string:
        append_json_string(value.as_string(element), out);
        break;
    case ValueType::boolean:
        out += value.as_bool(element) ? "true" : "false";
        break;
    case ValueType::float32:
        append_json_number(static_cast<float>(value.as_float(element)), out);
        break;
    case ValueType::float64:
        append_json_number(value.as_float(element), out);
        break;
    case ValueType::uint64:
        append_json_number(value.as_uint(element), out);
        break;
    default:
        append_json_number(value.as_int(element), out);
    }
}

[[noreturn]] void refuse_type(const Metadata::Entry &entry, std::string_view wanted) {
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, platform::quoted(entry.key) + " holds " +
                                                    entry.value.description() + ", not " +
                                                    std::string(wanted))
        .parameter("index")
        .expected(wanted)
        .actual(entry.value.description());
}

[[noreturn]] void refuse_override(base::ErrorCode code, std::string_view text, std::size_t offset,
                                  std::string_view parameter, std::string_view problem,
                                  std::string_view expected) {
    throw Error(code, "the metadata override " + platform::quoted(text) + " " +
                          std::string(problem) + " (at offset " + std::to_string(offset) + ")")
        .parameter(parameter)
        .expected(expected)
        .actual(text.substr(offset))
        .offset(static_cast<std::int64_t>(offset));
}

// llama.cpp keeps both in arrays of 128 bytes, with a NUL.
constexpr std::size_t max_override_size = 127;

// All of `text` as a number.
template <class Number>
std::errc read_number(std::string_view text, Number &number) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code == std::errc() && end != text.data() + text.size())
        return std::errc::invalid_argument;
    return code;
}

} // namespace

void Metadata::add(std::string key, Value value) {
    entries_.push_back({std::move(key), std::move(value)});
}

void Metadata::override_with(const backend::MetadataOverride &override) {
    if (const auto index = find(override.key))
        entries_[*index].value = to_value(override);
    else
        add(override.key, to_value(override));
}

const Metadata::Entry &Metadata::at(std::size_t index) const {
    if (index >= entries_.size()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "there is no metadata key " +
                                                    std::to_string(index) + ": there are " +
                                                    std::to_string(entries_.size()))
            .parameter("index")
            .expected("less than " + std::to_string(entries_.size()))
            .actual(index);
    }
    return entries_[index];
}

const Value &Metadata::value_at(std::size_t index, std::size_t element) const {
    const Entry &entry = at(index);
    if (element >= entry.value.count()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, platform::quoted(entry.key) + " has no element " +
                                                    std::to_string(element) + ": it holds " +
                                                    std::to_string(entry.value.count()))
            .parameter("element")
            .expected("less than " + std::to_string(entry.value.count()))
            .actual(element);
    }
    return entry.value;
}

std::optional<std::size_t> Metadata::find(std::string_view key) const noexcept {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (entries_[i].key == key)
            return i;
    }
    return std::nullopt;
}

std::size_t Metadata::require(std::string_view key) const {
    if (const auto index = find(key))
        return *index;
    throw Error(MULLAMA_ERROR_NOT_FOUND, "the metadata has no key " + platform::quoted(key))
        .parameter("key")
        .actual(key);
}

std::int64_t Metadata::int_at(std::size_t index, std::size_t element) const {
    const Value &value = value_at(index, element);
    if (!value.is_integer())
        refuse_type(at(index), "a whole number");
    if (value.element_type() == ValueType::uint64 &&
        value.as_uint(element) >
            static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    platform::quoted(at(index).key) + " does not fit 63 bits: read it as text")
            .parameter("index")
            .expected("at most 9223372036854775807")
            .actual(value.as_uint(element));
    }
    return value.as_int(element);
}

double Metadata::float_at(std::size_t index, std::size_t element) const {
    const Value &value = value_at(index, element);
    if (!value.is_integer() && !value.is_float())
        refuse_type(at(index), "a number");
    return value.as_float(element);
}

bool Metadata::bool_at(std::size_t index, std::size_t element) const {
    const Value &value = value_at(index, element);
    if (value.element_type() != ValueType::boolean)
        refuse_type(at(index), "a truth value");
    return value.as_bool(element);
}

std::string_view Metadata::string_at(std::size_t index, std::size_t element) const {
    const Value &value = value_at(index, element);
    if (value.element_type() != ValueType::string)
        refuse_type(at(index), "text");
    return value.as_string(element);
}

std::string Metadata::format(std::size_t index, std::size_t max_elements) const {
    const Value &value = at(index).value;
    std::string text;
    if (!value.is_array()) {
        append_json(value, 0, text);
        return text;
    }
    const std::uint64_t shown =
        max_elements == 0 ? value.count() : std::min<std::uint64_t>(max_elements, value.count());
    text = "[";
    for (std::uint64_t i = 0; i < shown; ++i) {
        if (i > 0)
            text += ", ";
        append_json(value, i, text);
    }
    if (shown < value.count())
        text += ", ...";
    text += "]";
    return text;
}

backend::MetadataOverride parse_metadata_override(std::string_view text,
                                                  std::string_view parameter) {
    const auto refuse = [&](std::size_t offset, std::string_view problem, std::string_view expected,
                            base::ErrorCode code = MULLAMA_ERROR_INVALID_ARGUMENT) {
        refuse_override(code, text, offset, parameter, problem, expected);
    };
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos)
        refuse(text.size(), "has no '='", "key=type:value");
    if (equals == 0)
        refuse(0, "has no key", "key=type:value");
    if (equals > max_override_size) {
        refuse(0, "has a key of " + std::to_string(equals) + " bytes", "a key of at most 127 bytes",
               MULLAMA_ERROR_OUT_OF_RANGE);
    }
    const std::size_t type_begin = equals + 1;
    const std::size_t colon = text.find(':', type_begin);
    if (colon == std::string_view::npos)
        refuse(type_begin, "has no type", "int:, float:, bool: or str:");

    backend::MetadataOverride override;
    override.key = text.substr(0, equals);
    const std::string_view type = text.substr(type_begin, colon - type_begin);
    const std::size_t value_begin = colon + 1;
    const std::string_view value = text.substr(value_begin);
    if (type == "int") {
        std::int64_t number = 0;
        const std::errc code = read_number(value, number);
        if (code == std::errc::result_out_of_range) {
            refuse(value_begin, "is too large for 64 bits",
                   "-9223372036854775808 to 9223372036854775807", MULLAMA_ERROR_OUT_OF_RANGE);
        }
        if (code != std::errc())
            refuse(value_begin, "is not a whole number", "a whole number");
        override.value = number;
    } else if (type == "float") {
        double number = 0;
        if (read_number(value, number) != std::errc() || !std::isfinite(number))
            refuse(value_begin, "is not a finite number", "a number such as 0.5 or 1e6");
        override.value = number;
    } else if (type == "bool") {
        if (value != "true" && value != "false")
            refuse(value_begin, "is neither true nor false", "true or false");
        override.value = value == "true";
    } else if (type == "str") {
        if (value.size() > max_override_size) {
            refuse(value_begin, "has a value of " + std::to_string(value.size()) + " bytes",
                   "a value of at most 127 bytes", MULLAMA_ERROR_OUT_OF_RANGE);
        }
        override.value = std::string(value);
    } else {
        refuse(type_begin, "has an unknown type", "int, float, bool or str");
    }
    return override;
}

std::string to_text(const backend::MetadataOverride &override) {
    std::string text = override.key;
    std::visit(
        [&text](const auto &value) {
            using Kind = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<Kind, bool>) {
                text += value ? "=bool:true" : "=bool:false";
            } else if constexpr (std::is_same_v<Kind, std::string>) {
                text += "=str:" + value;
            } else {
                text += std::is_same_v<Kind, double> ? "=float:" : "=int:";
                append_json_number(value, text);
            }
        },
        override.value);
    return text;
}

} // namespace mullama::core

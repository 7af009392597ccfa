#include "core/gguf/value.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

#include "base/error.hpp"

namespace mullama::core::gguf {

using base::Error;

static_assert(std::endian::native == std::endian::little,
              "GGUF files are read as they are: little-endian");

std::string_view value_type_name(ValueType type) noexcept {
    static constexpr std::array<std::string_view, 13> names{
        "uint8", "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
        "bool",  "string", "array",  "uint64", "int64",  "float64"};
    const auto index = static_cast<std::size_t>(type);
    return index < names.size() ? names[index] : "unknown";
}

std::size_t value_type_size(ValueType type) noexcept {
    switch (type) {
    case ValueType::uint8:
    case ValueType::int8:
    case ValueType::boolean:
        return 1;
    case ValueType::uint16:
    case ValueType::int16:
        return 2;
    case ValueType::uint32:
    case ValueType::int32:
    case ValueType::float32:
        return 4;
    case ValueType::uint64:
    case ValueType::int64:
    case ValueType::float64:
        return 8;
    case ValueType::string:
    case ValueType::array:
        break;
    }
    return 0;
}

Value Value::numbers(ValueType element, bool is_array, std::vector<std::byte> bytes) {
    Value value;
    value.element_ = element;
    value.is_array_ = is_array;
    // Numbers have a size.
    value.count_ = bytes.size() / std::max<std::size_t>(1, value_type_size(element));
    value.bytes_ = std::move(bytes);
    return value;
}

Value Value::strings(bool is_array, std::string joined, std::vector<std::uint64_t> ends) {
    Value value;
    value.element_ = ValueType::string;
    value.is_array_ = is_array;
    value.count_ = ends.size();
    value.joined_ = std::move(joined);
    value.ends_ = std::move(ends);
    return value;
}

std::string Value::description() const {
    const std::string element(value_type_name(element_));
    return is_array_ ? "array of " + std::to_string(count_) + " " + element : element;
}

bool Value::is_integer() const noexcept {
    switch (element_) {
    case ValueType::uint8:
    case ValueType::int8:
    case ValueType::uint16:
    case ValueType::int16:
    case ValueType::uint32:
    case ValueType::int32:
    case ValueType::uint64:
    case ValueType::int64:
        return true;
    default:
        return false;
    }
}

bool Value::is_float() const noexcept {
    return element_ == ValueType::float32 || element_ == ValueType::float64;
}

void Value::require_index(std::uint64_t index) const {
    if (index >= count_) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the metadata value has no such element")
            .parameter("index")
            .expected("less than " + std::to_string(count_))
            .actual(index);
    }
}

void Value::fail_type(std::string_view wanted) const {
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "the metadata value is of another type")
        .expected(wanted)
        .actual(description());
}

template <class Number>
Number Value::number(std::uint64_t index) const {
    Number result;
    std::memcpy(&result, bytes_.data() + index * sizeof(Number), sizeof(Number));
    return result;
}

std::int64_t Value::as_int(std::uint64_t index) const {
    require_index(index);
    switch (element_) {
    case ValueType::uint8:
        return number<std::uint8_t>(index);
    case ValueType::int8:
        return number<std::int8_t>(index);
    case ValueType::uint16:
        return number<std::uint16_t>(index);
    case ValueType::int16:
        return number<std::int16_t>(index);
    case ValueType::uint32:
        return number<std::uint32_t>(index);
    case ValueType::int32:
        return number<std::int32_t>(index);
    case ValueType::int64:
        return number<std::int64_t>(index);
    case ValueType::boolean:
        return as_bool(index) ? 1 : 0;
    case ValueType::uint64: {
        const auto value = number<std::uint64_t>(index);
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the metadata value does not fit 63 bits")
                .actual(value);
        }
        return static_cast<std::int64_t>(value);
    }
    default:
        fail_type("an integer");
    }
}

std::uint64_t Value::as_uint(std::uint64_t index) const {
    if (element_ == ValueType::uint64) {
        require_index(index);
        return number<std::uint64_t>(index);
    }
    const std::int64_t value = as_int(index);
    if (value < 0) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the metadata value is negative").actual(value);
    }
    return static_cast<std::uint64_t>(value);
}

double Value::as_float(std::uint64_t index) const {
    require_index(index);
    switch (element_) {
    case ValueType::float32:
        return static_cast<double>(number<float>(index));
    case ValueType::float64:
        return number<double>(index);
    case ValueType::uint64:
        return static_cast<double>(number<std::uint64_t>(index));
    default:
        break;
    }
    if (!is_integer()) {
        fail_type("a number");
    }
    return static_cast<double>(as_int(index));
}

bool Value::as_bool(std::uint64_t index) const {
    require_index(index);
    if (element_ != ValueType::boolean) {
        fail_type("bool");
    }
    return number<std::uint8_t>(index) != 0;
}

std::string_view Value::as_string(std::uint64_t index) const {
    require_index(index);
    if (element_ != ValueType::string) {
        fail_type("string");
    }
    const auto at = static_cast<std::size_t>(index);
    const std::uint64_t begin = at == 0 ? 0 : ends_[at - 1] + 1;
    return std::string_view(joined_).substr(static_cast<std::size_t>(begin),
                                            static_cast<std::size_t>(ends_[at] - begin));
}

std::string Value::to_text(std::uint64_t max_elements) const {
    const auto element = [this](std::uint64_t index) -> std::string {
        switch (element_) {
        case ValueType::string:
            return std::string(as_string(index));
        case ValueType::boolean:
            return as_bool(index) ? "true" : "false";
        case ValueType::uint64:
            return std::to_string(as_uint(index));
        case ValueType::float32:
        case ValueType::float64: {
            // The shortest text that reads back as the same number, whatever the locale.
            std::array<char, 32> buffer{};
            const auto end = element_ == ValueType::float32
                                 ? std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                                 number<float>(index))
                                 : std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                                 number<double>(index));
            return {buffer.data(), end.ptr};
        }
        default:
            return std::to_string(as_int(index));
        }
    };
    if (!is_array_) {
        return element(0);
    }
    std::string text = "[";
    const std::uint64_t shown = std::min(count_, max_elements);
    for (std::uint64_t i = 0; i < shown; ++i) {
        text += i == 0 ? "" : ", ";
        text += element(i);
    }
    text += shown < count_ ? (shown == 0 ? "...]" : ", ...]") : "]";
    return text;
}

} // namespace mullama::core::gguf

// One metadata value: a number, a truth value, a text, or an array of one of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::core::gguf {

// As numbered in the file.
enum class ValueType : std::uint32_t {
    uint8 = 0,
    int8 = 1,
    uint16 = 2,
    int16 = 3,
    uint32 = 4,
    int32 = 5,
    float32 = 6,
    boolean = 7,
    string = 8,
    array = 9,
    uint64 = 10,
    int64 = 11,
    float64 = 12,
};

// "uint32", "string", ...; "unknown" for a number that is no type.
[[nodiscard]] std::string_view value_type_name(ValueType type) noexcept;

// Bytes that one element takes in the file; 0 for strings, arrays and numbers that are no type.
[[nodiscard]] std::size_t value_type_size(ValueType type) noexcept;

// Arrays are kept as the file packs them, numbers in one block and strings in another, since a
// vocabulary has hundreds of thousands of elements. All access is checked: an index past the end,
// or an element that is not of the kind asked for, throws.
class Value {
public:
    // A number, truth value or array of them; `bytes` as in the file, `count` elements long.
    [[nodiscard]] static Value numbers(ValueType element, bool is_array,
                                       std::vector<std::byte> bytes);
    // A text or an array of texts: all of them joined, a NUL behind each, and where that stands.
    [[nodiscard]] static Value strings(bool is_array, std::string joined,
                                       std::vector<std::uint64_t> ends);

    [[nodiscard]] bool is_array() const noexcept { return is_array_; }
    // What it is, `array` for arrays; and what its elements are, the same for anything else.
    [[nodiscard]] ValueType type() const noexcept {
        return is_array_ ? ValueType::array : element_;
    }
    [[nodiscard]] ValueType element_type() const noexcept { return element_; }
    // Elements; 1 unless an array.
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    // "uint32", or "array of 5 string".
    [[nodiscard]] std::string description() const;

    [[nodiscard]] bool is_integer() const noexcept;
    [[nodiscard]] bool is_float() const noexcept;

    // Element `index`: any integer, or a truth value as 0 or 1.
    [[nodiscard]] std::int64_t as_int(std::uint64_t index = 0) const;
    // The same, for what does not fit a signed number.
    [[nodiscard]] std::uint64_t as_uint(std::uint64_t index = 0) const;
    // Any number.
    [[nodiscard]] double as_float(std::uint64_t index = 0) const;
    [[nodiscard]] bool as_bool(std::uint64_t index = 0) const;
    // Bytes: a file may hold texts that are not UTF-8. NUL-terminated besides. Borrowed from the
    // value.
    [[nodiscard]] std::string_view as_string(std::uint64_t index = 0) const;

    // All elements of a number or an array of numbers, little-endian; empty for strings.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

    // For a person: numbers in full, texts as they are, arrays cut off after `max_elements`.
    [[nodiscard]] std::string to_text(std::uint64_t max_elements = 8) const;

private:
    Value() = default;

    template <class Number>
    [[nodiscard]] Number number(std::uint64_t index) const;
    void require_index(std::uint64_t index) const;
    [[noreturn]] void fail_type(std::string_view wanted) const;

    ValueType element_ = ValueType::uint8;
    bool is_array_ = false;
    std::uint64_t count_ = 0;
    std::vector<std::byte> bytes_;
    std::string joined_;
    std::vector<std::uint64_t> ends_;
};

} // namespace mullama::core::gguf

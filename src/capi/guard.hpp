// The border of the contract: what every function of src/capi does first (check its arguments) and
// last (turn an exception into a mullama_error_t). A body computes into locals and assigns its
// outputs last, so that they are untouched on failure.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace mullama::capi {

// The exception that is being handled, as an object for the caller. Never fails: without memory for
// an object it returns the one that exists for that purpose.
[[nodiscard]] mullama_error_t *current_error() noexcept;

// Runs a function's body. Nothing but the body's own cost on success.
template <class Body>
[[nodiscard]] mullama_error_t *guarded(Body &&body) noexcept {
    try {
        std::forward<Body>(body)();
        return nullptr;
    } catch (...) {
        return current_error();
    }
}

[[noreturn]] void refuse_null(std::string_view parameter);
[[noreturn]] void refuse_count(std::string_view parameter, std::size_t count, std::size_t most);
[[noreturn]] void refuse_enum(std::string_view parameter, int value, int first, int last);
[[noreturn]] void refuse_nul(std::string_view parameter, std::size_t offset);

// Throws MULLAMA_ERROR_INVALID_ARGUMENT for NULL.
template <class T>
inline T &require(T *pointer, std::string_view parameter) {
    if (pointer == nullptr) [[unlikely]]
        refuse_null(parameter);
    return *pointer;
}

inline void require(const void *pointer, std::string_view parameter) {
    if (pointer == nullptr) [[unlikely]]
        refuse_null(parameter);
}

// A list of the caller's; NULL is fine when it is empty. No memory holds more than PTRDIFF_MAX
// bytes: a larger count is a negative number that lost its sign on the way here.
template <class T>
[[nodiscard]] inline std::span<const T> array(const T *data, std::size_t count,
                                              std::string_view parameter) {
    constexpr std::size_t most = PTRDIFF_MAX / sizeof(T);
    if (data == nullptr && count != 0) [[unlikely]]
        refuse_null(parameter);
    if (count > most) [[unlikely]]
        refuse_count(parameter, count, most);
    return {data, data == nullptr ? 0 : count};
}

// Bytes of the caller's, whatever they are; NULL is fine when there are none.
[[nodiscard]] inline std::string_view bytes(const char *data, std::size_t size,
                                            std::string_view parameter) {
    const std::span<const char> all = array(data, size, parameter);
    return {all.data(), all.size()};
}

// Text of the caller's: the same, at most INT32_MAX bytes, and UTF-8 or refused with the offset.
[[nodiscard]] std::string_view text(const char *data, std::size_t size, std::string_view parameter);

// A NUL-terminated text of the caller's: not NULL, UTF-8.
[[nodiscard]] std::string_view c_text(const char *data, std::string_view parameter);

// A path of the caller's: text, not empty, without NUL.
[[nodiscard]] std::string_view path(const char *data, std::size_t size, std::string_view parameter);

// The number in an enum that comes from a C caller. It may be one that C++ thinks impossible, so
// nothing may look at it as an enum before it is checked.
template <class Enum>
[[nodiscard]] inline int raw(const Enum &value) noexcept {
    static_assert(sizeof(Enum) == sizeof(int));
    int number = 0;
    std::memcpy(&number, &value, sizeof number);
    return number;
}

// Throws MULLAMA_ERROR_INVALID_ARGUMENT unless the value lies between the enum's first and last.
template <class Enum>
inline Enum enumerator(const Enum &value, Enum first, Enum last, std::string_view parameter) {
    const int number = raw(value);
    if (number < static_cast<int>(first) || number > static_cast<int>(last)) [[unlikely]]
        refuse_enum(parameter, number, static_cast<int>(first), static_cast<int>(last));
    return value;
}

} // namespace mullama::capi

// Structs that start with `size_t struct_size`: how callers and libraries of different versions
// read and write each other's without stepping past the end.
//
// - `_init(&o, sizeof o)` writes the defaults that fit the caller's struct and zeros past them.
// - A struct that comes in is copied over the defaults: an older caller's fields are all there is.
// - A newer caller's struct is longer than ours: what lies past the end must still be zero, or the
//   caller asks for something this library does not have.
// - A struct that goes out is written as far as both know it, and keeps the caller's struct_size.
#pragma once

#include "base/error.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace mullama::capi {

// Every struct of the contract has at least one field behind its size, and none is absurdly large.
// What lies outside was never filled by an `_init` function. (When the contract is frozen, each
// struct's size of that day becomes its own minimum.)
inline constexpr std::size_t min_struct_size = 2 * sizeof(std::size_t);
inline constexpr std::size_t max_struct_size = 65536;

[[noreturn]] void refuse_struct_size(std::string_view parameter, std::string_view init,
                                     std::size_t size);
[[noreturn]] void refuse_unknown_field(std::string_view parameter, std::size_t known,
                                       std::size_t offset);
[[noreturn]] void refuse_null(std::string_view parameter);

namespace detail {

template <class T>
concept SizedStruct = std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T> &&
                      sizeof(T) >= min_struct_size && requires(T value) { value.struct_size; };

template <class T>
inline std::size_t checked_size(const T *pointer, std::string_view parameter,
                                std::string_view init) {
    if (pointer == nullptr) [[unlikely]]
        refuse_null(parameter);
    const std::size_t size = pointer->struct_size;
    if (size < min_struct_size || size > max_struct_size) [[unlikely]]
        refuse_struct_size(parameter, init, size);
    return size;
}

} // namespace detail

// An `_init` function's whole work.
template <detail::SizedStruct T>
inline void init_struct(T *pointer, std::size_t struct_size, T values) noexcept {
    if (pointer == nullptr || struct_size < min_struct_size || struct_size > max_struct_size)
        return;
    values.struct_size = struct_size;
    auto *const target = reinterpret_cast<unsigned char *>(pointer);
    std::memcpy(target, &values, std::min(struct_size, sizeof values));
    if (struct_size > sizeof values)
        std::memset(target + sizeof values, 0, struct_size - sizeof values);
}

// What the caller asks for, over `defaults`. NULL means the defaults. `parameter` and `init` are
// names for the error: "options", "mullama_model_options_init".
template <detail::SizedStruct T>
[[nodiscard]] inline T read_options(const T *pointer, T defaults, std::string_view parameter,
                                    std::string_view init) {
    if (pointer == nullptr)
        return defaults;
    const std::size_t size = detail::checked_size(pointer, parameter, init);
    const auto *const source = reinterpret_cast<const unsigned char *>(pointer);
    for (std::size_t i = sizeof(T); i < size; ++i) {
        if (source[i] != 0)
            refuse_unknown_field(parameter, sizeof(T), i);
    }
    std::memcpy(&defaults, source, std::min(size, sizeof(T)));
    defaults.struct_size = sizeof(T);
    return defaults;
}

// Called before the work whose result write_struct() hands over, so that a wrong struct is refused
// with nothing done.
template <detail::SizedStruct T>
inline void check_struct(const T *pointer, std::string_view parameter, std::string_view init) {
    static_cast<void>(detail::checked_size(pointer, parameter, init));
}

// Fills a struct of the caller's that check_struct() has passed.
template <detail::SizedStruct T>
inline void write_struct(T *pointer, T values) noexcept {
    const std::size_t size = pointer->struct_size;
    values.struct_size = size;
    std::memcpy(static_cast<void *>(pointer), &values, std::min(size, sizeof values));
}

} // namespace mullama::capi

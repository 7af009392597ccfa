// Values that no parameter of a type accepts unless its documentation says so, each with the error
// that it must bring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "contract.generated.hpp"
#include "sweep/description.hpp"
#include "sweep/world.hpp"

namespace mullama::sweep {

struct Refusal {
    mullama_error_code_t code = MULLAMA_ERROR_INVALID_ARGUMENT;
    std::string parameter;
    std::optional<std::int64_t> offset = std::nullopt;
    // One of the codes that api.h promises for all functions at once.
    bool general = false;
};

// One thing done to the arguments of a call, or to a struct among them.
template <class Target>
struct Bad {
    std::string where; // the parameter, "parameter->field"
    std::string label; // "NULL", "max", "nan"
    std::function<void(Target &)> apply;
    std::optional<Refusal> refusal; // absent: the call must succeed
    // Looks at the arguments after a call that succeeded.
    std::function<void(const Target &)> look = nullptr;
};

// Scalars, by label.
template <class Number>
[[nodiscard]] std::vector<std::pair<std::string, Number>> bad_numbers() {
    using Limits = std::numeric_limits<Number>;
    if constexpr (std::is_floating_point_v<Number>) {
        return {{"nan", Limits::quiet_NaN()},
                {"inf", Limits::infinity()},
                {"-inf", -Limits::infinity()}};
    } else if constexpr (std::is_signed_v<Number>) {
        return {{"min", Limits::min()}, {"-1", Number{-1}}, {"max", Limits::max()}};
    } else {
        return {{"max", Limits::max()}};
    }
}

template <class Enum>
[[nodiscard]] std::vector<std::pair<std::string, int>> bad_enumerators() {
    constexpr int first = EnumRange<Enum>::first;
    constexpr int last = EnumRange<Enum>::last;
    return {{"before the first", first - 1},
            {"after the last", last + 1},
            {"min", std::numeric_limits<int>::min()},
            {"max", std::numeric_limits<int>::max()}};
}

template <class T>
inline constexpr bool is_number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

template <class T>
inline constexpr bool is_callback =
    std::is_pointer_v<T> && std::is_function_v<std::remove_pointer_t<T>>;

// Sets a struct's field of that name, which is a count.
template <class Struct>
void set_count(Struct &target, std::string_view name, std::size_t count) {
    Fields<Struct>::visit([&](auto member, const Value &field) {
        if constexpr (std::is_same_v<decltype(target.*member), std::size_t &>) {
            if (field.name == name)
                target.*member = count;
        }
    });
}

template <class Struct>
[[nodiscard]] bool is_count(std::string_view name) {
    bool found = false;
    Fields<Struct>::visit([&](auto, const Value &field) { found = found || field.count == name; });
    return found;
}

// The bad values of a struct's fields.
template <class Struct>
[[nodiscard]] std::vector<Bad<Struct>> bad_fields() {
    std::vector<Bad<Struct>> all;
    Fields<Struct>::visit([&]<class Field>(Field Struct::*member, const Value &field) {
        const std::string name(field.name);
        const Refusal out_of_range{MULLAMA_ERROR_OUT_OF_RANGE, name};
        const Refusal invalid{MULLAMA_ERROR_INVALID_ARGUMENT, name};
        if constexpr (std::is_enum_v<Field>) {
            for (const auto &[label, number] : bad_enumerators<Field>()) {
                all.push_back({name, label,
                               [member, number](Struct &target) {
                                   std::memcpy(&(target.*member), &number, sizeof number);
                               },
                               invalid});
            }
        } else if constexpr (is_number<Field>) {
            if (is_count<Struct>(field.name))
                return;
            for (const auto &[label, number] : bad_numbers<Field>()) {
                all.push_back({name, label,
                               [member, number](Struct &target) { target.*member = number; },
                               out_of_range});
            }
        } else if constexpr (std::is_same_v<Field, const char *>) {
            all.push_back({name, "not UTF-8",
                           [member](Struct &target) { target.*member = not_utf8.data(); },
                           Refusal{MULLAMA_ERROR_INVALID_UTF8, name, not_utf8_offset}});
        } else if constexpr (is_callback<Field>) {
            if (!field.nullable)
                all.push_back({name, "NULL", [member](Struct &target) { target.*member = nullptr; },
                               invalid});
        } else if constexpr (std::is_pointer_v<Field> &&
                             std::is_const_v<std::remove_pointer_t<Field>>) {
            if (field.count.empty())
                return;
            using Element = std::remove_const_t<std::remove_pointer_t<Field>>;
            const std::string count(field.count);
            const auto one = [&](std::string label, const auto *elements, Refusal refusal) {
                all.push_back({name, std::move(label),
                               [member, count, elements](Struct &target) {
                                   target.*member = elements;
                                   set_count(target, count, 1);
                               },
                               std::move(refusal)});
            };
            if (!field.nullable)
                one("NULL", static_cast<const Element *>(nullptr), invalid);
            if constexpr (std::is_same_v<Element, const char *>) {
                static const char *const null_text = nullptr;
                static const char *const bad_text = not_utf8.data();
                one("[NULL]", &null_text, Refusal{MULLAMA_ERROR_INVALID_ARGUMENT, name + "[0]"});
                one("[not UTF-8]", &bad_text,
                    Refusal{MULLAMA_ERROR_INVALID_UTF8, name + "[0]", not_utf8_offset});
            } else if constexpr (std::is_floating_point_v<Element>) {
                static const std::vector<std::pair<std::string, Element>> numbers =
                    bad_numbers<Element>();
                for (const auto &[label, number] : numbers)
                    one("[" + label + "]", &number, Refusal{MULLAMA_ERROR_OUT_OF_RANGE, name, 0});
            }
        }
    });
    return all;
}

} // namespace mullama::sweep

// What describe.py writes about the contract: the shapes of its tables.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "mullama/mullama.h"

namespace mullama::sweep {

enum class Direction { in, out, in_out };

// A parameter or a field, and what its comment says about it.
struct Value {
    std::string_view name;
    std::string_view type;
    Direction direction = Direction::in;
    bool nullable = false;  // NULL has a meaning
    bool owned = false;     // the caller gives back what comes out
    bool utf8 = false;      // text, not bytes
    std::string_view count; // the value that has the number of its elements
};

struct Function {
    void (*address)();
    std::string_view name;
    std::string_view result;
    std::vector<Value> parameters;
    std::vector<mullama_error_code_t> codes; // those that @return names

    [[nodiscard]] bool can_fail() const { return result == "mullama_error_t *"; }
    [[nodiscard]] bool documents(mullama_error_code_t code) const {
        return std::ranges::find(codes, code) != codes.end();
    }
    // The first parameter whose elements this one counts; nullptr where it counts none.
    [[nodiscard]] const Value *counted_by(std::string_view parameter) const {
        const auto found = std::ranges::find(parameters, parameter, &Value::count);
        return found == parameters.end() ? nullptr : &*found;
    }
};

// visit(visitor): visitor(member pointer, Value) for each field but struct_size.
template <class Struct>
struct Fields;

// first and last.
template <class Enum>
struct EnumRange;

template <class T>
concept SizedStruct = requires(T value) { value.struct_size; };

} // namespace mullama::sweep

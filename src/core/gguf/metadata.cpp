#include "core/gguf/metadata.hpp"

#include "base/error.hpp"

namespace mullama::core::gguf {

using base::Error;

std::string Metadata::full_key(std::string_view key) const {
    return key.starts_with('.') ? architecture_ + std::string(key) : std::string(key);
}

void Metadata::fail(std::string_view message, std::string_view key, std::string_view expected,
                    std::string_view actual) const {
    const std::string name = full_key(key);
    throw Error(MULLAMA_ERROR_BAD_MODEL, name + ": " + std::string(message))
        .parameter(name)
        .expected(expected)
        .actual(actual);
}

void Metadata::fail(std::string_view message, std::string_view key, std::string_view expected,
                    std::uint64_t actual) const {
    fail(message, key, expected, std::to_string(actual));
}

// As in llama.cpp, an override of another kind than the key's is as good as none.
template <class Kind>
const Kind *Metadata::overridden(const std::string &key) const {
    for (const Override &override : overrides_) {
        if (override.key == key) {
            return std::get_if<Kind>(&override.value);
        }
    }
    return nullptr;
}

const Value *Metadata::scalar(const std::string &key, ValueType type) const {
    const Value *found = file_.find(key);
    if (found != nullptr && found->type() != type) {
        fail("the metadata value is of the wrong type", key, value_type_name(type),
             found->description());
    }
    return found;
}

std::optional<std::uint32_t> Metadata::u32(std::string_view key) const {
    const std::string name = full_key(key);
    if (const auto *number = overridden<std::int64_t>(name)) {
        if (*number < 0 || *number > std::int64_t{0xffffffff}) {
            fail("the override does not fit", name, "0 to 4294967295", std::to_string(*number));
        }
        return static_cast<std::uint32_t>(*number);
    }
    const Value *found = scalar(name, ValueType::uint32);
    return found == nullptr ? std::nullopt
                            : std::optional(static_cast<std::uint32_t>(found->as_uint()));
}

std::optional<float> Metadata::f32(std::string_view key) const {
    const std::string name = full_key(key);
    if (const auto *number = overridden<double>(name)) {
        return static_cast<float>(*number);
    }
    const Value *found = scalar(name, ValueType::float32);
    return found == nullptr ? std::nullopt : std::optional(static_cast<float>(found->as_float()));
}

std::optional<bool> Metadata::boolean(std::string_view key) const {
    const std::string name = full_key(key);
    if (const auto *truth = overridden<bool>(name)) {
        return *truth;
    }
    const Value *found = scalar(name, ValueType::boolean);
    return found == nullptr ? std::nullopt : std::optional(found->as_bool());
}

std::optional<std::string_view> Metadata::string(std::string_view key) const {
    const std::string name = full_key(key);
    if (const auto *text = overridden<std::string>(name)) {
        return *text;
    }
    const Value *found = scalar(name, ValueType::string);
    return found == nullptr ? std::nullopt : std::optional(found->as_string());
}

std::uint32_t Metadata::require_u32(std::string_view key) const {
    const auto found = u32(key);
    if (!found) {
        fail("the model lacks this metadata", key, "uint32", "nothing");
    }
    return *found;
}

std::string_view Metadata::require_string(std::string_view key) const {
    const auto found = string(key);
    if (!found) {
        fail("the model lacks this metadata", key, "string", "nothing");
    }
    return *found;
}

const Value *Metadata::value(std::string_view key) const {
    return file_.find(full_key(key));
}

const Value *Metadata::array(std::string_view key, ValueType element) const {
    const Value *found = value(key);
    if (found != nullptr && (!found->is_array() || found->element_type() != element)) {
        fail("the metadata value is of the wrong type", key,
             "array of " + std::string(value_type_name(element)), found->description());
    }
    return found;
}

std::optional<std::vector<std::uint32_t>> Metadata::per_layer(std::string_view key,
                                                              std::uint32_t layers) const {
    const Value *found = value(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    if (!found->is_array()) {
        return std::vector<std::uint32_t>(layers, require_u32(key));
    }
    switch (found->element_type()) {
    case ValueType::boolean:
    case ValueType::uint32:
    case ValueType::int32:
        break;
    default:
        fail("the metadata value is of the wrong type", key, "uint32, or an array of them",
             found->description());
    }
    if (found->count() != layers) {
        fail("the array has not one element for each layer", key, std::to_string(layers),
             found->count());
    }
    std::vector<std::uint32_t> numbers(layers);
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
        const std::int64_t number = found->as_int(layer);
        if (number < 0) {
            fail("a layer's number is negative", key, "0 or more", std::to_string(number));
        }
        numbers[layer] = static_cast<std::uint32_t>(number);
    }
    return numbers;
}

} // namespace mullama::core::gguf

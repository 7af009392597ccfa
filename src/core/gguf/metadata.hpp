// Metadata as llama.cpp will see it: the first file's, with the caller's overrides on top, read by
// llama.cpp's rules (no number is taken for one of another type). What is missing or of the wrong
// type throws MULLAMA_ERROR_BAD_MODEL with the key.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/gguf/file.hpp"

namespace mullama::core::gguf {

struct Override {
    std::string key;
    std::variant<bool, std::int64_t, double, std::string> value;
};

class Metadata {
public:
    // Both are borrowed.
    Metadata(const File &file, std::span<const Override> overrides) noexcept
        : file_(file), overrides_(overrides) {}

    // Keys that start with "." are the architecture's: ".block_count" is "llama.block_count".
    void set_architecture(std::string_view name) { architecture_ = name; }
    [[nodiscard]] std::string full_key(std::string_view key) const;

    [[nodiscard]] std::optional<std::uint32_t> u32(std::string_view key) const;
    [[nodiscard]] std::optional<float> f32(std::string_view key) const;
    [[nodiscard]] std::optional<bool> boolean(std::string_view key) const;
    [[nodiscard]] std::optional<std::string_view> string(std::string_view key) const;

    [[nodiscard]] std::uint32_t require_u32(std::string_view key) const;
    [[nodiscard]] std::string_view require_string(std::string_view key) const;

    // The file's own value, whatever it is: overrides replace no arrays. nullptr where there is
    // none.
    [[nodiscard]] const Value *value(std::string_view key) const;
    // An array of elements of this type, or nullptr where there is no such key.
    [[nodiscard]] const Value *array(std::string_view key, ValueType element) const;

    // One number for each of `layers` layers: an array of that length, or one number for all.
    // Nothing where the file has no such key: llama.cpp overrides only what is there.
    [[nodiscard]] std::optional<std::vector<std::uint32_t>> per_layer(std::string_view key,
                                                                      std::uint32_t layers) const;

    [[noreturn]] void fail(std::string_view message, std::string_view key,
                           std::string_view expected, std::string_view actual) const;
    [[noreturn]] void fail(std::string_view message, std::string_view key,
                           std::string_view expected, std::uint64_t actual) const;

private:
    template <class Kind>
    [[nodiscard]] const Kind *overridden(const std::string &key) const;
    [[nodiscard]] const Value *scalar(const std::string &key, ValueType type) const;

    const File &file_;
    std::span<const Override> overrides_;
    std::string architecture_;
};

} // namespace mullama::core::gguf

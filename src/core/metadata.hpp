// A model's metadata as the core keeps it: what its file says, with the caller's overrides applied.
#pragma once

#include "backend/port.hpp"
#include "core/gguf/value.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::core {

// Immutable once filled.
class Metadata {
public:
    struct Entry {
        std::string key;
        gguf::Value value;
    };

    // A file's, in its order, then what a caller asked for: replaced in place or added.
    void add(std::string key, gguf::Value value);
    void override_with(const backend::MetadataOverride &override);

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    // Throws MULLAMA_ERROR_OUT_OF_RANGE past the end.
    [[nodiscard]] const Entry &at(std::size_t index) const;
    [[nodiscard]] std::optional<std::size_t> find(std::string_view key) const noexcept;
    // Throws MULLAMA_ERROR_NOT_FOUND where there is no such key.
    [[nodiscard]] std::size_t require(std::string_view key) const;

    // One element of the value at `index`. These throw MULLAMA_ERROR_OUT_OF_RANGE past the end of
    // the metadata or of the array, and MULLAMA_ERROR_INVALID_ARGUMENT for an element of another
    // kind.
    [[nodiscard]] std::int64_t int_at(std::size_t index, std::size_t element) const;
    [[nodiscard]] double float_at(std::size_t index, std::size_t element) const;
    [[nodiscard]] bool bool_at(std::size_t index, std::size_t element) const;
    // Bytes, with a NUL behind them.
    [[nodiscard]] std::string_view string_at(std::size_t index, std::size_t element) const;

    // JSON, cut off with "..." after `max_elements` of an array; 0: all of it.
    [[nodiscard]] std::string format(std::size_t index, std::size_t max_elements) const;

private:
    [[nodiscard]] const gguf::Value &value_at(std::size_t index, std::size_t element) const;

    std::vector<Entry> entries_;
};

// Reads "key=type:value" with the type int, float, bool or str. Throws
// MULLAMA_ERROR_INVALID_ARGUMENT, or MULLAMA_ERROR_OUT_OF_RANGE for what is too long or too large,
// naming the parameter, with the offset in the text.
[[nodiscard]] backend::MetadataOverride parse_metadata_override(std::string_view text,
                                                                std::string_view parameter);

// The same, back: "key=type:value".
[[nodiscard]] std::string to_text(const backend::MetadataOverride &override);

} // namespace mullama::core

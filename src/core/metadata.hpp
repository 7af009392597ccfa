// A model's metadata as the core keeps it: what its file says, with the caller's overrides applied.
#pragma once

#include "backend/port.hpp"
#include "core/gguf/value.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
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

    // Adds a key, or replaces its value. (Keys are unique in a file that was read.)
    void set(std::string key, gguf::Value value);
    // Replaces or adds what a caller asked for.
    void override_with(const backend::MetadataOverride &override);

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    // Throws MULLAMA_ERROR_OUT_OF_RANGE past the end.
    [[nodiscard]] const Entry &at(std::size_t index) const;
    [[nodiscard]] std::optional<std::size_t> find(std::string_view key) const noexcept;

    // One element. These throw MULLAMA_ERROR_OUT_OF_RANGE past the end of the metadata or of the
    // array, and MULLAMA_ERROR_INVALID_ARGUMENT for an element of another kind.
    [[nodiscard]] std::int64_t int_at(std::size_t index, std::size_t element) const;
    [[nodiscard]] double float_at(std::size_t index, std::size_t element) const;
    [[nodiscard]] bool bool_at(std::size_t index, std::size_t element) const;
    // Bytes, with a NUL behind them.
    [[nodiscard]] std::string_view string_at(std::size_t index, std::size_t element) const;

    // JSON, cut off with "..." after `max_elements` of an array; 0: all of it.
    [[nodiscard]] std::string format(std::size_t index, std::size_t max_elements) const;

private:
    [[nodiscard]] const Entry &at(std::size_t index, std::size_t element) const;

    std::vector<Entry> entries_;
};

// Reads "key=type:value". Throws MULLAMA_ERROR_INVALID_ARGUMENT, naming the parameter, with the
// offset in the text.
[[nodiscard]] backend::MetadataOverride parse_metadata_override(std::string_view text,
                                                                std::string_view parameter);

} // namespace mullama::core

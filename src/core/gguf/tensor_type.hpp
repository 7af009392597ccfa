// The tensor types that a GGUF file can name: ggml's ids at the pinned llama.cpp, and how each
// packs its elements. tests/backend/gguf_types_test.cpp holds this table against ggml's own.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mullama::core::gguf {

struct TensorType {
    std::uint32_t id;             // as in the file
    std::string_view name;        // as ggml spells it
    std::uint32_t block_elements; // elements in one block; a row is a whole number of blocks
    std::uint32_t block_bytes;    // bytes that one block takes
};

// All types, by rising id. Ids that ggml has withdrawn are not among them.
[[nodiscard]] std::span<const TensorType> tensor_types() noexcept;

// The type with this id, or nullptr.
[[nodiscard]] const TensorType *find_tensor_type(std::uint32_t id) noexcept;

// Whether ggml stores it, but has no matrix product for it: llama.cpp would call through a null
// pointer.
[[nodiscard]] bool is_stored_only(const TensorType &type) noexcept;

// What a withdrawn id used to stand for, for error messages; "" for any other id.
[[nodiscard]] std::string_view withdrawn_tensor_type(std::uint32_t id) noexcept;

} // namespace mullama::core::gguf

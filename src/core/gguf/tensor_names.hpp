// The names that tensors may have at the pinned llama.cpp, whatever the architecture. It refuses a
// file with any other, without saying which. tests/backend/gguf_types_test.cpp holds the list
// against its source.
#pragma once

#include <span>
#include <string_view>

namespace mullama::core::gguf {

// Without what follows the last dot ("weight", "bias", ...), and with "#" for numbers:
// "blk.#.attn_q". Sorted.
[[nodiscard]] std::span<const std::string_view> tensor_stems() noexcept;

[[nodiscard]] bool is_tensor_name(std::string_view name);

// Those of them that llama.cpp adds to or multiplies with activations element by element. Sorted.
[[nodiscard]] std::span<const std::string_view> elementwise_stems() noexcept;

// Whether the tensor of this name is one, a bias, or a scale.
[[nodiscard]] bool is_elementwise(std::string_view name);

} // namespace mullama::core::gguf

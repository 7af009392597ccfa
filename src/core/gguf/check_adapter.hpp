// Whether llama.cpp can apply a well-formed file to a model without aborting: a LoRA's matrices and
// a control vector's directions held against the model's own tensors. docs/model-files.md tells
// users what is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/gguf/file.hpp"

namespace mullama::core::gguf {

// The model that an adapter is for.
struct AdapterTarget {
    std::string_view architecture;
    // By name.
    std::span<const TensorInfo> tensors;
    std::int32_t n_vocab = 0;
    std::int32_t n_embd = 0;
    std::int32_t n_layer = 0;
    bool has_decoder = true;

    [[nodiscard]] const TensorInfo *find(std::string_view name) const noexcept;
};

enum class AdapterKind { lora, control_vector };

// Throws MULLAMA_ERROR_UNSUPPORTED for what is no adapter or one that llama.cpp does not have, and
// MULLAMA_ERROR_BAD_MODEL for keys that are missing or of the wrong type.
[[nodiscard]] AdapterKind adapter_kind(const File &file);

struct Lora {
    float alpha = 0;
    // The largest.
    std::uint32_t rank = 0;
    // How many matrices it changes.
    std::size_t n_pairs = 0;
    // The bytes of the tensors in use.
    std::uint64_t size_bytes = 0;
    // -1: no layer.
    std::int32_t layer_first = -1;
    std::int32_t layer_last = -1;
    // Of an activated LoRA.
    std::vector<std::int32_t> invocation_tokens;
};

// Both throw MULLAMA_ERROR_BAD_MODEL with the key or tensor as the parameter, and
// MULLAMA_ERROR_UNSUPPORTED where llama.cpp would abort on something that is right in itself.
[[nodiscard]] Lora check_lora(const File &file, const AdapterTarget &target);

struct Direction {
    const TensorInfo *tensor; // borrowed from the file
    std::int32_t layer;
};

// At least one, by rising layer; a layer may have several.
[[nodiscard]] std::vector<Direction> check_control_vector(const File &file,
                                                          const AdapterTarget &target);

} // namespace mullama::core::gguf

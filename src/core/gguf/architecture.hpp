// The model architectures that the pinned llama.cpp can load, and what it takes for granted about
// the hyperparameters of each: conditions that it asserts (and dies of) once a context is made.
// tests/backend/gguf_types_test.cpp holds the names against llama.cpp's own list.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mullama::core::gguf {

// When an architecture uses a sliding window, and where the layers that do come from.
enum class WindowKind : std::uint8_t {
    never,
    always,             // "attention.sliding_window_pattern", else `pattern`
    if_window,          // the same, where "attention.sliding_window" is there and not 0
    unless_zero_window, // the same, where "attention.sliding_window" is not there or not 0
    with_64_layers,     // the same, for models of 64 layers
    by_array,           // "attention.sliding_window_pattern", which must be an array
    by_array_if_window, // the same, where "attention.sliding_window" is there and not 0
    all_blocks,
    all_with_heads_if_window, // those with attention, where there is a window
};

struct Window {
    WindowKind kind = WindowKind::never;
    std::uint32_t pattern = 0; // of every `pattern` layers one is dense,
    bool dense_first = false;  // the first instead of the last
};

struct Architecture {
    // Bits of `traits`.
    enum Trait : std::uint32_t {
        same_head = 1,          // keys and values of a head have the same length
        full_rope = 2,          // RoPE turns the whole head
        recurrent = 4,          // no attention at all
        hybrid = 8,             // some layers recurrent, some with attention
        mrope = 16,             // multi-dimensional RoPE, so its sections are needed
        mrope_by_sections = 32, // the same when there are sections
        needs_experts = 64,     // "expert_count" must not be 0
        needs_gating = 128,     // "expert_gating_func" has no default
        no_memory = 256,        // no KV cache: not used autoregressively
        own_attention = 1024,   // attention matrices with sizes of their own
        rms_epsilon = 2048,     // "attention.layer_norm_rms_epsilon" has no default
        norm_epsilon = 4096,    // "attention.layer_norm_epsilon" has no default
        no_rope = 512,          // positions are learned, relative, or of no interest
    };

    std::string_view name;
    std::uint32_t traits = 0;
    Window window;

    [[nodiscard]] bool has(Trait trait) const noexcept { return (traits & trait) != 0; }
};

// By name.
[[nodiscard]] std::span<const Architecture> architectures() noexcept;

// nullptr for a name that is none.
[[nodiscard]] const Architecture *find_architecture(std::string_view name) noexcept;

} // namespace mullama::core::gguf

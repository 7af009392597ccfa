// The hyperparameters that llama.cpp reads for every architecture, read by its rules and checked
// for all that it would assert, divide by or index with.
#pragma once

#include <cstdint>
#include <vector>

#include "core/gguf/architecture.hpp"
#include "core/gguf/metadata.hpp"

namespace mullama::core::gguf {

struct Hyperparameters {
    const Architecture *architecture = nullptr;
    std::uint32_t context_length = 0;
    std::uint32_t embedding_length = 0;
    std::uint32_t block_count = 0;  // with those for the prediction of further tokens
    std::uint32_t extra_blocks = 0; // only those
    std::uint32_t experts = 0;

    // Per block.
    std::vector<std::uint32_t> experts_used;
    std::vector<std::uint32_t> heads;
    std::vector<std::uint32_t> heads_kv;
    std::vector<std::uint32_t> feed_forward;
    std::vector<bool> windowed; // attends to a sliding window only

    // Of a head, in blocks that attend to everything and in windowed ones.
    std::uint32_t key_length = 0;
    std::uint32_t value_length = 0;
    std::uint32_t rope_dims = 0;
    std::uint32_t key_length_window = 0;
    std::uint32_t value_length_window = 0;
    std::uint32_t rope_dims_window = 0;

    [[nodiscard]] std::uint32_t blocks() const noexcept { return block_count - extra_blocks; }
};

// Throws MULLAMA_ERROR_BAD_MODEL with the key at fault.
[[nodiscard]] Hyperparameters read_hyperparameters(const Metadata &metadata,
                                                   const Architecture &architecture);

} // namespace mullama::core::gguf

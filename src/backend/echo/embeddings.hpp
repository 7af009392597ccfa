// What the pretend model means: a vector for each token, the same wherever it stands.
#pragma once

#include <cstddef>
#include <span>

#include "backend/port.hpp"

namespace mullama::backend::echo {

inline constexpr std::size_t embedding_size = 16;

// Writes numbers between -1 and 1, fixed by the token, into `out`, which has embedding_size places.
void embed(Token token, std::span<float> out) noexcept;

// Pools the tokens that the batch has of a sequence, of which there is at least one.
void pool(const Batch &batch, SequenceId sequence, mullama_pooling_t pooling,
          std::span<float> out) noexcept;

// Whether the batch has a token of the sequence.
[[nodiscard]] bool contains(const Batch &batch, SequenceId sequence) noexcept;

} // namespace mullama::backend::echo

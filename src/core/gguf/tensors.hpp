// The tensors of a model, checked against its metadata: types that llama.cpp can compute with, and
// shapes that fit the hyperparameters and the vocabulary.
#pragma once

#include <span>

#include "core/gguf/file.hpp"
#include "core/gguf/hyperparameters.hpp"
#include "core/gguf/metadata.hpp"
#include "core/gguf/vocabulary.hpp"

namespace mullama::core::gguf {

// Throws MULLAMA_ERROR_BAD_MODEL with the tensor at fault.
void check_tensors(std::span<const File *const> parts, const Metadata &metadata,
                   const Hyperparameters &hyperparameters, const Vocabulary &vocabulary);

} // namespace mullama::core::gguf

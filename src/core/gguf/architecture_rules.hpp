// What single architectures assert, divide by or index with beyond what all do. One rule a
// function; a table says which architectures it is for.
#pragma once

#include "core/gguf/hyperparameters.hpp"
#include "core/gguf/metadata.hpp"

namespace mullama::core::gguf {

// Throws MULLAMA_ERROR_BAD_MODEL with the key at fault.
void check_architecture_rules(const Metadata &metadata, const Hyperparameters &hyperparameters);

} // namespace mullama::core::gguf

// Whether a file's weights are all numbers. llama.cpp can look too, but tells its findings to
// standard error and does not name the tensor.
#pragma once

#include "core/gguf/file.hpp"
#include "core/gguf/source.hpp"

#include <functional>

namespace mullama::core {

// Reads all tensors. Throws MULLAMA_ERROR_BAD_MODEL with the tensor as the parameter and the offset
// in the file for the first value, or scale of a block of values, that is infinite or no number at
// all; what the source throws goes through. `between` is called before each piece of some MiB.
void check_tensor_values(const gguf::File &file, const gguf::Source &source,
                         const std::function<void()> &between);

} // namespace mullama::core

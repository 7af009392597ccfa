// Looks at every weight of a model's files for values that are not finite numbers.
//
// llama.cpp can do so too, but prints what it finds to stderr, and names no place.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace mullama::backend::llama {

// Throws MULLAMA_ERROR_BAD_MODEL with the tensor, the row and the offset in the file of the first
// that is found, MULLAMA_ERROR_IO where a file cannot be read, and MULLAMA_ERROR_CANCELLED when
// `go_on`, asked before each tensor, says no.
void check_tensors(const std::vector<std::string> &paths, const std::function<bool()> &go_on);

} // namespace mullama::backend::llama

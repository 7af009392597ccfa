// Which architectures llama.cpp can build.
#pragma once

#include <string_view>

namespace mullama::backend::llama {

// Asks llama.cpp itself, with a model that has a name and nothing else.
[[nodiscard]] bool knows_architecture(std::string_view name);

} // namespace mullama::backend::llama

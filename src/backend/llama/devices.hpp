// The devices that llama.cpp sees, and why others are not among them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <ggml-backend.h>

#include "backend/port.hpp"

namespace mullama::backend::llama {

[[nodiscard]] std::vector<Device> list_devices();

// The devices that keep layers of a model: the named ones, or by default all graphics cards, or
// where there is none the integrated graphics. The processor is always used and never among them.
// Throws MULLAMA_ERROR_NOT_FOUND for a name that list_devices() does not have as available.
[[nodiscard]] std::vector<ggml_backend_dev_t>
choose_devices(const std::optional<std::vector<std::string>> &names);

} // namespace mullama::backend::llama

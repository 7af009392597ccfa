// From paths or bytes to a model: files checked, tried in a child process where asked for, within
// the runtime's memory budget, with a progress callback that can cancel.
#pragma once

#include "backend/port.hpp"
#include "core/model.hpp"
#include "core/runtime.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mullama::core {

struct ModelRequest {
    std::shared_ptr<Runtime> runtime;
    const backend::Backend *backend = nullptr;
    // The progress callback hears 0 first, 1 last, and never a falling number.
    backend::ModelParams params;
    // A `mullama` program that tries the files first; empty: none.
    std::string probe_program;
};

// One path, or all parts of a split model in order; none for an engine that reads no files.
[[nodiscard]] std::shared_ptr<const Model> load_model(const std::vector<std::string> &paths,
                                                      const ModelRequest &request);

// The bytes are not needed afterwards.
[[nodiscard]] std::shared_ptr<const Model> load_model_from_memory(std::span<const std::byte> bytes,
                                                                  const ModelRequest &request);

} // namespace mullama::core

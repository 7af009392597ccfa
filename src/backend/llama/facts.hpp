// What is known of a loaded model.
#pragma once

#include <string>

#include <llama.h>

#include "backend/port.hpp"

namespace mullama::backend::llama {

// The value of a scalar metadata key as text; empty where the model has none.
[[nodiscard]] std::string metadata(const llama_model &model, const std::string &key);
[[nodiscard]] std::int64_t metadata_number(const llama_model &model, const std::string &key,
                                           std::int64_t otherwise);

// llama.cpp's number for a pooling; MULLAMA_POOLING_NONE for what it leaves open.
[[nodiscard]] mullama_pooling_t pooling_of(std::int64_t type);

// All but load_mode and n_gpu_layers, which the loader knows. `params`: how it was loaded.
[[nodiscard]] ModelFacts read_facts(const llama_model &model, const ModelParams &params);

} // namespace mullama::backend::llama

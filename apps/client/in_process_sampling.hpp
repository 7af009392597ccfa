// A flat list of settings, as command lines and protocols have it, made into a chain of stages.
#pragma once

#include <vector>

#include "client/client.hpp"
#include "mullama/mullama.hpp"

namespace mullama::client {

[[nodiscard]] std::vector<SamplingStage> read_sampling_table();

[[nodiscard]] std::vector<SamplingPreset> read_sampling_presets();

// `model`: whose recommendation a preset may follow.
[[nodiscard]] Sampler make_sampler(const Sampling &sampling, const mullama::Model &model);

} // namespace mullama::client

// A flat list of settings, as command lines and protocols have it, made into a chain of stages.
#pragma once

#include <vector>

#include "client/client.hpp"
#include "mullama/mullama.hpp"

namespace mullama::client {

[[nodiscard]] std::vector<SamplingStage> read_sampling_table();

[[nodiscard]] Sampler make_sampler(const Sampling &sampling);

} // namespace mullama::client

// One token that can still be selected.
#pragma once

#include "backend/port.hpp"
#include "mullama/candidates.h"

namespace mullama::core::sampling {

using backend::Token;

// Its fields are id, logit and p: its probability, where a stage worked it out.
using Candidate = mullama_candidate_t;

} // namespace mullama::core::sampling

// One token that can still be selected.
#pragma once

#include "backend/port.hpp"

namespace mullama::core::sampling {

using backend::Token;

struct Candidate {
    Token id;
    float logit;
    // Its probability, where a stage worked it out.
    float p;
};

} // namespace mullama::core::sampling

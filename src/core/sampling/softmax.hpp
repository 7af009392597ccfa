// Probabilities out of logits.
#pragma once

#include <vector>

#include "core/sampling/candidates.hpp"

namespace mullama::core::sampling {

// Writes e^(logit - greatest logit) into each candidate's p, and returns their sum, added up in the
// list's order in Sum's precision: the order and the precision decide the last bits.
template <class Sum>
Sum exponentials(Candidates &candidates);

extern template float exponentials<float>(Candidates &);
extern template double exponentials<double>(Candidates &);

// The same into `weights`, one for each place, with no need of a list.
template <class Sum>
Sum exponentials(Candidates &candidates, std::vector<float> &weights);

extern template float exponentials<float>(Candidates &, std::vector<float> &);
extern template double exponentials<double>(Candidates &, std::vector<float> &);

// Writes its probability into each candidate's p.
void softmax(Candidates &candidates);

} // namespace mullama::core::sampling

// Probabilities out of logits.
//
// Sums are added up in the order of the candidates, in the precision stated: both decide the last
// bits.
#pragma once

#include <span>
#include <vector>

#include "core/sampling/candidates.hpp"

namespace mullama::core::sampling {

// Writes e^(logit - greatest logit) into each candidate's p, and returns their sum.
template <class Sum>
Sum exponentials(Candidates &candidates);

extern template float exponentials<float>(Candidates &);
extern template double exponentials<double>(Candidates &);

// The same where `max` is the greatest logit.
double exponentials(std::span<Candidate> candidates, float max);

// The same of a row, into `weights`, one for each token.
double exponentials(Candidates &row, std::vector<float> &weights);

// The sum alone.
float sum_of_exponentials(Candidates &candidates);

// Writes its probability into each candidate's p.
void softmax(Candidates &candidates);

} // namespace mullama::core::sampling

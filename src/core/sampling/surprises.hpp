// How surprising each token is, from the likeliest on, and how surprising the next one will be.
#pragma once

#include <cstddef>
#include <vector>

#include "core/sampling/candidates.hpp"

namespace mullama::core::sampling {

// Tokens are sorted, and what belongs to each is worked out, only as far as somebody asks; but
// never less far than the sums go that everything else depends on.
class Surprises {
public:
    // Begins with all candidates. Where buckets can leave ties open they go there, to be sorted
    // when needed, and index i is the number of an item; elsewhere they become a sorted list.
    void start(Candidates &candidates);

    // Works out some more. False when there are no more that have any probability.
    bool extend();

    // How many are known.
    [[nodiscard]] std::size_t size() const noexcept { return known_; }
    // Whether each of them is at least as surprising as the one before, as it should be.
    [[nodiscard]] bool rising() const noexcept { return rising_; }
    [[nodiscard]] float logit(std::size_t i) const noexcept { return logits_[i]; }
    [[nodiscard]] float probability(std::size_t i) const noexcept { return probabilities_[i]; }
    // How much more surprising it is than is to be expected.
    [[nodiscard]] float excess(std::size_t i) const noexcept { return surprises_[i] - expected_; }

private:
    bool weigh_more();
    void add_up_weights();
    void add_up_products();
    void learn(float p);

    // Whose logits are sorted; nullptr: of a list that is.
    Buckets *buckets_ = nullptr;
    std::vector<float> list_;
    const float *logits_ = nullptr;
    float max_ = 0;
    std::size_t all_ = 0;
    std::size_t in_order_ = 0;
    std::size_t known_ = 0;
    bool complete_ = false;
    bool rising_ = true;
    float total_ = 0;
    // The entropy.
    float expected_ = 0;
    // Those in order that are not known yet have their weight here.
    std::vector<float> probabilities_;
    std::vector<float> surprises_;
};

} // namespace mullama::core::sampling

#include "core/sampling/surprises.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/sampling/exponential.hpp"

namespace mullama::core::sampling {

namespace {

// How many are worked out at a time.
constexpr std::size_t block = 512;

} // namespace

void Surprises::start(Candidates &candidates) {
    all_ = candidates.size();
    max_ = candidates.max_logit();
    if (candidates.buckets_open() && !candidates.sorted()) {
        candidates.fill_buckets(all_);
        buckets_ = &candidates.buckets();
        logits_ = buckets_->values().data();
    } else {
        candidates.keep_top(all_);
        const std::span<const Candidate> sorted = candidates.anonymous_list();
        list_.resize(all_);
        std::transform(sorted.begin(), sorted.end(), list_.begin(),
                       [](const Candidate &candidate) { return candidate.logit; });
        buckets_ = nullptr;
        logits_ = list_.data();
    }
    in_order_ = 0;
    known_ = 0;
    complete_ = false;
    rising_ = true;
    if (probabilities_.size() < all_) {
        probabilities_.resize(all_);
        surprises_.resize(all_);
    }
    add_up_weights();
    add_up_products();
}

bool Surprises::extend() {
    if (complete_) {
        return false;
    }
    if (known_ == in_order_ && !weigh_more()) {
        complete_ = true;
        return false;
    }
    const std::size_t end = std::min(in_order_, known_ + block);
    while (known_ < end) {
        const float p = probabilities_[known_] / total_;
        if (!(p > 0)) {
            complete_ = true;
            return false;
        }
        learn(p);
    }
    return true;
}

bool Surprises::weigh_more() {
    if (in_order_ == all_) {
        return false;
    }
    const std::size_t begin = in_order_;
    in_order_ = buckets_ == nullptr ? std::min(begin + block, all_) : buckets_->sort_next();
    Exponential(max_).falling({logits_ + begin, in_order_ - begin}, &probabilities_[begin]);
    return true;
}

// Once a weight leaves the sum as it is, so do all lesser ones.
void Surprises::add_up_weights() {
    total_ = 0;
    std::size_t i = 0;
    while (i < in_order_ || weigh_more()) {
        const float more = total_ + probabilities_[i++];
        if (more == total_) {
            break;
        }
        total_ = more;
    }
}

void Surprises::learn(float p) {
    const bool first = known_ == 0;
    const bool same = !first && p == probabilities_[known_ - 1];
    const float surprise = same ? surprises_[known_ - 1] : -std::log(p);
    rising_ = rising_ && (first || surprise >= surprises_[known_ - 1]);
    probabilities_[known_] = p;
    surprises_[known_] = surprise;
    ++known_;
}

// The same of the products, where they fall as the probability does: below 1 / e. What is less by
// more than can be an error of the logarithm's or of rounding is less in truth.
void Surprises::add_up_products() {
    constexpr float falling_below = 0.3F;
    constexpr float margin = 1.0001F;
    expected_ = 0;
    std::size_t i = 0;
    while (i < known_ || extend()) {
        const float p = probabilities_[i];
        const float product = p * surprises_[i++];
        if (p < falling_below && expected_ + margin * product == expected_) {
            break;
        }
        expected_ += product;
    }
}

} // namespace mullama::core::sampling

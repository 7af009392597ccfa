#include "core/sampling/buckets.hpp"

#include <algorithm>

#include "core/sampling/heap.hpp"

namespace mullama::core::sampling {

namespace {

constexpr float lowest_logit = -10.0F;
constexpr float highest_logit = 10.0F;

struct List {
    std::span<const Candidate> all;
    [[nodiscard]] std::size_t size() const { return all.size(); }
    [[nodiscard]] float logit(std::size_t i) const { return all[i].logit; }
    [[nodiscard]] Candidate at(std::size_t i) const { return all[i]; }
};

struct Row {
    std::span<const float> all;
    [[nodiscard]] std::size_t size() const { return all.size(); }
    [[nodiscard]] float logit(std::size_t i) const { return all[i]; }
    [[nodiscard]] Candidate at(std::size_t i) const { return {static_cast<Token>(i), all[i], 0}; }
};

} // namespace

template <class Source>
void Buckets::distribute(const Source &source, std::size_t count) {
    constexpr float scale = bucket_count / (highest_logit - lowest_logit);
    constexpr float offset = -lowest_logit * scale;
    constexpr float last = bucket_count - 1;
    const std::size_t size = source.size();
    if (bucket_of_.size() < size) {
        bucket_of_.resize(size);
    }
    for (std::size_t i = 0; i < size; ++i) {
        const float place = std::min(std::max(scale * source.logit(i) + offset, 0.0F), last);
        bucket_of_[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(place));
    }
    sizes_.fill(0);
    for (std::size_t i = 0; i < size; ++i) {
        ++sizes_[bucket_of_[i]];
    }
    std::size_t taken = 0;
    lowest_ = bucket_count;
    while (taken < count) {
        taken += sizes_[--lowest_];
    }
    if (items_.size() < taken) {
        items_.resize(taken);
    }
    std::array<Candidate *, bucket_count> ends{};
    Candidate *end = items_.data();
    for (std::size_t bucket = bucket_count; bucket-- > lowest_;) {
        ends[bucket] = end;
        end += sizes_[bucket];
    }
    for (std::size_t i = 0; i < size; ++i) {
        if (bucket_of_[i] >= lowest_) {
            *ends[bucket_of_[i]]++ = source.at(i);
        }
    }
    count_ = count;
    done_ = 0;
    next_ = bucket_count - 1;
}

void Buckets::fill(std::span<const Candidate> all, std::size_t count) {
    distribute(List{all}, count);
}

void Buckets::fill(std::span<const float> row, std::size_t count) {
    distribute(Row{row}, count);
}

std::size_t Buckets::sort_next() {
    if (done_ == count_) {
        return done_;
    }
    while (sizes_[next_] == 0) {
        --next_;
    }
    const std::span<Candidate> bucket{items_.data() + done_, sizes_[next_]};
    if (next_ > lowest_) {
        std::sort(bucket.begin(), bucket.end(),
                  [](const Candidate &a, const Candidate &b) { return a.logit > b.logit; });
        done_ += bucket.size();
        --next_;
    } else {
        // Only part of the lowest bucket may be wanted.
        const std::size_t wanted = count_ - done_;
        Heap heap(bucket.first(wanted));
        for (const Candidate &candidate : bucket.subspan(wanted)) {
            if (candidate.logit > heap.least()) {
                heap.replace_least(candidate);
            }
        }
        heap.sort();
        done_ = count_;
    }
    return done_;
}

} // namespace mullama::core::sampling

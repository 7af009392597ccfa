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
};

struct Row {
    std::span<const float> all;
    [[nodiscard]] std::size_t size() const { return all.size(); }
    [[nodiscard]] float logit(std::size_t i) const { return all[i]; }
};

} // namespace

// Writes each one's bucket into bucket_of_ and how many each has into sizes_.
template <class Source>
void Buckets::count_each(const Source &source) {
    constexpr float scale = bucket_count / (highest_logit - lowest_logit);
    constexpr float offset = -lowest_logit * scale;
    constexpr float last = bucket_count - 1;
    const std::size_t size = source.size();
    if (bucket_of_.size() < size) {
        bucket_of_.resize(size);
    }
    std::uint8_t *const bucket_of = bucket_of_.data();
    for (std::size_t i = 0; i < size; ++i) {
        const float place = std::min(std::max(scale * source.logit(i) + offset, 0.0F), last);
        bucket_of[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(place));
    }
    // Four counts each, so that neighbours in one bucket don't wait for each other.
    std::array<Sizes, 4> counts{};
    std::size_t i = 0;
    for (; i + counts.size() <= size; i += counts.size()) {
        for (std::size_t lane = 0; lane < counts.size(); ++lane) {
            ++counts[lane][bucket_of[i + lane]];
        }
    }
    for (; i < size; ++i) {
        ++counts[0][bucket_of[i]];
    }
    for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
        sizes_[bucket] =
            counts[0][bucket] + counts[1][bucket] + counts[2][bucket] + counts[3][bucket];
    }
}

template <class Source>
void Buckets::distribute(const Source &source, std::size_t count) {
    const std::size_t size = source.size();
    count_each(source);
    std::size_t taken = 0;
    lowest_ = bucket_count;
    while (taken < count) {
        taken += sizes_[--lowest_];
    }
    // What is left out goes to one place behind the others, which nobody reads.
    if (items_.size() < taken + 1) {
        items_.resize(taken + 1);
    }
    std::array<std::uint32_t, bucket_count> ends;
    ends.fill(static_cast<std::uint32_t>(taken));
    std::uint32_t end = 0;
    for (std::size_t bucket = bucket_count; bucket-- > lowest_;) {
        ends[bucket] = end;
        end += sizes_[bucket];
    }
    const std::size_t lowest = lowest_;
    const std::uint8_t *const bucket_of = bucket_of_.data();
    Ranked *const items = items_.data();
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t bucket = bucket_of[i];
        items[ends[bucket]] = {source.logit(i), static_cast<std::uint32_t>(i)};
        ends[bucket] += static_cast<std::uint32_t>(bucket >= lowest);
    }
    count_ = count;
    done_ = 0;
    begun_ = 0;
    current_ = bucket_count;
    sort_.start({});
}

void Buckets::fill(std::span<const Candidate> all, std::size_t count) {
    distribute(List{all}, count);
}

void Buckets::fill(std::span<const float> row, std::size_t count) {
    distribute(Row{row}, count);
}

// Only part of the lowest bucket may be wanted.
void Buckets::sort_lowest() noexcept {
    const std::span<Ranked> bucket{items_.data() + done_, sizes_[lowest_]};
    const std::size_t wanted = count_ - done_;
    Heap heap(bucket.first(wanted));
    for (const Ranked &item : bucket.subspan(wanted)) {
        if (item.value > heap.least()) {
            heap.replace_least(item);
        }
    }
    heap.sort();
    done_ = count_;
}

std::size_t Buckets::sort_next() {
    if (done_ == count_) {
        return done_;
    }
    if (current_ == bucket_count || done_ == begun_ + sizes_[current_]) {
        begun_ = done_;
        do {
            --current_;
        } while (sizes_[current_] == 0);
        if (current_ == lowest_) {
            sort_lowest();
            return done_;
        }
        sort_.start({items_.data() + begun_, sizes_[current_]});
    }
    done_ = begun_ + sort_.next();
    return done_;
}

} // namespace mullama::core::sampling

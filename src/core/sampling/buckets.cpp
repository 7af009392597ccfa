#include "core/sampling/buckets.hpp"

#include <algorithm>

#include "core/sampling/heap.hpp"
#include "core/sampling/radix_sort.hpp"

namespace mullama::core::sampling {

namespace {

constexpr float lowest_logit = -10.0F;
constexpr float highest_logit = 10.0F;

// Fewer than these are sorted faster by comparing them than by their digits.
constexpr std::size_t few = 200;

// Of so many one is taken, or fewer, where it is worth while to look for those.
constexpr std::size_t scattered = 32;
constexpr std::size_t block = 64;

constexpr std::size_t parts = Buckets::parts;

// Calls use(part, i) for every i below size, in rising order within each part.
template <class Use>
void for_each_in_parts(std::size_t size, Use use) {
    const std::size_t each = size / parts;
    for (std::size_t i = 0; i < each; ++i) {
        for (std::size_t part = 0; part < parts; ++part) {
            use(part, part * each + i);
        }
    }
    for (std::size_t i = parts * each; i < size; ++i) {
        use(parts - 1, i);
    }
}

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

// Writes each one's bucket into bucket_of_, and how many each has in each part of the source.
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
        // Comparisons that the compiler turns into vector instructions; std::clamp it does not.
        float place = scale * source.logit(i) + offset;
        place = place > 0 ? place : 0;
        place = place < last ? place : last;
        bucket_of[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(place));
    }
    for (Sizes &sizes : part_sizes_) {
        sizes.fill(0);
    }
    for_each_in_parts(size, [this, bucket_of](std::size_t part, std::size_t i) {
        ++part_sizes_[part][bucket_of[i]];
    });
    sizes_.fill(0);
    for (const Sizes &sizes : part_sizes_) {
        for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
            sizes_[bucket] += sizes[bucket];
        }
    }
}

template <class Source>
void Buckets::distribute(const Source &source, std::size_t count) {
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
    if (taken < source.size() / scattered) {
        take_few(source);
    } else {
        take_many(source, static_cast<std::uint32_t>(taken));
    }
    count_ = count;
    done_ = 0;
    current_ = {};
    sort_.start({});
    found_ = {};
    settled_.reset();
}

// Most blocks have none that is taken.
template <class Source>
void Buckets::take_few(const Source &source) {
    const std::size_t size = source.size();
    std::array<std::uint32_t, bucket_count> ends;
    std::uint32_t end = 0;
    for (std::size_t bucket = bucket_count; bucket-- > lowest_;) {
        ends[bucket] = end;
        end += sizes_[bucket];
    }
    const auto lowest = static_cast<std::uint8_t>(lowest_);
    const std::uint8_t *const bucket_of = bucket_of_.data();
    for (std::size_t begin = 0; begin < size; begin += block) {
        const std::size_t block_end = std::min(begin + block, size);
        if (block_end == begin + block) {
            std::uint8_t taken = 0;
            for (std::size_t i = 0; i < block; ++i) {
                taken |= static_cast<std::uint8_t>(bucket_of[begin + i] >= lowest);
            }
            if (taken == 0) {
                continue;
            }
        }
        for (std::size_t i = begin; i < block_end; ++i) {
            if (bucket_of[i] >= lowest) {
                items_[ends[bucket_of[i]]++] = {source.logit(i), static_cast<std::uint32_t>(i)};
            }
        }
    }
}

// Goes through all parts at once: each knows where in a bucket its own begin, so that neighbours in
// one bucket don't wait for each other.
template <class Source>
void Buckets::take_many(const Source &source, std::uint32_t taken) {
    std::array<Sizes, parts> ends;
    std::uint32_t end = 0;
    for (std::size_t bucket = bucket_count; bucket-- > 0;) {
        for (std::size_t part = 0; part < parts; ++part) {
            ends[part][bucket] = bucket < lowest_ ? taken : end;
            end += part_sizes_[part][bucket];
        }
    }
    const std::size_t lowest = lowest_;
    const std::uint8_t *const bucket_of = bucket_of_.data();
    Ranked *const items = items_.data();
    for_each_in_parts(source.size(), [&, lowest, bucket_of, items](std::size_t part, std::size_t i) {
        const std::size_t bucket = bucket_of[i];
        items[ends[part][bucket]] = {source.logit(i), static_cast<std::uint32_t>(i)};
        ends[part][bucket] += static_cast<std::uint32_t>(bucket >= lowest);
    });
}

void Buckets::fill(std::span<const Candidate> all, std::size_t count, Ties ties) {
    ties_ = ties;
    distribute(List{all}, count);
}

void Buckets::fill(std::span<const float> row, std::size_t count, Ties ties) {
    ties_ = ties;
    distribute(Row{row}, count);
}

// Goes on to the next bucket that has items.
void Buckets::begin_bucket() noexcept {
    current_.begin = done_;
    do {
        --current_.bucket;
    } while (sizes_[current_.bucket] == 0);
}

// Only part of the lowest bucket may be wanted.
void Buckets::sort_lowest() noexcept {
    const std::span<Ranked> bucket{items_.data() + current_.begin, sizes_[lowest_]};
    const std::size_t wanted = count_ - current_.begin;
    Heap<Ranked> heap(bucket.first(wanted));
    for (const Ranked &item : bucket.subspan(wanted)) {
        if (item.value > heap.least()) {
            heap.replace_least(item);
        }
    }
    heap.sort();
    done_ = count_;
}

void Buckets::sort_open_bucket() {
    if (sorted_.size() < items_.size()) {
        sorted_.resize(items_.size());
        scratch_.resize(items_.size());
    }
    const std::size_t size = sizes_[current_.bucket];
    const std::span<Ranked> bucket{items_.data() + current_.begin, size};
    const std::span<Ranked> sorted{sorted_.data() + current_.begin, size};
    if (current_.begin + size > count_) {
        sort_lowest();
        settled_.set(lowest_);
        std::copy(bucket.begin(), bucket.end(), sorted.begin());
        return;
    }
    if (size < few) {
        std::copy(bucket.begin(), bucket.end(), sorted.begin());
        LazySort sort;
        sort.start(sorted);
        while (sort.next() < size) {
        }
    } else {
        sort_by_radix(bucket, sorted, std::span(scratch_).first(size));
    }
    done_ = current_.begin + size;
}

std::size_t Buckets::sort_next() {
    if (done_ == count_) {
        return done_;
    }
    if (ties_ == Ties::open) {
        begin_bucket();
        sort_open_bucket();
        return done_;
    }
    if (current_.bucket == bucket_count || done_ == current_.begin + sizes_[current_.bucket]) {
        begin_bucket();
        if (current_.bucket == lowest_) {
            sort_lowest();
            return done_;
        }
        sort_.start({items_.data() + current_.begin, sizes_[current_.bucket]});
    }
    done_ = current_.begin + sort_.next();
    return done_;
}

// Makes found_ the bucket that the item is in.
void Buckets::find_bucket(std::size_t item) noexcept {
    if (found_.bucket == bucket_count || item < found_.begin) {
        found_ = {.bucket = bucket_count - 1, .begin = 0};
    }
    while (item >= found_.begin + sizes_[found_.bucket]) {
        found_.begin += sizes_[found_.bucket--];
    }
}

void Buckets::settle_found() noexcept {
    const std::span<Ranked> bucket{items_.data() + found_.begin, sizes_[found_.bucket]};
    if (found_.bucket == lowest_) {
        Heap<Ranked> heap(bucket);
        heap.sort();
    } else {
        LazySort sort;
        sort.start(bucket);
        while (sort.next() < bucket.size()) {
        }
    }
    settled_.set(found_.bucket);
}

std::uint32_t Buckets::settle(std::size_t item) {
    find_bucket(item);
    if (!settled_[found_.bucket]) {
        const float value = sorted_[item].value;
        const bool follows_its_like = item > found_.begin && sorted_[item - 1].value == value;
        const bool leads_its_like =
            item + 1 < found_.begin + sizes_[found_.bucket] && sorted_[item + 1].value == value;
        if (!follows_its_like && !leads_its_like) {
            return sorted_[item].place;
        }
        settle_found();
    }
    return items_[item].place;
}

} // namespace mullama::core::sampling

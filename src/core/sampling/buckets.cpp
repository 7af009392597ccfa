#include "core/sampling/buckets.hpp"

#include <algorithm>
#include <functional>

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

// Calls look(begin, end) for blocks that may have an i for which `wanted` holds.
template <class Wanted, class Look>
void for_each_block(std::size_t size, Wanted wanted, Look look) {
    for (std::size_t begin = 0; begin < size; begin += block) {
        const std::size_t end = std::min(begin + block, size);
        bool any = end < begin + block;
        if (!any) {
            std::uint8_t found = 0;
            for (std::size_t i = 0; i < block; ++i) {
                found |= static_cast<std::uint8_t>(wanted(begin + i));
            }
            any = found != 0;
        }
        if (any) {
            look(begin, end);
        }
    }
}

// Only part of the lowest bucket may be wanted.
void sort_part(std::span<Ranked> bucket, std::size_t wanted) noexcept {
    Heap<Ranked> heap(bucket.first(wanted));
    for (const Ranked &item : bucket.subspan(wanted)) {
        if (item.value > heap.least()) {
            heap.replace_least(item);
        }
    }
    heap.sort();
}

} // namespace

// Writes each one's bucket into bucket_of_, and how many each has in each part of the source.
template <class Source>
void Buckets::count_each(Source source) {
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
void Buckets::find_lowest(Source source, std::size_t count) {
    count_each(source);
    taken_ = 0;
    lowest_ = bucket_count;
    while (taken_ < count) {
        taken_ += sizes_[--lowest_];
    }
    count_of_buckets_ = count;
    in_buckets_ = true;
    found_ = {};
    settled_.reset();
}

template <class Source>
void Buckets::distribute(Source source, std::size_t count) {
    const std::size_t size = source.size();
    find_lowest(source, count);
    // What is left out goes to one place behind the others, which nobody reads.
    const auto take_all = [&](auto &room, auto take) {
        if (room.size() < taken_ + 1) {
            room.resize(taken_ + 1);
        }
        if (taken_ < size / scattered) {
            take_few(size, take);
        } else {
            take_many(size, take);
        }
    };
    if (ties_ == Ties::open) {
        take_all(values_, [&](std::size_t to, std::size_t i) { values_[to] = source.logit(i); });
    } else {
        take_all(items_, [&](std::size_t to, std::size_t i) {
            items_[to] = {source.logit(i), static_cast<std::uint32_t>(i)};
        });
    }
    count_ = count;
    done_ = 0;
    current_ = {};
    sort_.start({});
}

// Most blocks have none that is taken.
template <class Take>
void Buckets::take_few(std::size_t size, Take take) {
    std::array<std::uint32_t, bucket_count> ends;
    std::uint32_t end = 0;
    for (std::size_t bucket = bucket_count; bucket-- > lowest_;) {
        ends[bucket] = end;
        end += sizes_[bucket];
    }
    const auto lowest = static_cast<std::uint8_t>(lowest_);
    const std::uint8_t *const bucket_of = bucket_of_.data();
    for_each_block(
        size, [lowest, bucket_of](std::size_t i) { return bucket_of[i] >= lowest; },
        [&, lowest, bucket_of](std::size_t begin, std::size_t block_end) {
            for (std::size_t i = begin; i < block_end; ++i) {
                if (bucket_of[i] >= lowest) {
                    take(ends[bucket_of[i]]++, i);
                }
            }
        });
}

// Goes through all parts at once: each knows where in a bucket its own begin, so that neighbours in
// one bucket don't wait for each other.
template <class Take>
void Buckets::take_many(std::size_t size, Take take) {
    std::uint32_t end = 0;
    std::array<Sizes, parts> ends;
    for (std::size_t bucket = bucket_count; bucket-- > lowest_;) {
        for (std::size_t part = 0; part < parts; ++part) {
            ends[part][bucket] = end;
            end += part_sizes_[part][bucket];
        }
    }
    for (Sizes &of_part : ends) {
        std::fill_n(of_part.begin(), lowest_, end);
    }
    const std::size_t lowest = lowest_;
    const std::uint8_t *const bucket_of = bucket_of_.data();
    for_each_in_parts(size, [&, lowest, bucket_of](std::size_t part, std::size_t i) {
        const std::size_t bucket = bucket_of[i];
        const std::uint32_t to = ends[part][bucket];
        ends[part][bucket] = to + static_cast<std::uint32_t>(bucket >= lowest);
        take(to, i);
    });
}

void Buckets::fill(std::span<const Candidate> all, std::size_t count, Ties ties) {
    if (ties == Ties::open) {
        copy_.resize(all.size());
        std::transform(all.begin(), all.end(), copy_.begin(),
                       [](const Candidate &candidate) { return candidate.logit; });
        fill(copy_, count, ties);
        return;
    }
    ties_ = ties;
    distribute(List{all}, count);
}

void Buckets::fill(std::span<const float> row, std::size_t count, Ties ties) {
    ties_ = ties;
    row_ = row;
    distribute(Row{row}, count);
}

bool Buckets::fill_from(std::span<const float> row, float least, std::size_t most) {
    if (values_.size() < most + block) {
        values_.resize(most + block);
    }
    std::size_t found = 0;
    for_each_block(
        row.size(), [row, least](std::size_t i) { return row[i] >= least; },
        [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end && found <= most; ++i) {
                if (row[i] >= least) {
                    values_[found++] = row[i];
                }
            }
        });
    if (found > most) {
        return false;
    }
    std::sort(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(found),
              std::greater<>());
    ties_ = Ties::open;
    row_ = row;
    count_ = found;
    done_ = found;
    in_buckets_ = false;
    return true;
}

// Goes on to the next bucket that has items.
void Buckets::begin_bucket() noexcept {
    current_.begin = done_;
    do {
        --current_.bucket;
    } while (sizes_[current_.bucket] == 0);
}

void Buckets::sort_lowest() noexcept {
    sort_part({items_.data() + current_.begin, sizes_[lowest_]}, count_ - current_.begin);
    done_ = count_;
}

void Buckets::sort_open_bucket() noexcept {
    const std::size_t size = sizes_[current_.bucket];
    const std::span<float> bucket{values_.data() + current_.begin, size};
    if (size < few) {
        std::sort(bucket.begin(), bucket.end(), std::greater<>());
    } else {
        sort_by_radix(bucket, std::span(scratch_).first(size));
    }
    done_ = std::min(current_.begin + size, count_);
}

std::size_t Buckets::sort_next() {
    if (done_ == count_) {
        return done_;
    }
    if (ties_ == Ties::open) {
        if (scratch_.size() < values_.size()) {
            scratch_.resize(values_.size());
        }
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

void Buckets::settle_found() {
    if (items_.size() < taken_ + 1) {
        items_.resize(taken_ + 1);
    }
    const std::size_t size = sizes_[found_.bucket];
    const std::span<Ranked> bucket{items_.data() + found_.begin, size};
    const auto wanted = static_cast<std::uint8_t>(found_.bucket);
    // One too many is written.
    const Ranked behind = bucket.data()[size];
    Ranked *to = bucket.data();
    for_each_block(
        row_.size(), [this, wanted](std::size_t i) { return bucket_of_[i] == wanted; },
        [&, wanted](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                *to = {row_[i], static_cast<std::uint32_t>(i)};
                to += bucket_of_[i] == wanted;
            }
        });
    bucket.data()[size] = behind;
    if (found_.bucket == lowest_) {
        sort_part(bucket, count_of_buckets_ - found_.begin);
    } else {
        LazySort sort;
        sort.start(bucket);
        while (sort.next() < bucket.size()) {
        }
    }
    settled_.set(found_.bucket);
}

std::uint32_t Buckets::settle(std::size_t item) {
    if (!in_buckets_) {
        find_lowest(Row{row_}, count_of_buckets_);
    }
    find_bucket(item);
    if (!settled_[found_.bucket]) {
        settle_found();
    }
    return items_[item].place;
}

std::uint32_t Buckets::place_of(std::size_t item) {
    const float value = values_[item];
    const bool follows_its_like = item > 0 && values_[item - 1] == value;
    const bool leads_its_like = item + 1 < count_ && values_[item + 1] == value;
    // In the lowest bucket only part is wanted, and who else is like the last is not known.
    const bool is_last = in_buckets_ && item + 1 == count_;
    if (follows_its_like || leads_its_like || is_last) {
        return settle(item);
    }
    return static_cast<std::uint32_t>(std::find(row_.begin(), row_.end(), value) - row_.begin());
}

} // namespace mullama::core::sampling

// Falling order by buckets of logits, sorted one after the other and only as far as somebody reads.
//
// The buckets (128 of them, from -10 to 10) and the order within each are those of llama.cpp's
// partial sort, so that equal logits come in the same order as there. To find out that order takes
// several times as long as to sort the logits, and most of it is never looked at: it can be left
// open. Then only the logits are sorted, and whose each is is found out when somebody asks.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/sampling/lazy_sort.hpp"
#include "core/sampling/ranked.hpp"

namespace mullama::core::sampling {

// What becomes of the order of equal logits.
enum class Ties { settled, open };

class Buckets {
public:
    // What is taken in is read in so many equal parts at once.
    static constexpr std::size_t parts = 4;

    // Takes in the `count` greatest of `all`, none of them sorted yet. 1 <= count <= all.size().
    void fill(std::span<const Candidate> all, std::size_t count, Ties ties);
    // The same for the logits of tokens 0, 1, 2, ..., which stay where they are while ties are
    // open.
    void fill(std::span<const float> row, std::size_t count, Ties ties);

    // The same, ties open, for all logits that are at least `least`, sorted at once and in no
    // bucket yet. False, and nothing is to be read, where there are more than `most`.
    bool fill_from(std::span<const float> row, float least, std::size_t most);
    // After that, and before anybody asks whose a value is: how many fill() would have taken in.
    void set_count(std::size_t count) noexcept { count_of_buckets_ = count; }

    // Sorts some more. Returns how many are in their final place now; at `count` there is nothing
    // left to sort.
    std::size_t sort_next();

    [[nodiscard]] Ties ties() const noexcept { return ties_; }
    // The logits and whose they are, in falling order as far as they are sorted. Ties are settled.
    [[nodiscard]] std::span<const Ranked> items() const noexcept { return {items_.data(), count_}; }
    // The logits alone, where ties are open.
    [[nodiscard]] std::span<const float> values() const noexcept {
        return {values_.data(), count_};
    }
    // Whose the sorted value is, where ties are open: for one that is asked for, and for many.
    [[nodiscard]] std::uint32_t place_of(std::size_t item);
    [[nodiscard]] std::uint32_t settle(std::size_t item);

private:
    static constexpr std::size_t bucket_count = 128;
    using Sizes = std::array<std::uint32_t, bucket_count>;

    template <class Source>
    void distribute(Source source, std::size_t count);
    template <class Source>
    void count_each(Source source);
    template <class Source>
    void find_lowest(Source source, std::size_t count);
    template <class Take>
    void take_few(std::size_t size, Take take);
    template <class Take>
    void take_many(std::size_t size, Take take);
    void begin_bucket() noexcept;
    void sort_lowest() noexcept;
    void sort_open_bucket() noexcept;
    void find_bucket(std::size_t item) noexcept;
    void settle_found();

    // A bucket, and where it begins among the items.
    struct Position {
        std::size_t bucket = bucket_count;
        std::size_t begin = 0;
    };

    Ties ties_ = Ties::settled;
    std::vector<std::uint8_t> bucket_of_;
    Sizes sizes_{};
    std::array<Sizes, parts> part_sizes_{};
    // Bucket after bucket, the highest first: the items, or their values while ties are open, of
    // which the items are known for the buckets settled.
    std::vector<Ranked> items_;
    std::vector<float> values_;
    std::size_t count_ = 0;
    std::size_t done_ = 0;
    // The bucket being sorted, and the lowest that was taken in.
    Position current_;
    LazySort sort_;
    std::size_t lowest_ = 0;
    // How many are in the buckets taken in, and of those are wanted.
    std::size_t taken_ = 0;
    std::size_t count_of_buckets_ = 0;
    bool in_buckets_ = false;

    // While ties are open: the logits by place, and the bucket that was looked for last.
    std::span<const float> row_;
    std::vector<float> copy_;
    std::vector<float> scratch_;
    std::bitset<bucket_count> settled_;
    Position found_;
};

} // namespace mullama::core::sampling

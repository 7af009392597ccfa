// Falling order by buckets of logits, sorted one after the other and only as far as somebody reads.
//
// The buckets (128 of them, from -10 to 10) and the order within each are those of llama.cpp's
// partial sort, so that equal logits come in the same order as there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/sampling/lazy_sort.hpp"
#include "core/sampling/ranked.hpp"

namespace mullama::core::sampling {

class Buckets {
public:
    // Takes in the `count` greatest of `all`, none of them sorted yet. 1 <= count <= all.size().
    void fill(std::span<const Candidate> all, std::size_t count);
    // The same for the logits of tokens 0, 1, 2, ...
    void fill(std::span<const float> row, std::size_t count);

    // Sorts some more. Returns how many of items() are in their final place now; at `count` there
    // is nothing left to sort.
    std::size_t sort_next();

    // The logits and whose they are, in falling order as far as they are sorted.
    [[nodiscard]] std::span<const Ranked> items() const noexcept { return {items_.data(), count_}; }

private:
    static constexpr std::size_t bucket_count = 128;
    using Sizes = std::array<std::uint32_t, bucket_count>;

    template <class Source>
    void distribute(const Source &source, std::size_t count);
    template <class Source>
    void count_each(const Source &source);
    void sort_lowest() noexcept;

    std::vector<std::uint8_t> bucket_of_;
    Sizes sizes_{};
    std::vector<Ranked> items_;
    std::size_t count_ = 0;
    std::size_t done_ = 0;
    // The bucket being sorted and where it began; the lowest that was taken in.
    LazySort sort_;
    std::size_t begun_ = 0;
    std::size_t current_ = 0;
    std::size_t lowest_ = 0;
};

} // namespace mullama::core::sampling

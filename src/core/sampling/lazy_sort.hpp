// Falling order, made from the front and only as far as somebody reads.
//
// Equal values come in the order that libstdc++'s std::sort puts them in, which is what llama.cpp
// calls, so that a seeded chain gives the same token among ties; and they do here with any standard
// library. That order follows from the steps of an introspective sort (D. R. Musser, 1997) with the
// median of three as its pivot, and these are the same steps; only how each of them is carried out
// differs, without a branch for each comparison (S. Edelkamp and A. Weiss, "BlockQuicksort", 2016).
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "core/sampling/ranked.hpp"

namespace mullama::core::sampling {

class LazySort {
public:
    // Begins with items that stay where they are until the order is read no more.
    void start(std::span<Ranked> items) noexcept;

    // Sorts on. Returns how many, from the first, are in their final place now; when that is all of
    // them there is nothing left to sort.
    std::size_t next() noexcept;

    // Instead of next(), once after start(): sorts no more than it takes to put into its final
    // place the item that belongs at this one.
    void settle(std::size_t place) noexcept;

private:
    // From where the last range ended.
    struct Range {
        std::size_t end;
        // How often it may be split before the heap takes over.
        std::size_t splits;
    };
    // Each range below another on the pile may be split at least once more than it, and none more
    // than twice the logarithm of a size.
    static constexpr std::size_t most_pending = 2 * 64 + 1;

    std::span<Ranked> items_;
    std::size_t done_ = 0;
    // The next one last.
    std::array<Range, most_pending> pending_{};
    std::size_t pending_count_ = 0;
};

} // namespace mullama::core::sampling

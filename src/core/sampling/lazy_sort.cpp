#include "core/sampling/lazy_sort.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

#include "core/sampling/heap.hpp"

namespace mullama::core::sampling {

namespace {

// Ranges up to this size are not split any more.
constexpr std::size_t leaf = 16;
// How many items are compared with the pivot before any of them is moved.
constexpr std::size_t block = 64;
// What is left when fewer than two blocks are, with what is pending of a third.
constexpr std::size_t rest = 3 * block;

// The vectors that every processor has; a leaf is four of them.
constexpr std::size_t lanes = 4;
using Values = float __attribute__((vector_size(lanes * sizeof(float))));
using Places = std::int32_t __attribute__((vector_size(lanes * sizeof(std::int32_t))));

void sort_leaf(std::span<Ranked> items) noexcept {
    if (items.size() < 2) {
        return;
    }
    std::array<Ranked, leaf> old;
    std::array<float, leaf> padded{};
    for (std::size_t i = 0; i < items.size(); ++i) {
        old[i] = items[i];
        padded[i] = items[i].value;
    }
    std::array<std::int32_t, leaf> before;
    const std::size_t size = (items.size() + lanes - 1) / lanes * lanes;
    for (std::size_t first = 0; first < size; first += lanes) {
        const Values values{padded[first], padded[first + 1], padded[first + 2], padded[first + 3]};
        const auto at = static_cast<std::int32_t>(first);
        const Places places{at, at + 1, at + 2, at + 3};
        // How many are greater, or equal and came earlier. A comparison that holds is -1.
        Places counts{};
        for (std::size_t other = 0; other < items.size(); ++other) {
            const float value = padded[other];
            const auto other_place = static_cast<std::int32_t>(other);
            counts -= (value > values) | ((value == values) & (other_place < places));
        }
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            before[first + lane] = counts[lane];
        }
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
        items[static_cast<std::size_t>(before[i])] = old[i];
    }
}

// Swaps the median of `a`, `b` and `c` with the first.
void move_median_to_first(Ranked &first, Ranked &a, Ranked &b, Ranked &c) noexcept {
    if (a.value > b.value) {
        if (b.value > c.value) {
            std::swap(first, b);
        } else if (a.value > c.value) {
            std::swap(first, c);
        } else {
            std::swap(first, a);
        }
    } else if (a.value > c.value) {
        std::swap(first, a);
    } else if (b.value > c.value) {
        std::swap(first, c);
    } else {
        std::swap(first, b);
    }
}

// Which items of a block stop a pointer that moves over it, as distances from where it started.
struct Stops {
    std::array<std::uint8_t, rest> distance;
    std::size_t count = 0;
    std::size_t next = 0;

    [[nodiscard]] bool empty() const noexcept { return next == count; }

    // A pointer from the left stops at what does not belong before the pivot.
    void find_rightwards(const Ranked *from, std::size_t size, float pivot) noexcept {
        std::size_t found = 0;
        for (std::size_t i = 0; i < size; ++i) {
            distance[found] = static_cast<std::uint8_t>(i);
            found += static_cast<std::size_t>(!(from[i].value > pivot));
        }
        count = found;
        next = 0;
    }

    // One from the right, which starts behind the last item, at what does not belong after it.
    void find_leftwards(const Ranked *from, std::size_t size, float pivot) noexcept {
        std::size_t found = 0;
        for (std::size_t i = 1; i <= size; ++i) {
            distance[found] = static_cast<std::uint8_t>(i);
            found += static_cast<std::size_t>(!(pivot > (from - i)->value));
        }
        count = found;
        next = 0;
    }
};

// Hoare's partition, the pivot being the first item: what is greater comes before the place
// returned, what is less at or after it. Two pointers move towards each other and swap what each
// stops at, until they meet.
std::size_t partition_step_by_step(std::span<Ranked> items) noexcept {
    const float pivot = items[0].value;
    std::size_t left = 1;
    std::size_t right = items.size();
    while (true) {
        while (left < right && items[left].value > pivot) {
            ++left;
        }
        do {
            --right;
        } while (left < right && pivot > items[right].value);
        if (left >= right) {
            return left;
        }
        std::swap(items[left++], items[right]);
    }
}

// The same. Which items the pointers stop at depends on nothing but the pivot, so the stops of
// whole blocks can be found first and swapped in pairs then.
std::size_t partition_in_blocks(std::span<Ranked> items) noexcept {
    const float pivot = items[0].value;
    Ranked *left = items.data() + 1;
    Ranked *right = items.data() + items.size();
    Ranked *left_from = left;
    Ranked *right_from = right;
    Stops left_stops;
    Stops right_stops;
    while (static_cast<std::size_t>(right - left) >= 2 * block) {
        if (left_stops.empty()) {
            left_from = left;
            left_stops.find_rightwards(left_from, block, pivot);
            left += block;
        }
        if (right_stops.empty()) {
            right_from = right;
            right_stops.find_leftwards(right_from, block, pivot);
            right -= block;
        }
        const std::size_t pairs =
            std::min(left_stops.count - left_stops.next, right_stops.count - right_stops.next);
        for (std::size_t i = 0; i < pairs; ++i) {
            std::swap(left_from[left_stops.distance[left_stops.next + i]],
                      *(right_from - right_stops.distance[right_stops.next + i]));
        }
        left_stops.next += pairs;
        right_stops.next += pairs;
    }
    // The pointers stand at stops that have no partner yet, or at a block's end.
    if (!left_stops.empty()) {
        left = left_from + left_stops.distance[left_stops.next];
    }
    if (!right_stops.empty()) {
        right = right_from - right_stops.distance[right_stops.next] + 1;
    }
    const auto size = static_cast<std::size_t>(right - left);
    left_stops.find_rightwards(left, size, pivot);
    right_stops.find_leftwards(right, size, pivot);
    // Where the left pointer stands when they meet: at its next stop, or at what was swapped last.
    std::size_t meeting = size;
    for (std::size_t i = 0; i < left_stops.count; ++i) {
        const std::size_t from_left = left_stops.distance[i];
        if (i == right_stops.count || from_left >= size - right_stops.distance[i]) {
            meeting = std::min(meeting, from_left);
            break;
        }
        meeting = size - right_stops.distance[i];
        std::swap(left[from_left], left[meeting]);
    }
    return static_cast<std::size_t>(left - items.data()) + meeting;
}

std::size_t partition(std::span<Ranked> items) noexcept {
    Ranked &second = items[1];
    Ranked &middle = items[items.size() / 2];
    Ranked &last = items[items.size() - 1];
    // Where most are equal the processor foresees the comparisons.
    const bool alike = second.value == middle.value && middle.value == last.value;
    move_median_to_first(items[0], second, middle, last);
    return alike ? partition_step_by_step(items) : partition_in_blocks(items);
}

} // namespace

void LazySort::start(std::span<Ranked> items) noexcept {
    items_ = items;
    done_ = 0;
    pending_count_ = 0;
    if (!items.empty()) {
        const auto logarithm = static_cast<std::size_t>(std::bit_width(items.size()) - 1);
        pending_[pending_count_++] = {items.size(), 2 * logarithm};
    }
}

std::size_t LazySort::next() noexcept {
    if (pending_count_ == 0) {
        return done_;
    }
    Range range = pending_[--pending_count_];
    while (range.end - done_ > leaf) {
        const std::span<Ranked> items = items_.subspan(done_, range.end - done_);
        if (range.splits == 0) {
            Heap heap(items);
            heap.sort();
            done_ = range.end;
            return done_;
        }
        --range.splits;
        pending_[pending_count_++] = range;
        range.end = done_ + partition(items);
    }
    sort_leaf(items_.subspan(done_, range.end - done_));
    done_ = range.end;
    return done_;
}

void LazySort::settle(std::size_t place) noexcept {
    std::size_t begin = 0;
    Range range = pending_[0];
    while (range.end - begin > leaf) {
        const std::span<Ranked> items = items_.subspan(begin, range.end - begin);
        if (range.splits == 0) {
            Heap heap(items);
            heap.sort();
            return;
        }
        --range.splits;
        const std::size_t middle = begin + partition(items);
        (place < middle ? range.end : begin) = middle;
    }
    sort_leaf(items_.subspan(begin, range.end - begin));
}

} // namespace mullama::core::sampling

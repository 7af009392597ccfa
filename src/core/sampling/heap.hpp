// The k greatest of many, found with a heap of k.
//
// Which of several equal ones stay, and in what order, follows from the exact steps of the heap.
// They are those of libstdc++'s std::partial_sort, which llama.cpp's top-k calls, so that a seeded
// chain gives the same token even among ties; and they are the same here with any standard library.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "core/sampling/ranked.hpp"

namespace mullama::core::sampling {

// A heap with the least item at its root. Item: Candidate or Ranked.
template <class Item>
class Heap {
public:
    explicit Heap(std::span<Item> items) noexcept : items_(items) {
        for (std::size_t parent = items_.size() / 2; parent-- > 0;) {
            sink(parent, items_.size(), items_[parent]);
        }
    }

    [[nodiscard]] float least() const noexcept { return rank(items_[0]); }

    // Puts a greater item in place of the least.
    void replace_least(const Item &item) noexcept { sink(0, items_.size(), item); }

    // Ends the heap: its items are then in falling order.
    void sort() noexcept {
        for (std::size_t last = items_.size(); last-- > 1;) {
            const Item moved = items_[last];
            items_[last] = items_[0];
            sink(0, last, moved);
        }
    }

private:
    // Fills the hole with `value`: the hole goes down to a leaf past the lesser children, then the
    // value comes up from there.
    void sink(std::size_t hole, std::size_t size, Item value) noexcept {
        const std::size_t top = hole;
        std::size_t child = 2 * hole + 2;
        while (child < size) {
            if (rank(items_[child]) > rank(items_[child - 1])) {
                --child;
            }
            items_[hole] = items_[child];
            hole = child;
            child = 2 * hole + 2;
        }
        if (child == size) {
            items_[hole] = items_[child - 1];
            hole = child - 1;
        }
        while (hole > top) {
            const std::size_t parent = (hole - 1) / 2;
            if (!(rank(items_[parent]) > rank(value))) {
                break;
            }
            items_[hole] = items_[parent];
            hole = parent;
        }
        items_[hole] = value;
    }

    std::span<Item> items_;
};

} // namespace mullama::core::sampling

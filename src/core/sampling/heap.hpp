// The k greatest of many, found with a heap of k.
//
// Which of several equal logits stay, and in what order, follows from the exact steps of the heap.
// They are those of libstdc++'s std::partial_sort, which llama.cpp's top-k calls, so that a seeded
// chain gives the same token even among ties; and they are the same here with any standard library.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "core/sampling/candidate.hpp"

namespace mullama::core::sampling {

// A heap with the least logit at its root.
class Heap {
public:
    explicit Heap(std::span<Candidate> items) noexcept : items_(items) {
        for (std::size_t parent = items_.size() / 2; parent-- > 0;) {
            sink(parent, items_.size(), items_[parent]);
        }
    }

    [[nodiscard]] float least() const noexcept { return items_[0].logit; }

    // Puts a greater candidate in place of the least.
    void replace_least(const Candidate &candidate) noexcept { sink(0, items_.size(), candidate); }

    // Ends the heap: its items are then in falling order.
    void sort() noexcept {
        for (std::size_t last = items_.size(); last-- > 1;) {
            const Candidate moved = items_[last];
            items_[last] = items_[0];
            sink(0, last, moved);
        }
    }

private:
    // Fills the hole with `value`: the hole goes down to a leaf past the lesser children, then the
    // value comes up from there.
    void sink(std::size_t hole, std::size_t size, Candidate value) noexcept {
        const std::size_t top = hole;
        std::size_t child = 2 * hole + 2;
        while (child < size) {
            if (items_[child].logit > items_[child - 1].logit) {
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
            if (!(items_[parent].logit > value.logit)) {
                break;
            }
            items_[hole] = items_[parent];
            hole = parent;
        }
        items_[hole] = value;
    }

    std::span<Candidate> items_;
};

} // namespace mullama::core::sampling

#include "core/sampling/token_counts.hpp"

#include <algorithm>
#include <utility>

namespace mullama::core::sampling {

std::size_t TokenCounts::home(Token token) const noexcept {
    // Fibonacci hashing: the high bits of the product are the well mixed ones.
    const std::uint32_t product = static_cast<std::uint32_t>(token) * 2654435769U;
    return (product ^ (product >> 16)) & (slots_.size() - 1);
}

std::size_t TokenCounts::find(Token token) const noexcept {
    std::size_t place = home(token);
    while (slots_[place].count > 0 && slots_[place].token != token) {
        place = (place + 1) & (slots_.size() - 1);
    }
    return place;
}

std::uint32_t TokenCounts::count(Token token) const noexcept {
    return slots_.empty() ? 0 : slots_[find(token)].count;
}

void TokenCounts::add(Token token) {
    if (2 * (used_ + 1) > slots_.size()) {
        grow();
    }
    Slot &slot = slots_[find(token)];
    if (slot.count == 0) {
        slot.token = token;
        ++used_;
    }
    ++slot.count;
}

void TokenCounts::remove(Token token) noexcept {
    std::size_t free = find(token);
    if (--slots_[free].count > 0) {
        return;
    }
    --used_;
    // Moves back what would not be found any more past the slot that became free.
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t place = (free + 1) & mask; slots_[place].count > 0;
         place = (place + 1) & mask) {
        const std::size_t from_home = (place - home(slots_[place].token)) & mask;
        const std::size_t from_free = (place - free) & mask;
        if (from_home >= from_free) {
            slots_[free] = std::exchange(slots_[place], Slot{});
            free = place;
        }
    }
}

void TokenCounts::clear() noexcept {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    used_ = 0;
}

void TokenCounts::grow() {
    std::vector<Slot> old(std::max<std::size_t>(64, 2 * slots_.size()));
    old.swap(slots_);
    for (const Slot &slot : old) {
        if (slot.count > 0) {
            slots_[find(slot.token)] = slot;
        }
    }
}

} // namespace mullama::core::sampling

// Finds things that are kept elsewhere, by number, through a hash of what they hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mullama::core::constraint {

[[nodiscard]] constexpr std::uint64_t mix_hash(std::uint64_t hash, std::uint64_t value) noexcept {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15;
    return hash ^ (hash >> 32);
}

// An open-addressing hash table of numbers.
class IdTable {
public:
    static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);

    // The number of a thing with that hash for which `equal(number)` holds; none where there is
    // none.
    template <class Equal>
    [[nodiscard]] std::uint32_t find(std::uint64_t hash, Equal equal) const {
        if (slots_.empty()) {
            return none;
        }
        const std::size_t mask = slots_.size() - 1;
        const auto tag = static_cast<std::uint32_t>(hash >> 32);
        for (std::size_t at = hash & mask; slots_[at].id != none; at = (at + 1) & mask) {
            if (slots_[at].tag == tag && equal(slots_[at].id)) {
                return slots_[at].id;
            }
        }
        return none;
    }

    // Adds a thing that is not there yet. `hash_of(number)` is the hash of one that is.
    template <class HashOf>
    void insert(std::uint64_t hash, std::uint32_t id, HashOf hash_of) {
        if (2 * (used_ + 1) > slots_.size()) {
            grow(hash_of);
        }
        place(hash, id);
        ++used_;
    }

    [[nodiscard]] std::size_t bytes() const noexcept { return slots_.size() * sizeof(Slot); }

private:
    struct Slot {
        std::uint32_t tag = 0;
        std::uint32_t id = none;
    };

    void place(std::uint64_t hash, std::uint32_t id) noexcept {
        const std::size_t mask = slots_.size() - 1;
        std::size_t at = hash & mask;
        while (slots_[at].id != none) {
            at = (at + 1) & mask;
        }
        slots_[at] = {static_cast<std::uint32_t>(hash >> 32), id};
    }

    template <class HashOf>
    void grow(HashOf hash_of) {
        std::vector<Slot> old(slots_.empty() ? 16 : 2 * slots_.size());
        old.swap(slots_);
        for (const Slot &slot : old) {
            if (slot.id != none) {
                place(hash_of(slot.id), slot.id);
            }
        }
    }

    // A power of two, at most half full, or empty.
    std::vector<Slot> slots_;
    std::size_t used_ = 0;
};

} // namespace mullama::core::constraint

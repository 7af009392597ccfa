// How often each of some tokens occurs: a small hash table that allocates only when it grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/sampling/candidate.hpp"

namespace mullama::core::sampling {

class TokenCounts {
public:
    // How often the token occurs; 0 where it does not.
    [[nodiscard]] std::uint32_t count(Token token) const noexcept;
    void add(Token token);
    // The token occurs.
    void remove(Token token) noexcept;
    void clear() noexcept;

    // How many different tokens there are.
    [[nodiscard]] std::size_t size() const noexcept { return used_; }

    // Calls visit(token, count) for each token.
    template <class Visit>
    void for_each(Visit visit) const {
        for (const Slot &slot : slots_) {
            if (slot.count > 0) {
                visit(slot.token, slot.count);
            }
        }
    }

private:
    struct Slot {
        Token token = 0;
        std::uint32_t count = 0;
    };

    // Where the token is, or the free slot where it belongs.
    [[nodiscard]] std::size_t find(Token token) const noexcept;
    [[nodiscard]] std::size_t home(Token token) const noexcept;
    void grow();

    // A power of two, at most half full, or empty.
    std::vector<Slot> slots_;
    std::size_t used_ = 0;
};

} // namespace mullama::core::sampling

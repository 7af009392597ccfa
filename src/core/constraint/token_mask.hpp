// Some tokens of a vocabulary, a bit each.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/port.hpp"

namespace mullama::core::constraint {

using backend::Token;

class TokenMask {
public:
    explicit TokenMask(std::size_t size) : words_((size + 63) / 64), size_(size) {}

    // How many tokens the vocabulary has. A token below is one of it.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool test(Token token) const noexcept {
        const auto bit = static_cast<std::size_t>(token);
        return ((words_[bit / 64] >> (bit % 64)) & 1) != 0;
    }
    void set(Token token) noexcept {
        const auto bit = static_cast<std::size_t>(token);
        words_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
    void clear(Token token) noexcept {
        const auto bit = static_cast<std::size_t>(token);
        words_[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
    }
    // Adds the other's tokens; the vocabulary is the same.
    void add(const TokenMask &other) noexcept {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            words_[i] |= other.words_[i];
        }
    }
    [[nodiscard]] std::size_t count() const noexcept {
        std::size_t set = 0;
        for (const std::uint64_t word : words_) {
            set += static_cast<std::size_t>(std::popcount(word));
        }
        return set;
    }
    // 64 tokens each, the lowest number in the lowest bit.
    [[nodiscard]] std::span<const std::uint64_t> words() const noexcept { return words_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return words_.size() * sizeof words_[0]; }

    bool operator==(const TokenMask &) const = default;

private:
    std::vector<std::uint64_t> words_;
    std::size_t size_;
};

} // namespace mullama::core::constraint

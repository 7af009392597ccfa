// The texts of a vocabulary as llama.cpp sees them, and which token has which.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/gguf/value.hpp"

namespace mullama::core::gguf {

class TokenTexts {
public:
    // From an array of strings, which is borrowed. llama.cpp ends each at its first NUL, and calls
    // token 7 "[EMPTY_7]" when nothing is left.
    explicit TokenTexts(const Value &tokens);

    [[nodiscard]] std::uint32_t size() const noexcept {
        return static_cast<std::uint32_t>(texts_.size());
    }
    [[nodiscard]] std::string_view operator[](std::uint32_t id) const noexcept {
        return texts_[id];
    }
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view text) const noexcept;
    // The first token whose text an earlier one has already, and that earlier one.
    [[nodiscard]] std::optional<std::pair<std::uint32_t, std::uint32_t>> twice() const noexcept {
        return twice_;
    }

private:
    [[nodiscard]] std::size_t slot_of(std::string_view text) const noexcept;

    std::deque<std::string> made_up_;
    std::vector<std::string_view> texts_;
    // A hash table of ids, a power of two in size, at most half full; open addressing.
    std::vector<std::uint32_t> slots_;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> twice_;
};

} // namespace mullama::core::gguf

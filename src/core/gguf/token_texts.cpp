#include "core/gguf/token_texts.hpp"

#include <bit>
#include <functional>
#include <limits>

namespace mullama::core::gguf {

namespace {

constexpr std::uint32_t free_slot = std::numeric_limits<std::uint32_t>::max();

} // namespace

TokenTexts::TokenTexts(const Value &tokens) {
    const auto count = static_cast<std::uint32_t>(tokens.count());
    texts_.reserve(count);
    slots_.assign(std::bit_ceil(2 * static_cast<std::size_t>(count) + 1), free_slot);
    for (std::uint32_t id = 0; id < count; ++id) {
        std::string_view text = tokens.as_string(id);
        text = text.substr(0, text.find('\0'));
        if (text.empty()) {
            text = made_up_.emplace_back("[EMPTY_" + std::to_string(id) + "]");
        }
        texts_.push_back(text);
        std::uint32_t &slot = slots_[slot_of(text)];
        if (slot == free_slot) {
            slot = id;
        } else if (!twice_) {
            twice_ = {id, slot};
        }
    }
}

std::size_t TokenTexts::slot_of(std::string_view text) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = std::hash<std::string_view>{}(text)&mask;
    while (slots_[at] != free_slot && texts_[slots_[at]] != text) {
        at = (at + 1) & mask;
    }
    return at;
}

std::optional<std::uint32_t> TokenTexts::find(std::string_view text) const noexcept {
    const std::uint32_t id = slots_[slot_of(text)];
    return id == free_slot ? std::nullopt : std::optional(id);
}

} // namespace mullama::core::gguf

// Finds the first of several words in a text that arrives byte by byte (A. Aho and M. Corasick
// 1975, with every transition in a table).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::core::constraint {

// Immutable. Thread safety: all of it.
class TriggerWords {
public:
    using State = std::uint32_t;
    static constexpr State start = 0;
    static constexpr std::size_t max_bytes = 4096;

    // Throws MULLAMA_ERROR_INVALID_ARGUMENT, naming the parameter "trigger_words", for an empty
    // word, and MULLAMA_ERROR_OUT_OF_RANGE for more than max_bytes in all.
    explicit TriggerWords(std::span<const std::string> words);

    [[nodiscard]] std::span<const std::string> words() const noexcept { return words_; }
    [[nodiscard]] bool empty() const noexcept { return words_.empty(); }

    [[nodiscard]] State advance(State state, std::uint8_t byte) const noexcept {
        return nodes_[state].next[byte];
    }
    // The longest word that ends with the byte that led to the state; none: empty.
    [[nodiscard]] std::string_view found(State state) const noexcept {
        return nodes_[state].word == none ? std::string_view() : words_[nodes_[state].word];
    }

private:
    static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);

    struct Node {
        std::array<State, 256> next{};
        std::uint32_t word = none;
    };

    void insert(std::string_view word, std::uint32_t index);
    void link();

    std::vector<std::string> words_;
    std::vector<Node> nodes_;
};

} // namespace mullama::core::constraint

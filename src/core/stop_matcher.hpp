// Finds the first of several strings in a text that arrives in pieces, in linear time, and lets
// everything else through as early as it can: what is held back is only the longest ending that
// could still become one of the strings.
//
// The string that is complete first ends the text. Of several that are complete with the same byte
// the longest counts, so that nothing of it stays; of equal ones the first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::core {

class StopMatcher {
public:
    // None of the strings is empty.
    explicit StopMatcher(std::span<const std::string_view> strings);

    // Takes the next piece and appends to `out` what cannot belong to a stop string any more.
    // Returns the index of the string that was met, whose bytes and all that follow are dropped, or
    // -1. After a match only reset() is of use.
    std::int32_t push(std::string_view piece, std::string &out);

    // The text ends here: appends what was held back.
    void finish(std::string &out);

    void reset() noexcept;

    // The bytes held back.
    [[nodiscard]] std::string_view held() const noexcept { return held_; }

private:
    // A node of the Aho-Corasick automaton stands for a prefix of some of the strings.
    struct Node {
        std::int32_t first_child = -1;
        std::int32_t next_sibling = -1;
        // The node of the longest proper suffix that is a prefix too.
        std::int32_t fail = 0;
        // The longest string that ends here, and its length; -1 for none.
        std::int32_t string = -1;
        std::uint32_t string_size = 0;
        // How long the prefix is.
        std::uint32_t depth = 0;
        std::uint8_t byte = 0;
    };

    static constexpr std::int32_t root = 0;

    [[nodiscard]] std::int32_t child(std::int32_t node, std::uint8_t byte) const noexcept;
    void insert(std::string_view string, std::int32_t index);
    void link();
    [[nodiscard]] std::int32_t step(std::int32_t node, std::uint8_t byte) const noexcept;

    std::vector<Node> nodes_;
    // The root's children by their byte: most text is nowhere near a stop string.
    std::array<std::int32_t, 256> starts_{};
    std::int32_t at_ = root;
    std::string held_;
};

} // namespace mullama::core

// A set of Unicode characters: what a character class of a grammar matches.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mullama::core::constraint {

inline constexpr std::uint32_t max_code_point = 0x10FFFF;

// Both ends belong to it.
struct CodePointRange {
    std::uint32_t first = 0;
    std::uint32_t last = 0;

    bool operator==(const CodePointRange &) const = default;
};

class CodePointSet {
public:
    // Neither is greater than max_code_point; first <= last.
    void add(std::uint32_t first, std::uint32_t last);

    // Sorts and joins the ranges, and takes the surrogates out: no text has them.
    void normalize();
    // Every other character, but U+0000: a text has it only where it is asked for by name.
    // Normalizes both.
    void complement();

    // In order, with gaps between them, once normalized.
    [[nodiscard]] std::span<const CodePointRange> ranges() const noexcept { return ranges_; }
    [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }

    bool operator==(const CodePointSet &) const = default;

private:
    std::vector<CodePointRange> ranges_;
};

} // namespace mullama::core::constraint

// How alike two vectors are. Sums are kept in double, where products of two floats are exact: the
// result is right to the last digits of a float, at any length and on any CPU.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace mullama::retrieval {

// Both vectors of one call have the same length. What is no number in them makes the result one
// that is none either; nothing else does.
[[nodiscard]] double dot(std::span<const float> a, std::span<const float> b) noexcept;
// -1 to 1; 0 where one of them is all zeros and points nowhere.
[[nodiscard]] double cosine(std::span<const float> a, std::span<const float> b) noexcept;
// Euclidean.
[[nodiscard]] double distance(std::span<const float> a, std::span<const float> b) noexcept;
[[nodiscard]] double length(std::span<const float> vector) noexcept;

// Scales to length 1, which is given; all zeros stay. `to` is `from`, or apart from it.
void normalize(std::span<const float> from, double length, std::span<float> to) noexcept;

// The index of the first NaN or infinity.
[[nodiscard]] std::optional<std::size_t> first_not_finite(std::span<const float> vector) noexcept;

} // namespace mullama::retrieval

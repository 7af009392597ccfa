#include "retrieval/similarity.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace mullama::retrieval {

namespace {

// Floating-point sums may not be reordered by the compiler; sums side by side it turns into vectors
// as they are.
constexpr std::size_t lanes = 8;

template <class Term>
double sum(std::size_t count, Term term) noexcept {
    std::array<double, lanes> sums{};
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            sums[lane] += term(i + lane);
        }
    }
    for (std::size_t lane = 0; i < count; ++i, ++lane) {
        sums[lane] += term(i);
    }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
           ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

} // namespace

double dot(std::span<const float> a, std::span<const float> b) noexcept {
    return sum(a.size(), [&](std::size_t i) {
        return static_cast<double>(a[i]) * static_cast<double>(b[i]);
    });
}

double length(std::span<const float> vector) noexcept {
    return std::sqrt(dot(vector, vector));
}

double cosine(std::span<const float> a, std::span<const float> b) noexcept {
    // Neither too large nor too small for a double, whatever the floats.
    const double squares = dot(a, a) * dot(b, b);
    if (squares == 0) {
        return 0;
    }
    const double result = dot(a, b) / std::sqrt(squares);
    // Rounding leads out of the range; a NaN stays one.
    return result > 1 ? 1 : (result < -1 ? -1 : result);
}

double distance(std::span<const float> a, std::span<const float> b) noexcept {
    return std::sqrt(sum(a.size(), [&](std::size_t i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        return difference * difference;
    }));
}

void normalize(std::span<const float> from, double length, std::span<float> to) noexcept {
    const double scale = length == 0 ? 0 : 1 / length;
    std::ranges::transform(from, to.begin(), [scale](float number) {
        return static_cast<float>(static_cast<double>(number) * scale);
    });
}

std::optional<std::size_t> first_not_finite(std::span<const float> vector) noexcept {
    const auto place =
        std::ranges::find_if(vector, [](float number) { return !std::isfinite(number); });
    if (place == vector.end()) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(place - vector.begin());
}

} // namespace mullama::retrieval

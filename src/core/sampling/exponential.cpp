// The fast way is the algorithm of expf() in ARM's Optimized Routines (S. Nagy, 2017), which is
// also glibc's since 2.27: with x * 32 / ln 2 = k + r and k a whole number,
//
//     e^x = 2^(k / 32) * 2^(r / 32),
//
// the first factor from a table and the second by a polynomial, in double precision, of which the
// result is rounded to a float. In the last bit of the double the order of the operations shows,
// and whether r was rounded once, as by a fused multiply-add, or twice. That is hardly ever seen in
// the float: of all floats not above 0 a single one, -63.0994..., comes out otherwise. What is here
// gives glibc's result with fused multiply-add for every one of them (all were tried), without
// needing that instruction. Where std::exp is another it is found out at the first use.
#include "core/sampling/exponential.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace mullama::core::sampling {

namespace {

constexpr std::size_t steps = 32;
constexpr unsigned mantissa_bits = 52;

// What is below gives 0 like this.
constexpr float lowest = -104.0F;

// 2^(i / 32).
constexpr std::array<double, steps> powers = {
    0x1.0000000000000p+0, 0x1.059b0d3158574p+0, 0x1.0b5586cf9890fp+0, 0x1.11301d0125b51p+0,
    0x1.172b83c7d517bp+0, 0x1.1d4873168b9aap+0, 0x1.2387a6e756238p+0, 0x1.29e9df51fdee1p+0,
    0x1.306fe0a31b715p+0, 0x1.371a7373aa9cbp+0, 0x1.3dea64c123422p+0, 0x1.44e086061892dp+0,
    0x1.4bfdad5362a27p+0, 0x1.5342b569d4f82p+0, 0x1.5ab07dd485429p+0, 0x1.6247eb03a5585p+0,
    0x1.6a09e667f3bcdp+0, 0x1.71f75e8ec5f74p+0, 0x1.7a11473eb0187p+0, 0x1.82589994cce13p+0,
    0x1.8ace5422aa0dbp+0, 0x1.93737b0cdc5e5p+0, 0x1.9c49182a3f09p+0,  0x1.a5503b23e255dp+0,
    0x1.ae89f995ad3adp+0, 0x1.b7f76f2fb5e47p+0, 0x1.c199bdd85529cp+0, 0x1.cb720dcef9069p+0,
    0x1.d5818dcfba487p+0, 0x1.dfc97337b9b5fp+0, 0x1.ea4afa2a490dap+0, 0x1.f50765b6e454p+0,
};

// Their bits, less those that adding k shifted into the exponent adds for k = i.
constexpr std::array<std::uint64_t, steps> table = [] {
    std::array<std::uint64_t, steps> result{};
    for (std::size_t i = 0; i < steps; ++i) {
        result[i] =
            std::bit_cast<std::uint64_t>(powers[i]) - (std::uint64_t{i} << (mantissa_bits - 5));
    }
    return result;
}();

// The polynomial for 2^(r / 32), that for 2^x with each coefficient divided by its power of 32.
constexpr double first = 0x1.62e42ff0c52d6p-1 / steps;
constexpr double second = 0x1.ebfce50fac4f3p-3 / steps / steps;
constexpr double third = 0x1.c6af84b912394p-5 / steps / steps / steps;

// 32 / ln 2, and the same in two parts of which the first times a float needs no rounding.
constexpr double scale = 0x1.71547652b82fep+0 * steps;
constexpr double scale_high = 0x1.7154766p+0 * steps;
constexpr double scale_low = scale - scale_high;

// Added to a number it leaves the nearest whole one in the lowest bits.
constexpr double to_whole = 0x1.8p+52;

// The vectors that every processor has.
constexpr std::size_t lanes = 4;
using Floats = float __attribute__((vector_size(lanes * sizeof(float))));
using Doubles = double __attribute__((vector_size(2 * sizeof(double))));
using Bits = std::uint64_t __attribute__((vector_size(2 * sizeof(std::uint64_t))));

Doubles power(Doubles x) noexcept {
    const Doubles shifted = x * scale + to_whole;
    const auto k = std::bit_cast<Bits>(shifted);
    const Doubles r = (x * scale_high - (shifted - to_whole)) + x * scale_low;
    const Bits entries{table[k[0] % steps], table[k[1] % steps]};
    const auto factor = std::bit_cast<Doubles>(entries + (k << (mantissa_bits - 5)));
    return ((third * r + second) * (r * r) + (first * r + 1.0)) * factor;
}

void powers_of_e(const float *logits, float max, float *weights) noexcept {
    Floats x{logits[0], logits[1], logits[2], logits[3]};
    x -= max;
    x = x < lowest ? Floats{} + lowest : x;
    const Doubles left = power(Doubles{x[0], x[1]});
    const Doubles right = power(Doubles{x[2], x[3]});
    weights[0] = static_cast<float>(left[0]);
    weights[1] = static_cast<float>(left[1]);
    weights[2] = static_cast<float>(right[0]);
    weights[3] = static_cast<float>(right[1]);
}

// Another algorithm rounds some of these numbers otherwise, and the same one without fused
// multiply-add the exception; the compiler must not know it.
bool is_what_exp_gives() noexcept {
    constexpr int samples = 32768;
    const volatile float exception = -0x1.f8cbb2p+5F;
    std::array<float, lanes> x;
    std::array<float, lanes> result;
    for (int i = 0; i < samples; i += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            x[lane] = static_cast<float>(i + static_cast<int>(lane)) * (lowest / samples);
        }
        if (i == 0) {
            x[0] = exception;
        }
        powers_of_e(x.data(), 0, result.data());
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            if (result[lane] != std::exp(x[lane])) {
                return false;
            }
        }
    }
    return true;
}

} // namespace

Exponential::Exponential(float max) noexcept : max_(max), finite_(std::isfinite(max)) {
    static const bool same = is_what_exp_gives();
    fast_ = same && finite_;
}

float Exponential::operator()(float logit) const noexcept {
    if (!finite_) {
        return logit == max_ ? 1.0F : 0.0F;
    }
    return std::exp(logit - max_);
}

void Exponential::operator()(std::span<const float> logits, float *weights) const noexcept {
    if (!fast_) {
        std::transform(logits.begin(), logits.end(), weights, *this);
        return;
    }
    std::size_t i = 0;
    for (; i + lanes <= logits.size(); i += lanes) {
        powers_of_e(&logits[i], max_, weights + i);
    }
    const std::span<const float> rest = logits.subspan(i);
    if (!rest.empty()) {
        std::array<float, lanes> padded{max_, max_, max_, max_};
        std::copy(rest.begin(), rest.end(), padded.begin());
        powers_of_e(padded.data(), max_, padded.data());
        std::copy_n(padded.begin(), rest.size(), weights + i);
    }
}

void Exponential::falling(std::span<const float> logits, float *weights) const noexcept {
    constexpr std::size_t block = 64;
    for (std::size_t begin = 0; begin < logits.size(); begin += block) {
        const auto part = logits.subspan(begin, std::min(block, logits.size() - begin));
        if (part.front() == part.back()) {
            std::fill_n(weights + begin, part.size(), (*this)(part.front()));
        } else {
            (*this)(part, weights + begin);
        }
    }
}

} // namespace mullama::core::sampling

// Similarity against sums in long double, and what is refused.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "mullama/mullama.hpp"
#include "support/capi.hpp"

namespace {

using namespace mullama::test;
using Vector = std::vector<float>;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

struct Measures {
    double dot;
    double cosine;
    double distance;
};

Measures measure(const Vector &a, const Vector &b) {
    Measures result{};
    EXPECT_OK(mullama_vector_dot(a.data(), b.data(), a.size(), &result.dot));
    EXPECT_OK(mullama_vector_cosine(a.data(), b.data(), a.size(), &result.cosine));
    EXPECT_OK(mullama_vector_distance(a.data(), b.data(), a.size(), &result.distance));
    return result;
}

long double brute_dot(const Vector &a, const Vector &b) {
    long double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += static_cast<long double>(a[i]) * static_cast<long double>(b[i]);
    }
    return sum;
}

long double brute_distance(const Vector &a, const Vector &b) {
    long double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const long double difference =
            static_cast<long double>(a[i]) - static_cast<long double>(b[i]);
        sum += difference * difference;
    }
    return std::sqrt(sum);
}

// Of magnitudes from 2^-40 to 2^40, so that a sum of floats would lose most of them.
Vector random_vector(std::size_t size, std::mt19937_64 &random) {
    std::uniform_real_distribution<float> mantissa(-1, 1);
    std::uniform_int_distribution<int> exponent(-40, 40);
    Vector result(size);
    for (float &number : result) {
        number = std::ldexp(mantissa(random), exponent(random));
    }
    return result;
}

TEST(Vector, MeasuresAsBruteForceDoes) {
    std::mt19937_64 random(7);
    for (const std::size_t size :
         {1U, 2U, 3U, 7U, 8U, 9U, 15U, 16U, 17U, 63U, 64U, 384U, 767U, 1024U, 4096U}) {
        SCOPED_TRACE(size);
        const Vector a = random_vector(size, random);
        const Vector b = random_vector(size, random);
        const Measures found = measure(a, b);
        // Rounding is relative to the numbers that were added, not to what is left of them.
        const double lengths = std::sqrt(static_cast<double>(brute_dot(a, a) * brute_dot(b, b)));
        EXPECT_NEAR(found.dot, static_cast<double>(brute_dot(a, b)), 1e-13 * lengths);
        EXPECT_NEAR(found.cosine, static_cast<double>(brute_dot(a, b)) / lengths, 1e-13);
        const auto distance = static_cast<double>(brute_distance(a, b));
        EXPECT_NEAR(found.distance, distance, 1e-13 * distance);
    }
}

TEST(Vector, MeasuresWhatIsKnownByHand) {
    const Measures right = measure({3, 0}, {0, 4});
    EXPECT_EQ(right.dot, 0);
    EXPECT_EQ(right.cosine, 0);
    EXPECT_EQ(right.distance, 5);
    const Measures same = measure({1, 2, 2}, {2, 4, 4});
    EXPECT_EQ(same.dot, 18);
    EXPECT_EQ(same.cosine, 1);
    EXPECT_EQ(same.distance, 3);
    EXPECT_EQ(measure({1, -1}, {-7, 7}).cosine, -1);
    EXPECT_EQ(measure({3, 4}, {4, 3}).cosine, 0.96);
}

TEST(Vector, CosineStaysInItsRange) {
    std::mt19937_64 random(11);
    for (int i = 0; i < 2000; ++i) {
        Vector a = random_vector(5, random);
        Vector b = a;
        for (float &number : b) {
            number *= -3;
        }
        EXPECT_LE(measure(a, a).cosine, 1);
        EXPECT_GE(measure(a, b).cosine, -1);
    }
}

TEST(Vector, KeepsWhatFloatsWouldLose) {
    // 1 between numbers that cancel out.
    EXPECT_EQ(measure({1e7F, 1, -1e7F}, {1e7F, 1, 1e7F}).dot, 1);
    // The square of neither is a float.
    const Measures large = measure({3e38F, 0}, {3e38F, 0});
    EXPECT_NEAR(large.cosine, 1, 1e-15);
    EXPECT_TRUE(std::isfinite(large.dot));
    const float least = std::numeric_limits<float>::denorm_min();
    EXPECT_NEAR(measure({least, 0}, {least, least}).cosine, std::sqrt(0.5), 1e-15);
    EXPECT_GT(measure({least}, {least}).dot, 0);
}

TEST(Vector, ZerosHaveNoDirection) {
    const Measures found = measure({0, 0}, {3, 4});
    EXPECT_EQ(found.dot, 0);
    EXPECT_EQ(found.cosine, 0);
    EXPECT_EQ(found.distance, 5);
    EXPECT_EQ(measure({0, -0.0F}, {0, 0}).cosine, 0);
}

TEST(Vector, OfNoNumbersIsZero) {
    double out = 7;
    ASSERT_OK(mullama_vector_dot(nullptr, nullptr, 0, &out));
    EXPECT_EQ(out, 0);
    out = 7;
    ASSERT_OK(mullama_vector_cosine(nullptr, nullptr, 0, &out));
    EXPECT_EQ(out, 0);
    out = 7;
    ASSERT_OK(mullama_vector_distance(nullptr, nullptr, 0, &out));
    EXPECT_EQ(out, 0);
    ASSERT_OK(mullama_vector_normalize(nullptr, 0, nullptr));
}

TEST(Vector, RefusesWhatIsNoNumber) {
    using Function = mullama_error_t *(*)(const float *, const float *, std::size_t, double *);
    const Function functions[] = {mullama_vector_dot, mullama_vector_cosine,
                                  mullama_vector_distance};
    for (const Function function : functions) {
        for (const float bad : {nan, infinity, -infinity}) {
            const Vector good{1, 2, 3, 0, 5, 6, 7, 8, 9, 10};
            for (const std::size_t at : {std::size_t{0}, std::size_t{3}, std::size_t{9}}) {
                Vector other = good;
                other[at] = bad;
                double out = 7;
                EXPECT_REFUSED(function(other.data(), good.data(), good.size(), &out),
                               MULLAMA_ERROR_INVALID_ARGUMENT, "a", static_cast<std::int64_t>(at));
                EXPECT_REFUSED(function(good.data(), other.data(), good.size(), &out),
                               MULLAMA_ERROR_INVALID_ARGUMENT, "b", static_cast<std::int64_t>(at));
                EXPECT_EQ(out, 7);
            }
        }
        // Beside zeros too, where the product says nothing of it.
        const Vector zeros(3);
        const Vector bad{0, infinity, 0};
        double out = 7;
        EXPECT_REFUSED(function(zeros.data(), bad.data(), 3, &out), MULLAMA_ERROR_INVALID_ARGUMENT,
                       "b", 1);
        EXPECT_REFUSED(function(nullptr, zeros.data(), 3, &out), MULLAMA_ERROR_INVALID_ARGUMENT,
                       "a");
        EXPECT_REFUSED(function(zeros.data(), nullptr, 3, &out), MULLAMA_ERROR_INVALID_ARGUMENT,
                       "b");
        EXPECT_REFUSED(function(zeros.data(), zeros.data(), 3, nullptr),
                       MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    }
}

TEST(Vector, NormalizesToLengthOne) {
    std::mt19937_64 random(13);
    for (const std::size_t size : {1U, 2U, 9U, 384U, 4096U}) {
        const Vector from = random_vector(size, random);
        Vector to(size);
        ASSERT_OK(mullama_vector_normalize(from.data(), size, to.data()));
        EXPECT_NEAR(std::sqrt(static_cast<double>(brute_dot(to, to))), 1, 1e-6);
        const long double length = std::sqrt(brute_dot(from, from));
        for (std::size_t i = 0; i < size; ++i) {
            EXPECT_FLOAT_EQ(to[i], static_cast<float>(from[i] / length));
        }
        Vector in_place = from;
        ASSERT_OK(mullama_vector_normalize(in_place.data(), size, in_place.data()));
        EXPECT_EQ(in_place, to);
    }
    Vector zeros(3);
    ASSERT_OK(mullama_vector_normalize(zeros.data(), 3, zeros.data()));
    EXPECT_EQ(zeros, Vector(3));
    const float least = std::numeric_limits<float>::denorm_min();
    Vector tiny{least, 0};
    ASSERT_OK(mullama_vector_normalize(tiny.data(), 2, tiny.data()));
    EXPECT_EQ(tiny, (Vector{1, 0}));
}

TEST(Vector, NormalizesNothingElse) {
    Vector numbers{3, nan, 4, 5};
    const Vector before{3, 4, 5, 6};
    Vector to = before;
    EXPECT_REFUSED(mullama_vector_normalize(numbers.data(), 4, to.data()),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "from", 1);
    EXPECT_EQ(to, before);
    EXPECT_REFUSED(mullama_vector_normalize(nullptr, 4, to.data()), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "from");
    EXPECT_REFUSED(mullama_vector_normalize(to.data(), 4, nullptr), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "to");
    // A part of itself, either way round.
    EXPECT_REFUSED(mullama_vector_normalize(to.data(), 3, to.data() + 1),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "to");
    EXPECT_REFUSED(mullama_vector_normalize(to.data() + 1, 3, to.data()),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "to");
    EXPECT_EQ(to, before);
    ASSERT_OK(mullama_vector_normalize(to.data(), 2, to.data() + 2));
    EXPECT_EQ(to, (Vector{3, 4, 0.6F, 0.8F}));
}

TEST(Vector, IsWrappedForCpp) {
    Vector a{3, 4};
    const Vector b{4, 3};
    EXPECT_EQ(mullama::dot(a, b), 24);
    EXPECT_NEAR(mullama::cosine(a, b), 0.96, 1e-15);
    EXPECT_NEAR(mullama::distance(a, b), std::sqrt(2.0), 1e-15);
    mullama::normalize(a);
    EXPECT_EQ(a, (Vector{0.6F, 0.8F}));
    EXPECT_THROW(static_cast<void>(mullama::dot(a, Vector{1})), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(mullama::cosine(a, Vector{1, nan})), mullama::Error);
}

} // namespace

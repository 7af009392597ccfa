#include "mullama/vector.h"

#include "capi/guard.hpp"
#include "retrieval/similarity.hpp"

#include <cmath>
#include <functional>
#include <string>

namespace {

using namespace mullama::capi;
using mullama::base::Error;
namespace retrieval = mullama::retrieval;
using Vector = std::span<const float>;

void require_finite(Vector vector, const char *parameter) {
    if (const auto index = retrieval::first_not_finite(vector)) {
        const float number = vector[*index];
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    "number " + std::to_string(*index) + " of " + parameter +
                        (std::isnan(number) ? " is not a number (NaN)" : " is infinite"))
            .parameter(parameter)
            .expected("finite numbers")
            .actual(number)
            .offset(static_cast<std::int64_t>(*index));
    }
}

mullama_error_t *compare(double (*measure)(Vector, Vector) noexcept, const float *a, const float *b,
                         size_t count, double *out) {
    return guarded([&] {
        const Vector first = array(a, count, "a");
        const Vector second = array(b, count, "b");
        require(out, "out");
        const double result = measure(first, second);
        // Finite numbers have finite results here, so that one look at the result is enough.
        if (!std::isfinite(result)) [[unlikely]] {
            require_finite(first, "a");
            require_finite(second, "b");
        }
        *out = result;
    });
}

} // namespace

mullama_error_t *mullama_vector_dot(const float *a, const float *b, size_t count, double *out) {
    return compare(retrieval::dot, a, b, count, out);
}

mullama_error_t *mullama_vector_cosine(const float *a, const float *b, size_t count, double *out) {
    return compare(retrieval::cosine, a, b, count, out);
}

mullama_error_t *mullama_vector_distance(const float *a, const float *b, size_t count,
                                         double *out) {
    return compare(retrieval::distance, a, b, count, out);
}

mullama_error_t *mullama_vector_normalize(const float *from, size_t count, float *to) {
    return guarded([&] {
        const Vector source = array(from, count, "from");
        if (count != 0)
            require(to, "to");
        // std::less orders pointers into different arrays too.
        const std::less<const float *> before;
        if (to != from && before(to, from + count) && before(from, to + count)) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                        "to overlaps a part of from: give the same address, or one apart from it")
                .parameter("to");
        }
        const double length = retrieval::length(source);
        if (!std::isfinite(length)) [[unlikely]]
            require_finite(source, "from");
        retrieval::normalize(source, length, {to, count});
    });
}

#include "core/constraint/code_point_set.hpp"

#include <algorithm>
#include <cstddef>

namespace mullama::core::constraint {

namespace {

constexpr std::uint32_t first_surrogate = 0xD800;
constexpr std::uint32_t last_surrogate = 0xDFFF;

} // namespace

void CodePointSet::add(std::uint32_t first, std::uint32_t last) {
    if (first < first_surrogate && last > last_surrogate) {
        ranges_.push_back({first, first_surrogate - 1});
        ranges_.push_back({last_surrogate + 1, last});
        return;
    }
    if (first >= first_surrogate && first <= last_surrogate) {
        first = last_surrogate + 1;
    }
    if (last >= first_surrogate && last <= last_surrogate) {
        last = first_surrogate - 1;
    }
    if (first <= last) {
        ranges_.push_back({first, last});
    }
}

void CodePointSet::normalize() {
    std::sort(ranges_.begin(), ranges_.end(),
              [](CodePointRange a, CodePointRange b) { return a.first < b.first; });
    std::size_t size = 0;
    for (const CodePointRange range : ranges_) {
        if (size > 0 && range.first <= ranges_[size - 1].last + 1) {
            ranges_[size - 1].last = std::max(ranges_[size - 1].last, range.last);
        } else {
            ranges_[size++] = range;
        }
    }
    ranges_.resize(size);
}

void CodePointSet::complement() {
    normalize();
    CodePointSet rest;
    std::uint32_t next = 1;
    for (const CodePointRange range : ranges_) {
        if (range.first > next) {
            rest.add(next, range.first - 1);
        }
        next = std::max(next, range.last + 1);
    }
    if (next <= max_code_point) {
        rest.add(next, max_code_point);
    }
    rest.normalize();
    ranges_ = std::move(rest.ranges_);
}

} // namespace mullama::core::constraint

// Times two ways of doing the same thing against each other: in one process, interleaved, in
// alternating order, so that what else the machine does falls on both. Figures are medians.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace bench {

// Nanoseconds of a steady clock.
[[nodiscard]] std::int64_t now_ns();

// Nanoseconds that this thread has run: for work of milliseconds, during which a shared machine may
// turn to something else. Reading it costs as much as a system call.
[[nodiscard]] std::int64_t thread_ns();

using Clock = std::int64_t (*)();

struct Comparison {
    double base_ns = 0;
    double ours_ns = 0;
    // The median of the differences within each pair: steadier than the difference of the medians.
    double extra_ns = 0;
};

// Runs `base` and `ours` in turn, `rounds` times each after some warming up. Each is given the
// round's number and does the same work in it; `each` divides the times.
[[nodiscard]] Comparison compare(std::size_t rounds, const std::function<void(std::size_t)> &base,
                                 const std::function<void(std::size_t)> &ours, double each = 1,
                                 Clock clock = now_ns);

// The median time of one thing alone.
[[nodiscard]] double measure(std::size_t rounds, const std::function<void(std::size_t)> &work,
                             double each = 1, Clock clock = now_ns);

// One row of the report.
void print(const std::string &what, const Comparison &comparison, const std::string &target);
void print(const std::string &what, double ns, const std::string &target);

} // namespace bench

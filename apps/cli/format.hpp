// Quantities for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace mullama::cli {

// With so many digits after the point.
[[nodiscard]] std::string format_fixed(double number, int digits);
// "1.10 GiB"
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
// "7.24 B": thousands, millions, billions, as parameters are counted.
[[nodiscard]] std::string format_count(std::uint64_t count);
// "1.234s", "56.7ms", "890µs"
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds time);
// Things a second; 0 where no time passed.
[[nodiscard]] double rate_of(std::uint64_t count, std::chrono::nanoseconds time);

} // namespace mullama::cli

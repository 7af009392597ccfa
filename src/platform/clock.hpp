// Time for measuring.
#pragma once

#include <cstdint>

namespace mullama::platform {

// Nanoseconds since some moment before the process started; never goes back, and nobody sets it.
[[nodiscard]] std::uint64_t monotonic_nanoseconds() noexcept;

} // namespace mullama::platform

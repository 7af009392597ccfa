// Threads as others see them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mullama::platform {

// Names the calling thread in debuggers and system monitors. Only for threads that the library
// itself has started. Linux shows the first 15 bytes; a character that doesn't fit is left out.
void set_thread_name(std::string_view name) noexcept;

// The calling thread's name as the system has it; "" when there is none.
[[nodiscard]] std::string thread_name();

// How many threads the process has; 0 when the system doesn't tell.
[[nodiscard]] std::size_t thread_count();

} // namespace mullama::platform

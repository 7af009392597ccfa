// File descriptors on POSIX systems. For POSIX sources only.
#pragma once

#include "platform/handle.hpp"

#include <string_view>

namespace mullama::platform {

// open(), closed in child processes, and never 0, 1 or 2: where the host has closed a standard
// stream, a file in its place would be read, or written, by whoever uses that stream next. `what`
// names the attempt for the error, as for system_error().
[[nodiscard]] Handle open_descriptor(const char *path, int flags, std::string_view what);

// Moves a descriptor off the standard streams, if it is one of them.
[[nodiscard]] Handle off_standard_streams(Handle handle, std::string_view what);

// A second descriptor of the same open file, closed in child processes.
[[nodiscard]] Handle duplicate(Handle::Native descriptor, std::string_view what);

} // namespace mullama::platform

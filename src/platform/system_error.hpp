// Failures of the operating system as errors that a person can act on.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace mullama::platform {

// The system's own words for `code`: errno on POSIX systems, GetLastError() on Windows.
[[nodiscard]] std::string system_message(int code);

// Which kind of failure `code` is.
[[nodiscard]] base::ErrorCode system_error_kind(int code) noexcept;

// Whether the same call can succeed later, as when the process has too many files open.
[[nodiscard]] bool system_error_passes(int code) noexcept;

// "cannot <what>: <the system's own words>", with the code that fits; `what` is, for example,
// "open 'model.gguf'".
[[nodiscard]] base::Error system_error(int code, std::string_view what);

// A path, or other bytes from outside, for a message: in quotes, and UTF-8 whatever it holds.
[[nodiscard]] std::string quoted(std::string_view text);

} // namespace mullama::platform

// <windows.h> without its macros, and text between UTF-8 and UTF-16. For Windows sources only.
#pragma once

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <string>
#include <string_view>

namespace mullama::platform {

// UTF-8 to UTF-16. What is not UTF-8 becomes U+FFFD: check first where that matters.
[[nodiscard]] std::wstring to_wide(std::string_view text);

// UTF-16 to UTF-8. Unpaired surrogates, which file names may hold, become U+FFFD.
[[nodiscard]] std::string to_utf8(std::wstring_view text);

// GetLastError() as the type that the rest of the platform layer takes.
[[nodiscard]] inline int last_error() noexcept {
    return static_cast<int>(::GetLastError());
}

} // namespace mullama::platform

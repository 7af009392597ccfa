#include "platform/system_windows.hpp"

#include "base/error.hpp"

#include <limits>

namespace mullama::platform {
namespace {

// The conversion functions count in int.
int int_size(std::size_t size) {
    if (size > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw base::Error(MULLAMA_ERROR_INVALID_ARGUMENT, "the text is larger than 2 GiB");
    return static_cast<int>(size);
}

} // namespace

std::wstring to_wide(std::string_view text) {
    if (text.empty())
        return {};
    const int size = int_size(text.size());
    const int needed = ::MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0);
    std::wstring wide(static_cast<std::size_t>(needed), L'\0');
    ::MultiByteToWideChar(CP_UTF8, 0, text.data(), size, wide.data(), needed);
    return wide;
}

std::string to_utf8(std::wstring_view text) {
    if (text.empty())
        return {};
    const int size = int_size(text.size());
    const int needed =
        ::WideCharToMultiByte(CP_UTF8, 0, text.data(), size, nullptr, 0, nullptr, nullptr);
    std::string narrow(static_cast<std::size_t>(needed), '\0');
    ::WideCharToMultiByte(CP_UTF8, 0, text.data(), size, narrow.data(), needed, nullptr, nullptr);
    return narrow;
}

} // namespace mullama::platform

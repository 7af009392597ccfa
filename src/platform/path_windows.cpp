#include "platform/path.hpp"

#include "base/utf8.hpp"
#include "platform/system_error.hpp"
#include "platform/system_windows.hpp"

namespace mullama::platform {
namespace {

// Folders have to leave room for a name of the old 8.3 form in MAX_PATH, which is 260.
constexpr std::size_t max_short_path = MAX_PATH - 12;

// The form of a path that may be longer than MAX_PATH: absolute, without "." and "..", with '\'
// alone, and with a prefix that tells the system to look no further.
std::wstring extended(const std::wstring &path) {
    const DWORD needed = ::GetFullPathNameW(path.c_str(), 0, nullptr, nullptr);
    std::wstring full(needed, L'\0');
    const DWORD size = ::GetFullPathNameW(path.c_str(), needed, full.data(), nullptr);
    if (size == 0 || size >= needed)
        throw system_error(last_error(), "resolve " + quoted(to_utf8(path)));
    full.resize(size);
    if (full.starts_with(L"\\\\?\\") || full.starts_with(L"\\\\.\\"))
        return full;
    if (full.starts_with(L"\\\\"))
        return L"\\\\?\\UNC" + full.substr(1);
    return L"\\\\?\\" + full;
}

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The offset after the run of separators, or of other characters, that starts at `from`.
std::size_t skip(std::string_view path, std::size_t from, bool separators) noexcept {
    while (from < path.size() && is_separator(path[from]) == separators)
        ++from;
    return from;
}

} // namespace

NativePath to_native_path(std::string_view path) {
    base::require_utf8(path, "path");
    std::wstring wide = to_wide(path);
    return wide.size() < max_short_path ? wide : extended(wide);
}

bool is_separator(char c) noexcept {
    return c == '\\' || c == '/';
}

std::size_t root_size(std::string_view path) noexcept {
    if (path.size() >= 2 && is_letter(path[0]) && path[1] == ':')
        return skip(path, 2, true);
    const std::size_t separators = skip(path, 0, true);
    if (separators < 2)
        return separators;
    const std::size_t server = skip(path, separators, false);
    const std::size_t share = skip(path, skip(path, server, true), false);
    return skip(path, share, true);
}

} // namespace mullama::platform

#include "platform/system_error.hpp"

#include "platform/system_windows.hpp"

namespace mullama::platform {

std::string system_message(int code) {
    // Not std::system_category(): it answers in the code page of the machine, not in UTF-8.
    wchar_t text[512];
    const DWORD size = ::FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
                                            FORMAT_MESSAGE_MAX_WIDTH_MASK,
                                        nullptr, static_cast<DWORD>(code), 0, text, 512, nullptr);
    std::wstring_view words(text, size);
    while (!words.empty() && (words.back() == L' ' || words.back() == L'.'))
        words.remove_suffix(1);
    return words.empty() ? "error " + std::to_string(code) : to_utf8(words);
}

base::ErrorCode system_error_kind(int code) noexcept {
    switch (code) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_DRIVE:
    case ERROR_BAD_NETPATH:
    case ERROR_BAD_NET_NAME:
        return MULLAMA_ERROR_NOT_FOUND;
    case ERROR_ACCESS_DENIED:
    case ERROR_WRITE_PROTECT:
    case ERROR_PRIVILEGE_NOT_HELD:
        return MULLAMA_ERROR_PERMISSION;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_COMMITMENT_LIMIT:
        return MULLAMA_ERROR_OUT_OF_MEMORY;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
        return MULLAMA_ERROR_NO_SPACE;
    case ERROR_NOT_SUPPORTED:
    case ERROR_CALL_NOT_IMPLEMENTED:
        return MULLAMA_ERROR_UNSUPPORTED;
    case ERROR_INVALID_NAME:
    case ERROR_FILENAME_EXCED_RANGE:
        return MULLAMA_ERROR_INVALID_ARGUMENT;
    default:
        return MULLAMA_ERROR_IO;
    }
}

bool system_error_passes(int code) noexcept {
    switch (code) {
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_TOO_MANY_OPEN_FILES:
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_DISK_FULL:
    case ERROR_BUSY:
        return true;
    default:
        return false;
    }
}

} // namespace mullama::platform

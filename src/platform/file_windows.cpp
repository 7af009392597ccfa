#include "platform/file.hpp"

#include "platform/path.hpp"
#include "platform/system_error.hpp"
#include "platform/system_windows.hpp"

#include <algorithm>

namespace mullama::platform {
namespace {

// ReadFile() counts in 32 bits.
constexpr std::size_t max_read = std::size_t{1} << 30;

base::Error wrong_kind(std::string_view path, std::string_view kind, std::string_view expected) {
    std::string message = "cannot read " + quoted(path) + ": it is ";
    message += kind;
    return base::Error(MULLAMA_ERROR_IO, message).parameter("path").expected(expected).actual(kind);
}

Handle open_path(std::string_view path, std::string_view expected) {
    const NativePath native = native_path(path);
    // Others may write, rename or delete the file meanwhile, as on every other system.
    Handle handle(::CreateFileW(native.c_str(), GENERIC_READ,
                                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
    if (handle)
        return handle;
    const int code = last_error();
    // A folder is refused as if access to it were denied.
    const DWORD attributes = ::GetFileAttributesW(native.c_str());
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        throw wrong_kind(path, "a folder", expected);
    throw system_error(code, "open " + quoted(path)).parameter("path");
}

} // namespace

File File::open(std::string_view path) {
    Handle handle = open_path(path, "a regular file");
    const DWORD type = ::GetFileType(handle.get());
    if (type != FILE_TYPE_DISK)
        throw wrong_kind(path, type == FILE_TYPE_PIPE ? "a pipe" : "a device", "a regular file");
    LARGE_INTEGER size{};
    if (::GetFileSizeEx(handle.get(), &size) == 0)
        throw system_error(last_error(), "open " + quoted(path)).parameter("path");
    return File(std::move(handle), static_cast<std::uint64_t>(size.QuadPart), path);
}

std::size_t File::read(std::uint64_t offset, std::span<std::byte> into) const {
    std::size_t total = 0;
    while (total < into.size()) {
        const std::uint64_t at = offset + total;
        if (at >> 63 != 0)
            break; // no file is that large: this is past the end
        OVERLAPPED position{};
        position.Offset = static_cast<DWORD>(at & 0xFFFFFFFFu);
        position.OffsetHigh = static_cast<DWORD>(at >> 32);
        DWORD got = 0;
        if (::ReadFile(handle_.get(), into.data() + total,
                       static_cast<DWORD>(std::min(into.size() - total, max_read)), &got,
                       &position) == 0) {
            const int code = last_error();
            if (code == ERROR_HANDLE_EOF)
                break;
            throw system_error(code, "read " + quoted(path_)).parameter("path");
        }
        if (got == 0)
            break;
        total += got;
    }
    return total;
}

Handle open_readable(std::string_view path) {
    return open_path(path, "a file");
}

std::size_t read_some(const Handle &handle, std::span<std::byte> into, std::string_view path) {
    DWORD got = 0;
    if (::ReadFile(handle.get(), into.data(), static_cast<DWORD>(std::min(into.size(), max_read)),
                   &got, nullptr) == 0) {
        const int code = last_error();
        if (code == ERROR_HANDLE_EOF || code == ERROR_BROKEN_PIPE)
            return 0;
        throw system_error(code, "read " + quoted(path)).parameter("path");
    }
    return got;
}

} // namespace mullama::platform

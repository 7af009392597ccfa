#include "platform/memory_file.hpp"

#include "platform/system_error.hpp"
#include "platform/system_windows.hpp"

#include <algorithm>

namespace mullama::platform {
namespace {

// WriteFile() counts in 32 bits.
constexpr std::size_t max_write = std::size_t{1} << 30;

std::string attempt(std::string_view name) {
    return "make a memory file of " + quoted(name);
}

// A file that is deleted when its last handle closes, and kept off the disk while memory allows.
Handle temporary_file(std::string_view name) {
    wchar_t folder[MAX_PATH + 1];
    const DWORD size = ::GetTempPathW(MAX_PATH + 1, folder);
    wchar_t path[MAX_PATH + 1];
    if (size == 0 || size > MAX_PATH || ::GetTempFileNameW(folder, L"mul", 0, path) == 0)
        throw system_error(last_error(), attempt(name));
    Handle file(::CreateFileW(path, GENERIC_READ | GENERIC_WRITE | DELETE, 0, nullptr,
                              CREATE_ALWAYS, FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE,
                              nullptr));
    if (!file) {
        const int code = last_error();
        ::DeleteFileW(path);
        throw system_error(code, attempt(name));
    }
    return file;
}

void write_all(const Handle &file, std::span<const std::byte> bytes, std::string_view name) {
    while (!bytes.empty()) {
        DWORD wrote = 0;
        if (::WriteFile(file.get(), bytes.data(),
                        static_cast<DWORD>(std::min(bytes.size(), max_write)), &wrote,
                        nullptr) == 0) {
            throw system_error(last_error(), attempt(name));
        }
        bytes = bytes.subspan(wrote);
    }
}

} // namespace

MemoryFile::MemoryFile(std::span<const std::byte> bytes, std::string_view name)
    : name_(name), size_(bytes.size()), handle_(temporary_file(name)) {
    write_all(handle_, bytes, name_);
}

CFile MemoryFile::open_c_file() const {
    HANDLE copy = nullptr;
    if (::DuplicateHandle(::GetCurrentProcess(), handle_.get(), ::GetCurrentProcess(), &copy,
                          GENERIC_READ, FALSE, 0) == 0) {
        throw system_error(last_error(), attempt(name_));
    }
    Handle reader(copy);
    if (::SetFilePointerEx(reader.get(), LARGE_INTEGER{}, nullptr, FILE_BEGIN) == 0)
        throw system_error(last_error(), attempt(name_));
    return to_c_file(std::move(reader), name_);
}

std::optional<std::string> MemoryFile::path() const {
    return std::nullopt;
}

} // namespace mullama::platform

#include "platform/replace_file.hpp"

#include "platform/handle.hpp"
#include "platform/path.hpp"
#include "platform/system_error.hpp"
#include "platform/system_windows.hpp"

#include <algorithm>
#include <string>

namespace mullama::platform {
namespace {

// WriteFile() counts in 32 bits.
constexpr std::size_t max_write = std::size_t{1} << 30;

void write_all(const Handle &file, std::span<const std::byte> bytes, const std::string &what) {
    while (!bytes.empty()) {
        DWORD wrote = 0;
        if (::WriteFile(file.get(), bytes.data(),
                        static_cast<DWORD>(std::min(bytes.size(), max_write)), &wrote,
                        nullptr) == 0) {
            throw system_error(last_error(), what).parameter("path");
        }
        bytes = bytes.subspan(wrote);
    }
    if (::FlushFileBuffers(file.get()) == 0)
        throw system_error(last_error(), what).parameter("path");
}

} // namespace

void write_and_rename(std::string_view path, std::span<const std::byte> bytes) {
    const std::string what = "write " + quoted(path);
    const NativePath native = native_path(path);
    // Not the file's own name and more: that could be longer than a name can be.
    const NativePath passing =
        native_path(join(parent_path(path), ".mullama-" + std::to_string(::GetCurrentProcessId()) +
                                                "-" + std::to_string(::GetCurrentThreadId())));
    {
        const Handle file(::CreateFileW(passing.c_str(), GENERIC_WRITE | DELETE, 0, nullptr,
                                        CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr));
        if (!file)
            throw system_error(last_error(), what).parameter("path");
        try {
            write_all(file, bytes, what);
        } catch (...) {
            // It goes when its handle closes, which is before anyone could look.
            FILE_DISPOSITION_INFO gone{TRUE};
            ::SetFileInformationByHandle(file.get(), FileDispositionInfo, &gone, sizeof gone);
            throw;
        }
    }
    if (::MoveFileExW(passing.c_str(), native.c_str(),
                      MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) == 0) {
        const int code = last_error();
        ::DeleteFileW(passing.c_str());
        throw system_error(code, what).parameter("path");
    }
}

} // namespace mullama::platform

#include "platform/disk.hpp"

#include "platform/path.hpp"
#include "platform/system_error.hpp"
#include "platform/system_windows.hpp"

namespace mullama::platform {

std::uint64_t free_disk_space(std::string_view folder) {
    const NativePath native = native_path(folder);
    ULARGE_INTEGER available{};
    if (::GetDiskFreeSpaceExW(native.c_str(), &available, nullptr, nullptr) == 0) {
        throw system_error(last_error(), "ask for the free space of " + quoted(folder))
            .parameter("path");
    }
    return available.QuadPart;
}

} // namespace mullama::platform

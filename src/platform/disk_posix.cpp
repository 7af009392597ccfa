#include "platform/disk.hpp"

#include "platform/path.hpp"
#include "platform/system_error.hpp"

#include <cerrno>

#include <sys/statvfs.h>

namespace mullama::platform {

std::uint64_t free_disk_space(std::string_view folder) {
    const NativePath native = native_path(folder);
    struct statvfs disk{};
    int result = 0;
    do {
        result = ::statvfs(native.c_str(), &disk);
    } while (result != 0 && errno == EINTR);
    if (result != 0)
        throw system_error(errno, "ask for the free space of " + quoted(folder)).parameter("path");
    return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

} // namespace mullama::platform

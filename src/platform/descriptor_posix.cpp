#include "platform/descriptor_posix.hpp"

#include "platform/system_error.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace mullama::platform {

Handle open_descriptor(const char *path, int flags, std::string_view what) {
    int descriptor = -1;
    do {
        descriptor = ::open(path, flags | O_CLOEXEC | O_NOCTTY);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0)
        throw system_error(errno, what);
    return off_standard_streams(Handle(descriptor), what);
}

Handle off_standard_streams(Handle handle, std::string_view what) {
    return handle.get() > STDERR_FILENO ? std::move(handle) : duplicate(handle.get(), what);
}

Handle duplicate(Handle::Native descriptor, std::string_view what) {
    const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (copy < 0)
        throw system_error(errno, what);
    return Handle(copy);
}

} // namespace mullama::platform

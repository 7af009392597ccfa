#include "platform/file.hpp"

#include "platform/descriptor_posix.hpp"
#include "platform/path.hpp"
#include "platform/system_error.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mullama::platform {
namespace {

// macOS refuses a count above INT_MAX, Linux shortens it.
constexpr std::size_t max_read = std::size_t{1} << 30;

const char *kind_name(mode_t mode) noexcept {
    return S_ISDIR(mode)    ? "a folder"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
           : S_ISREG(mode)  ? "a regular file"
                            : "a device";
}

base::Error wrong_kind(std::string_view path, mode_t mode, std::string_view expected) {
    return base::Error(MULLAMA_ERROR_IO,
                       "cannot read " + quoted(path) + ": it is " + kind_name(mode))
        .parameter("path")
        .expected(expected)
        .actual(kind_name(mode));
}

struct Opened {
    Handle handle;
    struct stat status;
};

Opened open_path(std::string_view path, int flags) {
    const NativePath native = native_path(path);
    const std::string what = "open " + quoted(path);
    try {
        Opened opened{open_descriptor(native.c_str(), O_RDONLY | flags, what), {}};
        if (::fstat(opened.handle.get(), &opened.status) != 0)
            throw system_error(errno, what);
        return opened;
    } catch (base::Error &error) {
        error.parameter("path");
        throw;
    }
}

} // namespace

File File::open(std::string_view path) {
    // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever. It means nothing to
    // regular files, and everything else is refused.
    Opened opened = open_path(path, O_NONBLOCK);
    if (!S_ISREG(opened.status.st_mode))
        throw wrong_kind(path, opened.status.st_mode, "a regular file");
    return File(std::move(opened.handle), static_cast<std::uint64_t>(opened.status.st_size), path);
}

std::size_t File::read(std::uint64_t offset, std::span<std::byte> into) const {
    std::size_t total = 0;
    while (total < into.size()) {
        if (offset > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()) - total)
            break; // no file is that large: this is past the end
        const ssize_t got =
            ::pread(handle_.get(), into.data() + total, std::min(into.size() - total, max_read),
                    static_cast<off_t>(offset + total));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw system_error(errno, "read " + quoted(path_)).parameter("path");
        if (got == 0)
            break;
        total += static_cast<std::size_t>(got);
    }
    return total;
}

Handle open_readable(std::string_view path) {
    Opened opened = open_path(path, 0);
    if (S_ISDIR(opened.status.st_mode))
        throw wrong_kind(path, opened.status.st_mode, "a file");
    return std::move(opened.handle);
}

std::size_t read_some(const Handle &handle, std::span<std::byte> into, std::string_view path) {
    while (true) {
        const ssize_t got = ::read(handle.get(), into.data(), std::min(into.size(), max_read));
        if (got >= 0)
            return static_cast<std::size_t>(got);
        if (errno != EINTR)
            throw system_error(errno, "read " + quoted(path)).parameter("path");
    }
}

} // namespace mullama::platform

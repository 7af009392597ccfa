#include "platform/replace_file.hpp"

#include "platform/descriptor_posix.hpp"
#include "platform/path.hpp"
#include "platform/system_error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace mullama::platform {
namespace {

// macOS refuses a count above INT_MAX, Linux shortens it.
constexpr std::size_t max_write = std::size_t{1} << 30;

void require_replaceable(const NativePath &native, const std::string &what) {
    struct stat status{};
    // A device must not become a file, whoever asks.
    if (::stat(native.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
        throw base::Error(MULLAMA_ERROR_IO, "cannot " + what + ": it is no regular file")
            .parameter("path")
            .expected("a regular file, or none");
    }
}

void write_all(const Handle &file, std::span<const std::byte> bytes, const std::string &what) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(file.get(), bytes.data(), std::min(bytes.size(), max_write));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            throw system_error(errno, what).parameter("path");
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    if (::fsync(file.get()) != 0 && errno != EINVAL)
        throw system_error(errno, what).parameter("path");
}

} // namespace

void write_and_rename(std::string_view path, std::span<const std::byte> bytes) {
    const std::string what = "write " + quoted(path);
    const NativePath native = native_path(path);
    require_replaceable(native, what);
    // Not the file's own name and more: that could be longer than a name can be.
    NativePath passing = native_path(join(parent_path(path), ".mullama-XXXXXX"));
    const Handle made(::mkstemp(passing.data()));
    if (!made)
        throw system_error(errno, what).parameter("path");
    try {
        // The copy is what child processes don't inherit; mkstemp() can't be asked for that
        // everywhere.
        write_all(duplicate(made.get(), what), bytes, what);
        if (::rename(passing.c_str(), native.c_str()) != 0)
            throw system_error(errno, what).parameter("path");
    } catch (...) {
        ::unlink(passing.c_str());
        throw;
    }
}

} // namespace mullama::platform

#include "platform/memory_file.hpp"

#include "base/utf8.hpp"
#include "platform/descriptor_posix.hpp"
#include "platform/path.hpp"
#include "platform/system_error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mullama::platform {
namespace {

// macOS refuses a count above INT_MAX, Linux shortens it.
constexpr std::size_t max_write = std::size_t{1} << 30;

std::string attempt(std::string_view name) {
    return "make a memory file of " + quoted(name);
}

// A file in the temporary folder that loses its name at once.
Handle unnamed_file(std::string_view name) {
    const char *folder = std::getenv("TMPDIR");
    std::string path =
        join(folder != nullptr && *folder != '\0' ? folder : "/tmp", "mullama-XXXXXX");
    const Handle made(::mkstemp(path.data()));
    if (!made)
        throw system_error(errno, attempt(name) + " in " + quoted(parent_path(path)));
    ::unlink(path.c_str());
    // The copy is what child processes don't inherit; mkstemp() can't be asked for that everywhere.
    return duplicate(made.get(), attempt(name));
}

#ifdef __linux__
Handle anonymous_file(std::string_view name) {
    // The name shows in /proc and may have 249 bytes.
    std::string shown(name.substr(0, 240));
    shown.resize(base::complete_utf8_prefix(shown));
    std::replace(shown.begin(), shown.end(), '\0', '?');
    // MFD_NOEXEC_SEAL, younger than the C library's headers: a hardened system (vm.memfd_noexec)
    // insists on it, and an old one does not know it.
    constexpr unsigned not_executable = 8;
    constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    Handle file(::memfd_create(shown.c_str(), flags | not_executable));
    if (!file)
        file = Handle(::memfd_create(shown.c_str(), flags));
    if (!file)
        return unnamed_file(name); // a system, or a sandbox, without memory files
    return off_standard_streams(std::move(file), attempt(name));
}
#else
Handle anonymous_file(std::string_view name) {
    return unnamed_file(name);
}
#endif

void write_all(const Handle &file, std::span<const std::byte> bytes, std::string_view name) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(file.get(), bytes.data(), std::min(bytes.size(), max_write));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            throw system_error(errno, attempt(name));
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
}

#ifdef __linux__
std::string descriptor_path(const Handle &file) {
    return "/proc/self/fd/" + std::to_string(file.get());
}

// The same file once more, read only and with a position of its own; empty where /proc is missing.
Handle reopen(const Handle &file, std::string_view name) {
    try {
        return open_descriptor(descriptor_path(file).c_str(), O_RDONLY, attempt(name));
    } catch (const base::Error &) {
        return Handle();
    }
}
#endif

} // namespace

MemoryFile::MemoryFile(std::span<const std::byte> bytes, std::string_view name)
    : name_(name), size_(bytes.size()), handle_(anonymous_file(name)) {
    write_all(handle_, bytes, name_);
#ifdef __linux__
    // Older systems refuse to map a file whose writing is sealed, unless it was opened for reading
    // alone: so that comes first, and without it the contents stay unsealed.
    if (Handle reader = reopen(handle_, name_)) {
        ::fcntl(handle_.get(), F_ADD_SEALS,
                F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        handle_ = std::move(reader);
    }
#endif
}

CFile MemoryFile::open_c_file() const {
#ifdef __linux__
    if (Handle reader = reopen(handle_, name_))
        return to_c_file(std::move(reader), name_);
#endif
    Handle reader = duplicate(handle_.get(), attempt(name_));
    if (::lseek(reader.get(), 0, SEEK_SET) != 0)
        throw system_error(errno, attempt(name_));
    return to_c_file(std::move(reader), name_);
}

std::optional<std::string> MemoryFile::path() const {
#ifdef __linux__
    std::string path = descriptor_path(handle_);
    if (::access(path.c_str(), R_OK) == 0)
        return path;
#endif
    return std::nullopt;
}

} // namespace mullama::platform

// Files, read only.
//
// Nothing here is passed on to child processes, and no file takes the place of a standard stream
// that the host has closed.
#pragma once

#include "platform/handle.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mullama::platform {

// A regular file on disk. Reading takes the offset, so threads can share one.
class File {
public:
    // Throws MULLAMA_ERROR_NOT_FOUND, MULLAMA_ERROR_PERMISSION or MULLAMA_ERROR_IO with the path
    // and the system's own words; a folder, a device or a pipe is refused by name, without waiting
    // for anyone to write to it.
    [[nodiscard]] static File open(std::string_view path);

    // Reads from `offset` on until `into` is full or the file ends; returns how many bytes.
    std::size_t read(std::uint64_t offset, std::span<std::byte> into) const;

    // In bytes, when it was opened.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    // As it was given to open().
    [[nodiscard]] const std::string &path() const noexcept { return path_; }

    [[nodiscard]] Handle::Native native() const noexcept { return handle_.get(); }

    // Hands the handle to the caller; the file is then closed to this object.
    [[nodiscard]] Handle release() noexcept { return std::move(handle_); }

private:
    File(Handle handle, std::uint64_t size, std::string_view path);

    Handle handle_;
    std::uint64_t size_;
    std::string path_;
};

// All of a file, pipe or device that is expected to be small, such as "/dev/stdin" or a file below
// /proc; waits until a pipe's other end is closed. Throws like File::open(), and
// MULLAMA_ERROR_OUT_OF_RANGE when there are more than `max_bytes`.
[[nodiscard]] std::string read_whole_file(std::string_view path, std::uint64_t max_bytes);

// Below: what differs between systems.

// Opens anything that can be read, but no folder. Waits where the system does.
[[nodiscard]] Handle open_readable(std::string_view path);

// Reads up to `into.size()` bytes where the handle stands; 0 at the end. `path` is for the error.
std::size_t read_some(const Handle &handle, std::span<std::byte> into, std::string_view path);

} // namespace mullama::platform

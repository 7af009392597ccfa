// Bytes in memory as a file, for libraries that read only files.
#pragma once

#include "platform/c_file.hpp"
#include "platform/handle.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mullama::platform {

// A file without a name in any folder, gone with its last reader. On Linux it lives in memory and
// nobody can change it any more; elsewhere it is a temporary file that no one else can open.
class MemoryFile {
public:
    // A copy of `bytes`. `name` is for messages, and for whoever looks at the process from outside.
    // Throws MULLAMA_ERROR_OUT_OF_MEMORY or MULLAMA_ERROR_IO.
    MemoryFile(std::span<const std::byte> bytes, std::string_view name);

    // A C file that starts at the first byte, and keeps the bytes alive by itself. On Linux each
    // has a position of its own; elsewhere those of one MemoryFile share it, so that they have to
    // be used one after the other.
    [[nodiscard]] CFile open_c_file() const;

    // A path under which this process can open the file while this object lives.
    // Nothing where the system has no such path: outside Linux, and where /proc is missing.
    [[nodiscard]] std::optional<std::string> path() const;

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] const std::string &name() const noexcept { return name_; }

private:
    std::string name_;
    std::uint64_t size_;
    Handle handle_;
};

} // namespace mullama::platform

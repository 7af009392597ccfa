// A file's bytes in memory, read from disk as they are touched.
#pragma once

#include "platform/file.hpp"

#include <cstddef>
#include <span>
#include <utility>

namespace mullama::platform {

// A read-only mapping of a whole file, as large as the file was when it was opened. The file may be
// closed meanwhile. If someone truncates it, touching what is gone ends the process (SIGBUS, or an
// exception of Windows): read files that others may change with File::read().
class Mapping {
public:
    // Throws MULLAMA_ERROR_OUT_OF_MEMORY or MULLAMA_ERROR_IO with the path.
    explicit Mapping(const File &file);

    Mapping(Mapping &&other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    Mapping &operator=(Mapping &&other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    Mapping(const Mapping &) = delete;
    Mapping &operator=(const Mapping &) = delete;
    ~Mapping();

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

private:
    std::span<const std::byte> bytes_;
};

} // namespace mullama::platform

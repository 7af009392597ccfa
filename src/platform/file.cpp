#include "platform/file.hpp"

#include "platform/system_error.hpp"

#include <algorithm>

namespace mullama::platform {

File::File(Handle handle, std::uint64_t size, std::string_view path)
    : handle_(std::move(handle)), size_(size), path_(path) {
}

std::string read_whole_file(std::string_view path, std::uint64_t max_bytes) {
    const Handle handle = open_readable(path);
    std::string content;
    std::size_t size = 0;
    // The size that the system reports is 0 for pipes and below /proc: only the end tells.
    while (true) {
        if (size == content.size())
            content.resize(std::max<std::size_t>(4096, size * 2));
        const std::span<char> room = std::span(content).subspan(size);
        const std::size_t got = read_some(handle, std::as_writable_bytes(room), path);
        if (got == 0)
            break;
        size += got;
        if (size > max_bytes) {
            throw base::Error(MULLAMA_ERROR_OUT_OF_RANGE, quoted(path) + " is too large")
                .parameter("path")
                .expected("at most " + std::to_string(max_bytes) + " bytes")
                .actual("more");
        }
    }
    content.resize(size);
    return content;
}

} // namespace mullama::platform

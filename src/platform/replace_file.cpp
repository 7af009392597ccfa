#include "platform/replace_file.hpp"

#include "base/error.hpp"
#include "platform/disk.hpp"
#include "platform/path.hpp"
#include "platform/system_error.hpp"

#include <cstdint>
#include <string>

namespace mullama::platform {

void replace_file(std::string_view path, std::span<const std::byte> bytes) {
    const std::string_view parent = parent_path(path);
    const std::uint64_t room = free_disk_space(parent.empty() ? "." : parent);
    if (room < bytes.size()) {
        throw base::Error(MULLAMA_ERROR_NO_SPACE,
                          "the disk has too little room for " + quoted(path) + ": it needs " +
                              std::to_string(bytes.size()) + " bytes, and " + std::to_string(room) +
                              " are free")
            .parameter("path")
            .expected("at most " + std::to_string(room) + " bytes")
            .actual(bytes.size());
    }
    write_and_rename(path, bytes);
}

} // namespace mullama::platform

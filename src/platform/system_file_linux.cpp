#include "platform/system_file_linux.hpp"

#include "base/error.hpp"
#include "platform/file.hpp"

namespace mullama::platform {

std::string read_system_file(const std::string &path) {
    // /proc/cpuinfo, the largest of them, has about 2 KiB per hardware thread.
    constexpr std::uint64_t max_size = 64 << 20;
    try {
        return read_whole_file(path, max_size);
    } catch (const base::Error &) {
        return {};
    }
}

} // namespace mullama::platform

#include "platform/mapping.hpp"

#include "platform/system_error.hpp"
#include "platform/system_windows.hpp"

#include <limits>

namespace mullama::platform {

Mapping::Mapping(const File &file) {
    if (file.size() == 0)
        return; // the system refuses to map nothing
    const std::string what = "map " + quoted(file.path()) + " into memory";
    if (file.size() > std::numeric_limits<std::size_t>::max())
        throw system_error(ERROR_NOT_ENOUGH_MEMORY, what).parameter("path");
    const auto size = static_cast<std::size_t>(file.size());
    const Handle section(::CreateFileMappingW(
        file.native(), nullptr, PAGE_READONLY, static_cast<DWORD>(file.size() >> 32),
        static_cast<DWORD>(file.size() & 0xFFFFFFFFu), nullptr));
    if (!section)
        throw system_error(last_error(), what).parameter("path");
    // The view keeps the section alive.
    const void *const start = ::MapViewOfFile(section.get(), FILE_MAP_READ, 0, 0, size);
    if (start == nullptr)
        throw system_error(last_error(), what).parameter("path");
    bytes_ = {static_cast<const std::byte *>(start), size};
}

Mapping::~Mapping() {
    if (!bytes_.empty())
        ::UnmapViewOfFile(bytes_.data());
}

} // namespace mullama::platform

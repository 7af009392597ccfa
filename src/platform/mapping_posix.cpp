#include "platform/mapping.hpp"

#include "platform/system_error.hpp"

#include <cerrno>
#include <limits>

#include <sys/mman.h>

namespace mullama::platform {

Mapping::Mapping(const File &file) {
    if (file.size() == 0)
        return; // the system refuses to map nothing
    const std::string what = "map " + quoted(file.path()) + " into memory";
    if (file.size() > std::numeric_limits<std::size_t>::max())
        throw system_error(ENOMEM, what).parameter("path");
    const auto size = static_cast<std::size_t>(file.size());
    void *const start = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.native(), 0);
    if (start == MAP_FAILED)
        throw system_error(errno, what).parameter("path");
    bytes_ = {static_cast<const std::byte *>(start), size};
}

Mapping::~Mapping() {
    if (!bytes_.empty())
        ::munmap(const_cast<std::byte *>(bytes_.data()), bytes_.size());
}

} // namespace mullama::platform

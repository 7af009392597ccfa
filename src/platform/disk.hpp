// Room on disks.
#pragma once

#include <cstdint>
#include <string_view>

namespace mullama::platform {

// How many more bytes this user can write to the disk that holds `folder`, which must exist.
[[nodiscard]] std::uint64_t free_disk_space(std::string_view folder);

} // namespace mullama::platform

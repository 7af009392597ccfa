// Whether this process is a copy of the one that made an object.
#pragma once

#include <cstdint>

namespace mullama::platform {

// How many forks lie between this process and the one that loaded the library; costs a load from
// memory. An object notes it when it is made: another number later means that threads and locks of
// the object stayed behind in the parent.
[[nodiscard]] std::uint32_t fork_count() noexcept;

} // namespace mullama::platform

// What a container may use: the limits of control groups, versions 1 and 2. For Linux sources only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mullama::platform {

struct CgroupLimits {
    // Processor time per time, 1.5 for one and a half processors.
    std::optional<double> cpus;
    // In bytes: the limit, and what is left below it when cached files are given up.
    std::optional<std::uint64_t> memory;
    std::optional<std::uint64_t> memory_left;
};

// The narrowest limits of this process's groups and all groups around them that can be seen.
// Anything unreadable counts as no limit. `root` is where /proc and /sys are found; for tests.
[[nodiscard]] CgroupLimits cgroup_limits(std::string_view root = "");

} // namespace mullama::platform

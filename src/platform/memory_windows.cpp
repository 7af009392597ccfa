#include "platform/memory.hpp"

#include "platform/system_windows.hpp"

#include <algorithm>

namespace mullama::platform {

MemoryInfo memory_info() {
    MEMORYSTATUSEX status{};
    status.dwLength = sizeof status;
    if (::GlobalMemoryStatusEx(&status) == 0)
        return {};
    // What this process can still commit may be less than what the machine has.
    return {status.ullTotalPhys, std::min(status.ullAvailPhys, status.ullAvailPageFile)};
}

} // namespace mullama::platform

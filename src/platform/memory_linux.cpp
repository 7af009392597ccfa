#include "platform/memory.hpp"

#include "platform/cgroup_linux.hpp"
#include "platform/system_file_linux.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include <unistd.h>

namespace mullama::platform {
namespace {

// A line of /proc/meminfo, "Name:   123 kB", in bytes.
std::uint64_t meminfo_value(const std::string &meminfo, const std::string &name) {
    const std::size_t line = meminfo.find(name + ":");
    if (line == std::string::npos)
        return 0;
    const std::size_t digits = meminfo.find_first_not_of(' ', line + name.size() + 1);
    std::uint64_t kib = 0;
    if (digits != std::string::npos)
        std::from_chars(meminfo.data() + digits, meminfo.data() + meminfo.size(), kib);
    return kib * 1024;
}

MemoryInfo machine_memory() {
    const std::string meminfo = read_system_file("/proc/meminfo");
    if (!meminfo.empty())
        return {meminfo_value(meminfo, "MemTotal"), meminfo_value(meminfo, "MemAvailable")};
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page = ::sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0)
        return {};
    return {static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page), 0};
}

} // namespace

MemoryInfo memory_info() {
    MemoryInfo info = machine_memory();
    const CgroupLimits limits = cgroup_limits();
    info.total = std::min(info.total, limits.memory.value_or(info.total));
    info.available = std::min(info.available, limits.memory_left.value_or(info.available));
    return info;
}

} // namespace mullama::platform

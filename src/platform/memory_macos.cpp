#include "platform/memory.hpp"

#include <mach/mach.h>
#include <sys/sysctl.h>
#include <unistd.h>

namespace mullama::platform {

MemoryInfo memory_info() {
    MemoryInfo info;
    std::size_t size = sizeof info.total;
    ::sysctlbyname("hw.memsize", &info.total, &size, nullptr, 0);
    vm_statistics64_data_t pages{};
    mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
    const mach_port_t host = ::mach_host_self();
    if (::host_statistics64(host, HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&pages),
                            &count) == KERN_SUCCESS) {
        const std::uint64_t usable = std::uint64_t{pages.free_count} + pages.inactive_count;
        info.available = usable * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
    ::mach_port_deallocate(::mach_task_self(), host);
    return info;
}

} // namespace mullama::platform

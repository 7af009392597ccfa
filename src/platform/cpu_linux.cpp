#include "platform/cpu.hpp"

#include "platform/cgroup_linux.hpp"
#include "platform/system_file_linux.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include <sched.h>
#include <sys/auxv.h>
#include <unistd.h>

namespace mullama::platform {
namespace {

// The numbers of the hardware threads that the calling thread may run on; empty if unknown.
std::vector<unsigned> allowed_threads() {
    std::vector<unsigned> allowed;
    // The system refuses a set that is smaller than its own, without saying how large that is.
    for (std::size_t size = 1024; size <= (1u << 20); size *= 2) {
        const std::size_t bytes = CPU_ALLOC_SIZE(size);
        std::vector<cpu_set_t> set((bytes + sizeof(cpu_set_t) - 1) / sizeof(cpu_set_t));
        if (::sched_getaffinity(0, bytes, set.data()) != 0) {
            if (errno == EINVAL)
                continue;
            break;
        }
        for (unsigned i = 0; i < size; ++i) {
            if (CPU_ISSET_S(i, bytes, set.data()))
                allowed.push_back(i);
        }
        break;
    }
    return allowed;
}

// How many physical cores the hardware threads belong to.
unsigned count_cores(const std::vector<unsigned> &threads) {
    std::set<std::string> cores;
    for (const unsigned thread : threads) {
        std::string core = read_system_file("/sys/devices/system/cpu/cpu" + std::to_string(thread) +
                                            "/topology/thread_siblings_list");
        if (core.empty())
            return 0;
        cores.insert(std::move(core));
    }
    return static_cast<unsigned>(cores.size());
}

} // namespace

CoreCounts core_counts() {
    CoreCounts counts;
    counts.machine_threads = static_cast<unsigned>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
    const std::vector<unsigned> allowed = allowed_threads();
    counts.allowed_threads =
        allowed.empty() ? counts.machine_threads : static_cast<unsigned>(allowed.size());
    const unsigned cores = count_cores(allowed);
    counts.allowed_cores = cores > 0 ? cores : counts.allowed_threads;
    counts.quota = cgroup_limits().cpus;
    return counts;
}

std::string system_cpu_model() {
    const std::string cpuinfo = read_system_file("/proc/cpuinfo");
    for (const std::string key : {"model name", "Model", "Hardware", "cpu model", "cpu"}) {
        // "key<blanks>: value", at the start of a line
        std::size_t line = 0;
        while (line < cpuinfo.size()) {
            const std::size_t end = std::min(cpuinfo.find('\n', line), cpuinfo.size());
            const std::string_view text(cpuinfo.data() + line, end - line);
            const std::size_t colon = text.find(':');
            if (text.starts_with(key) && colon != std::string_view::npos &&
                text.find_first_not_of(" \t", key.size()) == colon) {
                const std::size_t value = text.find_first_not_of(" \t", colon + 1);
                return value == std::string_view::npos ? "" : std::string(text.substr(value));
            }
            line = end + 1;
        }
    }
    return {};
}

std::vector<std::string> system_cpu_features() {
    std::vector<std::string> features;
#ifdef __aarch64__
    // The bits of the kernel's interface (arch/arm64/include/uapi/asm/hwcap.h): older C libraries
    // lack names for the later ones.
    struct Feature {
        const char *name;
        unsigned long word;
        unsigned bit;
    };
    constexpr std::array<Feature, 14> known = {{
        {"fp", AT_HWCAP, 0},
        {"asimd", AT_HWCAP, 1},
        {"aes", AT_HWCAP, 3},
        {"sha2", AT_HWCAP, 6},
        {"crc32", AT_HWCAP, 7},
        {"atomics", AT_HWCAP, 8},
        {"fphp", AT_HWCAP, 9},
        {"asimdhp", AT_HWCAP, 10},
        {"asimddp", AT_HWCAP, 20},
        {"sve", AT_HWCAP, 22},
        {"sve2", AT_HWCAP2, 1},
        {"i8mm", AT_HWCAP2, 13},
        {"bf16", AT_HWCAP2, 14},
        {"sme", AT_HWCAP2, 23},
    }};
    for (const Feature &feature : known) {
        if ((::getauxval(feature.word) >> feature.bit & 1u) != 0)
            features.emplace_back(feature.name);
    }
#endif
    return features;
}

} // namespace mullama::platform

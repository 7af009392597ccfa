#include "platform/cpu.hpp"

#include "platform/cpu_x86.hpp"

#include <algorithm>

namespace mullama::platform {
namespace {

constexpr const char *architecture =
#if defined(__x86_64__) || defined(_M_X64)
    "x86_64";
#elif defined(__i386__) || defined(_M_IX86)
    "i386";
#elif defined(__aarch64__) || defined(_M_ARM64)
    "aarch64";
#elif defined(__arm__) || defined(_M_ARM)
    "arm";
#elif defined(__riscv) && __riscv_xlen == 64
    "riscv64";
#elif defined(__powerpc64__)
    "ppc64";
#elif defined(__s390x__)
    "s390x";
#elif defined(__loongarch64)
    "loongarch64";
#else
    "unknown";
#endif

} // namespace

bool CpuInfo::has(std::string_view feature) const noexcept {
    return std::find(features.begin(), features.end(), feature) != features.end();
}

unsigned threads_within(unsigned threads, std::optional<double> quota) noexcept {
    if (quota && *quota < static_cast<double>(threads))
        threads = static_cast<unsigned>(std::max(*quota, 0.0));
    return std::max(threads, 1u);
}

CpuInfo cpu_info() {
    CpuInfo info;
    info.architecture = architecture;
    if (const std::optional<X86Info> x86 = x86_info()) {
        info.model = x86->model;
        info.features = x86->features;
        info.x86_64_level = x86->level;
    } else {
        info.model = system_cpu_model();
        info.features = system_cpu_features();
    }
    const CoreCounts cores = core_counts();
    info.machine_threads = cores.machine_threads;
    info.allowed_threads = cores.allowed_threads;
    info.allowed_cores = cores.allowed_cores;
    info.quota = cores.quota;
    info.usable_threads = threads_within(cores.allowed_threads, cores.quota);
    return info;
}

} // namespace mullama::platform

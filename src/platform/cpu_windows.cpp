#include "platform/cpu.hpp"

#include "platform/system_windows.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace mullama::platform {
namespace {

unsigned count(KAFFINITY mask) {
    return static_cast<unsigned>(std::popcount(mask));
}

// How many physical cores have a thread in `mask`, in the process's own processor group.
unsigned count_cores(KAFFINITY mask) {
    DWORD size = 0;
    ::GetLogicalProcessorInformation(nullptr, &size);
    std::vector<SYSTEM_LOGICAL_PROCESSOR_INFORMATION> parts(
        size / sizeof(SYSTEM_LOGICAL_PROCESSOR_INFORMATION));
    if (parts.empty() || ::GetLogicalProcessorInformation(parts.data(), &size) == 0)
        return 0;
    unsigned cores = 0;
    for (const SYSTEM_LOGICAL_PROCESSOR_INFORMATION &part : parts) {
        if (part.Relationship == RelationProcessorCore && (part.ProcessorMask & mask) != 0)
            ++cores;
    }
    return cores;
}

} // namespace

CoreCounts core_counts() {
    CoreCounts counts;
    counts.machine_threads =
        std::max<unsigned>(::GetActiveProcessorCount(ALL_PROCESSOR_GROUPS), 1u);
    DWORD_PTR process = 0;
    DWORD_PTR system = 0;
    if (::GetProcessAffinityMask(::GetCurrentProcess(), &process, &system) == 0 || process == 0) {
        counts.allowed_threads = counts.allowed_cores = counts.machine_threads;
        return counts;
    }
    counts.allowed_threads = count(process);
    const unsigned cores = count_cores(process);
    counts.allowed_cores = cores > 0 ? cores : counts.allowed_threads;

    JOBOBJECT_CPU_RATE_CONTROL_INFORMATION rate{};
    constexpr DWORD hard_cap =
        JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
    if (::QueryInformationJobObject(nullptr, JobObjectCpuRateControlInformation, &rate, sizeof rate,
                                    nullptr) != 0 &&
        (rate.ControlFlags & hard_cap) == hard_cap) {
        // In hundredths of a percent of the whole machine.
        counts.quota = rate.CpuRate / 10000.0 * counts.machine_threads;
    }
    return counts;
}

std::string system_cpu_model() {
    wchar_t text[256];
    DWORD size = sizeof text;
    if (::RegGetValueW(HKEY_LOCAL_MACHINE, L"HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0",
                       L"ProcessorNameString", RRF_RT_REG_SZ, nullptr, text, &size) != 0) {
        return {};
    }
    return to_utf8(text);
}

std::vector<std::string> system_cpu_features() {
    std::vector<std::string> features;
#if defined(__aarch64__) || defined(_M_ARM64)
    struct Feature {
        const char *name;
        DWORD number; // PF_ARM_..._AVAILABLE; older headers lack the later ones
    };
    constexpr Feature known[] = {
        {"asimd", 19}, {"aes", 30}, {"crc32", 31}, {"atomics", 34}, {"asimddp", 43}};
    for (const Feature &feature : known) {
        if (::IsProcessorFeaturePresent(feature.number) != 0)
            features.emplace_back(feature.name);
    }
#endif
    return features;
}

} // namespace mullama::platform

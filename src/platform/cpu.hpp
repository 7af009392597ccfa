// What the processor is, how much of it this process may use, and what it can compute with.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::platform {

struct CpuInfo {
    std::string architecture; // "x86_64", "aarch64", ...
    std::string model;        // as its maker calls it; "" when the system doesn't tell

    // Instruction-set extensions that processor and system both support, by the names that Linux
    // has for them ("sse3" excepted, which Linux calls pni), such as "avx2" or "asimddp".
    std::vector<std::string> features;
    int x86_64_level = 0; // 1 to 4, as the x86-64 psABI numbers them; 0 on other architectures

    unsigned machine_threads = 1; // hardware threads of the machine
    unsigned allowed_threads = 1; // those that the calling thread may run on
    unsigned allowed_cores = 1;   // the physical cores that these belong to
    std::optional<double> quota;  // processors' worth of time that a container has
    unsigned usable_threads = 1;  // threads that can run all the time: allowed and in quota

    [[nodiscard]] bool has(std::string_view feature) const noexcept;
};

[[nodiscard]] CpuInfo cpu_info();

// How many threads can run all the time under a quota: at least one, and none that the quota would
// stop and start, since the others would wait for it at each barrier.
[[nodiscard]] unsigned threads_within(unsigned threads, std::optional<double> quota) noexcept;

// Below: what differs between systems.

struct CoreCounts {
    unsigned machine_threads = 1;
    unsigned allowed_threads = 1;
    unsigned allowed_cores = 1;
    std::optional<double> quota;
};

[[nodiscard]] CoreCounts core_counts();

// Model and features as the system tells them: where the processor itself can't be asked.
[[nodiscard]] std::string system_cpu_model();
[[nodiscard]] std::vector<std::string> system_cpu_features();

} // namespace mullama::platform

// x86 processors, which tell what they are by themselves, under every system.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mullama::platform {

struct X86Info {
    std::string model;
    std::vector<std::string> features;
    int level = 0; // of x86-64; see CpuInfo
};

// This machine's processor; nothing on other architectures.
[[nodiscard]] std::optional<X86Info> x86_info();

// The registers that the instruction CPUID answers with.
struct CpuidAnswer {
    std::uint32_t eax = 0;
    std::uint32_t ebx = 0;
    std::uint32_t ecx = 0;
    std::uint32_t edx = 0;
};

using Cpuid = std::function<CpuidAnswer(std::uint32_t leaf, std::uint32_t subleaf)>;
using Xgetbv = std::function<std::uint64_t()>;

// What a processor's answers mean. `xgetbv` reads XCR0, the registers that the system saves; it is
// asked only when the processor says that it can be.
[[nodiscard]] X86Info decode_x86(const Cpuid &cpuid, const Xgetbv &xgetbv);

} // namespace mullama::platform

#include "platform/cpu.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <sys/sysctl.h>

namespace mullama::platform {
namespace {

unsigned sysctl_number(const char *name) {
    std::int32_t value = 0;
    std::size_t size = sizeof value;
    if (::sysctlbyname(name, &value, &size, nullptr, 0) != 0 || value < 0)
        return 0;
    return static_cast<unsigned>(value);
}

} // namespace

CoreCounts core_counts() {
    const unsigned threads = std::max(sysctl_number("hw.logicalcpu"), 1u);
    return {threads, threads, std::max(sysctl_number("hw.physicalcpu"), 1u), std::nullopt};
}

std::string system_cpu_model() {
    std::array<char, 256> text{};
    std::size_t size = text.size() - 1;
    ::sysctlbyname("machdep.cpu.brand_string", text.data(), &size, nullptr, 0);
    return text.data();
}

std::vector<std::string> system_cpu_features() {
    struct Feature {
        const char *name;
        const char *key;
    };
    constexpr std::array<Feature, 8> known = {{
        {"asimd", "hw.optional.AdvSIMD"},
        {"aes", "hw.optional.arm.FEAT_AES"},
        {"atomics", "hw.optional.arm.FEAT_LSE"},
        {"asimdhp", "hw.optional.arm.FEAT_FP16"},
        {"asimddp", "hw.optional.arm.FEAT_DotProd"},
        {"i8mm", "hw.optional.arm.FEAT_I8MM"},
        {"bf16", "hw.optional.arm.FEAT_BF16"},
        {"sme", "hw.optional.arm.FEAT_SME"},
    }};
    std::vector<std::string> features;
    for (const Feature &feature : known) {
        if (sysctl_number(feature.key) != 0)
            features.emplace_back(feature.name);
    }
    return features;
}

} // namespace mullama::platform

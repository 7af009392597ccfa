#include "platform/cpu_x86.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#define MULLAMA_CPU_IS_X86
#endif

namespace mullama::platform {
namespace {

// Registers that the system must save on a switch of threads before an extension can be used.
enum class Needs : std::uint64_t {
    nothing = 0,
    avx = 0x6,     // XMM, YMM
    avx512 = 0xE6, // and masks, upper halves of ZMM, ZMM 16 to 31
    amx = 0x60006, // XMM, YMM, tile configuration and data
};

struct Feature {
    std::string_view name;
    std::uint32_t leaf;
    std::uint32_t subleaf;
    std::uint32_t CpuidAnswer::*where;
    unsigned bit;
    Needs needs;
};

constexpr auto eax = &CpuidAnswer::eax;
constexpr auto ebx = &CpuidAnswer::ebx;
constexpr auto ecx = &CpuidAnswer::ecx;
constexpr auto edx = &CpuidAnswer::edx;

constexpr std::uint32_t extended = 0x80000001;

constexpr std::array features = {
    Feature{"sse", 1, 0, edx, 25, Needs::nothing},
    Feature{"sse2", 1, 0, edx, 26, Needs::nothing},
    Feature{"sse3", 1, 0, ecx, 0, Needs::nothing},
    Feature{"pclmulqdq", 1, 0, ecx, 1, Needs::nothing},
    Feature{"ssse3", 1, 0, ecx, 9, Needs::nothing},
    Feature{"cx16", 1, 0, ecx, 13, Needs::nothing},
    Feature{"sse4_1", 1, 0, ecx, 19, Needs::nothing},
    Feature{"sse4_2", 1, 0, ecx, 20, Needs::nothing},
    Feature{"movbe", 1, 0, ecx, 22, Needs::nothing},
    Feature{"popcnt", 1, 0, ecx, 23, Needs::nothing},
    Feature{"aes", 1, 0, ecx, 25, Needs::nothing},
    Feature{"lahf_lm", extended, 0, ecx, 0, Needs::nothing},
    Feature{"abm", extended, 0, ecx, 5, Needs::nothing},
    Feature{"bmi1", 7, 0, ebx, 3, Needs::nothing},
    Feature{"bmi2", 7, 0, ebx, 8, Needs::nothing},
    Feature{"gfni", 7, 0, ecx, 8, Needs::nothing},
    Feature{"avx", 1, 0, ecx, 28, Needs::avx},
    Feature{"f16c", 1, 0, ecx, 29, Needs::avx},
    Feature{"fma", 1, 0, ecx, 12, Needs::avx},
    Feature{"avx2", 7, 0, ebx, 5, Needs::avx},
    Feature{"vaes", 7, 0, ecx, 9, Needs::avx},
    Feature{"vpclmulqdq", 7, 0, ecx, 10, Needs::avx},
    Feature{"avx_vnni", 7, 1, eax, 4, Needs::avx},
    Feature{"avx_vnni_int8", 7, 1, edx, 4, Needs::avx},
    Feature{"avx512f", 7, 0, ebx, 16, Needs::avx512},
    Feature{"avx512cd", 7, 0, ebx, 28, Needs::avx512},
    Feature{"avx512bw", 7, 0, ebx, 30, Needs::avx512},
    Feature{"avx512dq", 7, 0, ebx, 17, Needs::avx512},
    Feature{"avx512vl", 7, 0, ebx, 31, Needs::avx512},
    Feature{"avx512ifma", 7, 0, ebx, 21, Needs::avx512},
    Feature{"avx512vbmi", 7, 0, ecx, 1, Needs::avx512},
    Feature{"avx512_vbmi2", 7, 0, ecx, 6, Needs::avx512},
    Feature{"avx512_vnni", 7, 0, ecx, 11, Needs::avx512},
    Feature{"avx512_bitalg", 7, 0, ecx, 12, Needs::avx512},
    Feature{"avx512_vpopcntdq", 7, 0, ecx, 14, Needs::avx512},
    Feature{"avx512_bf16", 7, 1, eax, 5, Needs::avx512},
    Feature{"avx512_fp16", 7, 0, edx, 23, Needs::avx512},
    Feature{"amx_tile", 7, 0, edx, 24, Needs::amx},
    Feature{"amx_int8", 7, 0, edx, 25, Needs::amx},
    Feature{"amx_bf16", 7, 0, edx, 22, Needs::amx},
    Feature{"amx_fp16", 7, 1, eax, 21, Needs::amx},
};

// Asks only for leaves that the processor has: to others, old ones answer with something else.
class Answers {
public:
    explicit Answers(const Cpuid &cpuid)
        : cpuid_(cpuid), last_(cpuid(0, 0).eax), last_extended_(cpuid(0x80000000, 0).eax) {}

    [[nodiscard]] CpuidAnswer operator()(std::uint32_t leaf, std::uint32_t subleaf = 0) const {
        const bool known = leaf < 0x80000000
                               ? leaf <= last_
                               : last_extended_ >= 0x80000000 && leaf <= last_extended_;
        if (!known || (leaf == 7 && subleaf > 0 && subleaf > cpuid_(7, 0).eax))
            return {};
        return cpuid_(leaf, subleaf);
    }

private:
    const Cpuid &cpuid_;
    std::uint32_t last_;
    std::uint32_t last_extended_;
};

std::string brand(const Answers &cpuid) {
    std::string text;
    for (std::uint32_t leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
        const CpuidAnswer answer = cpuid(leaf);
        for (const std::uint32_t part : {answer.eax, answer.ebx, answer.ecx, answer.edx}) {
            for (unsigned shift = 0; shift < 32; shift += 8) {
                const char c = static_cast<char>(part >> shift & 0x7F);
                // Padded with NULs at the end, and by some makers with blanks anywhere.
                if (c > ' ' || (c == ' ' && !text.empty() && text.back() != ' '))
                    text += c;
            }
        }
    }
    if (text.ends_with(' '))
        text.pop_back();
    return text;
}

int level(const std::vector<std::string> &have) {
    const auto all = [&](std::initializer_list<std::string_view> names) {
        return std::all_of(names.begin(), names.end(), [&](std::string_view name) {
            return std::find(have.begin(), have.end(), name) != have.end();
        });
    };
    if (!all({"cx16", "lahf_lm", "popcnt", "sse3", "sse4_1", "sse4_2", "ssse3"}))
        return 1;
    if (!all({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"}))
        return 2;
    if (!all({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}))
        return 3;
    return 4;
}

} // namespace

X86Info decode_x86(const Cpuid &cpuid, const Xgetbv &xgetbv) {
    const Answers answers(cpuid);
    constexpr std::uint32_t osxsave = 1u << 27;
    const std::uint64_t saved = (answers(1).ecx & osxsave) != 0 ? xgetbv() : 0;

    X86Info info;
    info.model = brand(answers);
    for (const Feature &feature : features) {
        const std::uint32_t bits = answers(feature.leaf, feature.subleaf).*feature.where;
        const auto needs = static_cast<std::uint64_t>(feature.needs);
        if ((bits >> feature.bit & 1u) != 0 && (saved & needs) == needs)
            info.features.emplace_back(feature.name);
    }
    constexpr std::uint32_t long_mode = 1u << 29;
    if ((answers(extended).edx & long_mode) != 0)
        info.level = level(info.features);
    return info;
}

#ifdef MULLAMA_CPU_IS_X86

std::optional<X86Info> x86_info() {
    const auto cpuid = [](std::uint32_t leaf, std::uint32_t subleaf) {
        CpuidAnswer answer;
        __cpuid_count(leaf, subleaf, answer.eax, answer.ebx, answer.ecx, answer.edx);
        return answer;
    };
    const auto xgetbv = []() -> std::uint64_t {
        std::uint32_t low = 0;
        std::uint32_t high = 0;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        return std::uint64_t{high} << 32 | low;
    };
    return decode_x86(cpuid, xgetbv);
}

#else

std::optional<X86Info> x86_info() {
    return std::nullopt;
}

#endif

} // namespace mullama::platform

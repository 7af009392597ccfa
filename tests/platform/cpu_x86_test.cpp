#include "platform/cpu_x86.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace mullama::platform {
namespace {

constexpr std::uint32_t bit(unsigned number) {
    return 1u << number;
}

// A processor with all that x86-64-v4 asks for.
class Processor {
public:
    Processor() {
        answers[{0, 0}].eax = 7;
        answers[{1, 0}].edx = bit(25) | bit(26);
        answers[{1, 0}].ecx = bit(0) | bit(9) | bit(12) | bit(13) | bit(19) | bit(20) | bit(22) |
                              bit(23) | bit(27) | bit(28) | bit(29);
        answers[{7, 0}].eax = 1;
        answers[{7, 0}].ebx =
            bit(3) | bit(5) | bit(8) | bit(16) | bit(17) | bit(28) | bit(30) | bit(31);
        answers[{7, 0}].edx = bit(24) | bit(25);
        answers[{7, 1}].eax = bit(4);
        answers[{0x80000000, 0}].eax = 0x80000004;
        answers[{0x80000001, 0}].ecx = bit(0) | bit(5);
        answers[{0x80000001, 0}].edx = bit(29);
        set_brand("  Example(R)  CPU   @ 3GHz  ");
    }

    void set_brand(std::string_view name) {
        char text[48] = {};
        name.copy(text, sizeof text);
        for (std::uint32_t leaf = 0; leaf < 3; ++leaf)
            std::memcpy(&answers[{0x80000002 + leaf, 0}], text + leaf * 16, 16);
    }

    [[nodiscard]] X86Info decode(std::uint64_t saved) {
        return decode_x86(
            [this](std::uint32_t leaf, std::uint32_t subleaf) {
                const auto found = answers.find({leaf, subleaf});
                // What lies outside the table answers with nonsense, as old processors do.
                constexpr std::uint32_t all = 0xFFFFFFFF;
                return found == answers.end() ? CpuidAnswer{all, all, all, all} : found->second;
            },
            [saved] { return saved; });
    }

    std::map<std::pair<std::uint32_t, std::uint32_t>, CpuidAnswer> answers;
};

constexpr std::uint64_t saves_sse = 0x3;
constexpr std::uint64_t saves_avx = 0x7;
constexpr std::uint64_t saves_avx512 = 0xE7;
constexpr std::uint64_t saves_amx = 0x600E7;

bool has(const X86Info &info, std::string_view name) {
    return std::find(info.features.begin(), info.features.end(), name) != info.features.end();
}

TEST(CpuX86, ReadsTheName) {
    EXPECT_EQ(Processor().decode(saves_avx).model, "Example(R) CPU @ 3GHz");
}

TEST(CpuX86, LevelsFollowWhatTheSystemSaves) {
    EXPECT_EQ(Processor().decode(saves_amx).level, 4);
    EXPECT_EQ(Processor().decode(saves_avx512).level, 4);
    EXPECT_EQ(Processor().decode(saves_avx).level, 3);
    EXPECT_EQ(Processor().decode(saves_sse).level, 2);
}

TEST(CpuX86, FeaturesFollowWhatTheSystemSaves) {
    const X86Info amx = Processor().decode(saves_amx);
    EXPECT_TRUE(has(amx, "amx_int8"));
    const X86Info avx512 = Processor().decode(saves_avx512);
    EXPECT_TRUE(has(avx512, "avx512bw"));
    EXPECT_FALSE(has(avx512, "amx_int8"));
    const X86Info avx = Processor().decode(saves_avx);
    EXPECT_TRUE(has(avx, "avx2"));
    EXPECT_TRUE(has(avx, "avx_vnni"));
    EXPECT_TRUE(has(avx, "bmi2"));
    EXPECT_FALSE(has(avx, "avx512f"));
    const X86Info sse = Processor().decode(saves_sse);
    EXPECT_TRUE(has(sse, "sse4_2"));
    EXPECT_FALSE(has(sse, "avx"));
    EXPECT_FALSE(has(sse, "fma"));
}

TEST(CpuX86, WithoutOsxsaveTheSystemIsNotAsked) {
    Processor processor;
    processor.answers[{1, 0}].ecx &= ~bit(27);
    const X86Info info = processor.decode(saves_amx);
    EXPECT_FALSE(has(info, "avx"));
    EXPECT_EQ(info.level, 2);
}

TEST(CpuX86, AsksForNoLeafThatIsNotThere) {
    Processor processor;
    processor.answers[{0, 0}].eax = 1;
    processor.answers[{0x80000000, 0}].eax = 0; // and no extended ones
    const X86Info info = processor.decode(saves_amx);
    EXPECT_TRUE(has(info, "sse4_2"));
    EXPECT_FALSE(has(info, "avx2"));
    EXPECT_FALSE(has(info, "abm"));
    EXPECT_EQ(info.model, "");
    EXPECT_EQ(info.level, 0) << "not known to be x86-64";

    Processor no_subleaf;
    no_subleaf.answers[{7, 0}].eax = 0;
    no_subleaf.answers.erase({7, 1});
    EXPECT_FALSE(has(no_subleaf.decode(saves_amx), "avx_vnni"));
}

} // namespace
} // namespace mullama::platform

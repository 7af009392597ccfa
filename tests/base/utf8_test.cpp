#include "base/utf8.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::base {
namespace {

using namespace std::string_literals;

constexpr std::size_t npos = std::string_view::npos;

// An encoder that shares nothing with the code under test.
std::string encode(std::uint32_t code_point) {
    const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
    if (code_point < 0x80)
        return {byte(code_point)};
    if (code_point < 0x800)
        return {byte(0xC0 | code_point >> 6), byte(0x80 | (code_point & 63))};
    if (code_point < 0x10000) {
        return {byte(0xE0 | code_point >> 12), byte(0x80 | (code_point >> 6 & 63)),
                byte(0x80 | (code_point & 63))};
    }
    return {byte(0xF0 | code_point >> 18), byte(0x80 | (code_point >> 12 & 63)),
            byte(0x80 | (code_point >> 6 & 63)), byte(0x80 | (code_point & 63))};
}

// A decoder that shares nothing with the code under test: by value, not by table. One U+FFFD for
// each maximal subpart.
std::string replace_by_value(std::string_view bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size();) {
        // The longest prefix of any scalar value's encoding that stands here.
        std::size_t best = 0;
        bool whole = false;
        const auto lead = static_cast<unsigned char>(bytes[i]);
        const std::size_t size = lead < 0x80             ? 1
                                 : (lead & 0xE0) == 0xC0 ? 2
                                 : (lead & 0xF0) == 0xE0 ? 3
                                 : (lead & 0xF8) == 0xF0 ? 4
                                                         : 0;
        if (size > 0) {
            std::uint32_t low = size == 1 ? lead : lead & (0xFFu >> (size + 1));
            std::uint32_t high = low;
            std::size_t have = 1;
            for (; have <= size; ++have) {
                // All values that start with these `have` bytes.
                const unsigned missing = static_cast<unsigned>(size - have) * 6;
                const std::uint32_t from = low << missing;
                const std::uint32_t to = (high << missing) | ((1u << missing) - 1);
                const std::uint32_t smallest = size == 1   ? 0u
                                               : size == 2 ? 0x80u
                                               : size == 3 ? 0x800u
                                                           : 0x10000u;
                bool possible = false;
                for (const auto &[a, b] : {std::pair{0u, 0xD7FFu}, std::pair{0xE000u, 0x10FFFFu}}) {
                    const std::uint32_t start = std::max({from, smallest, a});
                    if (start <= std::min(to, b))
                        possible = true;
                }
                if (!possible)
                    break;
                best = have;
                whole = have == size;
                if (have == size || i + have >= bytes.size())
                    break;
                const auto next = static_cast<unsigned char>(bytes[i + have]);
                if ((next & 0xC0) != 0x80)
                    break;
                low = high = low << 6 | (next & 63u);
            }
        }
        if (whole) {
            text += bytes.substr(i, best);
        } else {
            text += replacement_character;
        }
        i += std::max<std::size_t>(best, 1);
    }
    return text;
}

TEST(Utf8, EveryScalarValueIsValidAndNoSurrogateIs) {
    for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
        const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        ASSERT_EQ(find_invalid_utf8(encode(c)), surrogate ? 0 : npos) << "U+" << std::hex << c;
    }
    for (const std::uint32_t c : {0x110000u, 0x13FFFFu, 0x1FFFFFu}) {
        EXPECT_EQ(find_invalid_utf8(encode(c)), 0u);
    }
}

TEST(Utf8, FindsTheStartOfTheFirstBadSequence) {
    EXPECT_EQ(find_invalid_utf8(""), npos);
    EXPECT_EQ(find_invalid_utf8("a\0b"s), npos);
    EXPECT_EQ(find_invalid_utf8("\x80"), 0u);
    EXPECT_EQ(find_invalid_utf8("\xC0\x80"), 0u);         // overlong NUL
    EXPECT_EQ(find_invalid_utf8("\xC1\xBF"), 0u);         // overlong
    EXPECT_EQ(find_invalid_utf8("\xE0\x9F\xBF"), 0u);     // overlong
    EXPECT_EQ(find_invalid_utf8("\xF0\x8F\xBF\xBF"), 0u); // overlong
    EXPECT_EQ(find_invalid_utf8("\xED\xA0\x80"), 0u);     // surrogate
    EXPECT_EQ(find_invalid_utf8("\xF4\x90\x80\x80"), 0u); // U+110000
    EXPECT_EQ(find_invalid_utf8("\xF5"), 0u);
    EXPECT_EQ(find_invalid_utf8("\xFF"), 0u);
    EXPECT_EQ(find_invalid_utf8("ab\xE2\x82"), 2u);  // unfinished
    EXPECT_EQ(find_invalid_utf8("ab\xE2\x82z"), 2u); // broken off
    EXPECT_EQ(find_invalid_utf8("\xC3\xA4\xC3"), 2u);
}

TEST(Utf8, FindsABadByteAtEveryOffsetOfAnAsciiRun) {
    for (std::size_t size = 0; size < 40; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            std::string text(size, 'x');
            text[at] = '\xFF';
            ASSERT_EQ(find_invalid_utf8(text), at);
        }
    }
}

TEST(Utf8, RequireNamesParameterOffsetAndByte) {
    EXPECT_NO_THROW(require_utf8("gr\xC3\xBC\xC3\x9F", "prompt"));
    try {
        require_utf8("ab\xFF", "prompt");
        FAIL() << "not refused";
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_INVALID_UTF8);
        EXPECT_EQ(error.parts().parameter, "prompt");
        EXPECT_EQ(error.parts().offset, 2);
        EXPECT_EQ(error.parts().actual, "byte 0xFF");
        EXPECT_NE(error.message().find("prompt"), std::string::npos);
    }
    try {
        require_utf8("ab\xE2\x82", "prompt");
        FAIL() << "not refused";
    } catch (const Error &error) {
        EXPECT_NE(error.message().find("ends inside"), std::string::npos) << error.message();
    }
}

TEST(Utf8, CompletePrefixLeavesOutOnlyWhatMayStillBecomeACharacter) {
    EXPECT_EQ(complete_utf8_prefix(""), 0u);
    EXPECT_EQ(complete_utf8_prefix("abc"), 3u);
    EXPECT_EQ(complete_utf8_prefix("a\xC3"), 1u);
    EXPECT_EQ(complete_utf8_prefix("a\xC3\xA4"), 3u);
    EXPECT_EQ(complete_utf8_prefix("a\xE2\x82"), 1u);
    EXPECT_EQ(complete_utf8_prefix("a\xF0\x9F\x98"), 1u);
    EXPECT_EQ(complete_utf8_prefix("a\xF0\x9F\x98\x80"), 5u);
    EXPECT_EQ(complete_utf8_prefix("a\xE0\x80"), 3u); // already ill-formed
    EXPECT_EQ(complete_utf8_prefix("a\xF4\x90"), 3u); // already ill-formed
    EXPECT_EQ(complete_utf8_prefix("a\xC0"), 2u);     // never valid
    EXPECT_EQ(complete_utf8_prefix("\x80\x80\x80"), 3u);
    EXPECT_EQ(complete_utf8_prefix("\xF0\x9F\x98\x80\x80\x80"), 6u);
}

TEST(Utf8, ReplacesMaximalSubparts) {
    const std::string r(replacement_character);
    EXPECT_EQ(replace_invalid_utf8("abc"), "abc");
    // The examples of the Unicode Standard, tables 3-8 to 3-11.
    EXPECT_EQ(replace_invalid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
                                   "A"),
              r + r + r + r + r + r + r + r + "A");
    EXPECT_EQ(replace_invalid_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF"
                                   "A"),
              r + r + r + r + r + r + r + r + "A");
    EXPECT_EQ(replace_invalid_utf8("\xF4\x91\x92\x93\xFF"
                                   "A\x80\xBF"
                                   "B"),
              r + r + r + r + r + "A" + r + r + "B");
    EXPECT_EQ(replace_invalid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
                                   "A"),
              r + r + r + r + "A");
}

TEST(Utf8, EveryTwoByteStringAgreesWithAnIndependentDecoder) {
    for (unsigned a = 0; a < 256; ++a) {
        for (unsigned b = 0; b < 256; ++b) {
            const std::string bytes = {static_cast<char>(a), static_cast<char>(b)};
            const std::string expected = replace_by_value(bytes);
            ASSERT_EQ(replace_invalid_utf8(bytes), expected) << a << ' ' << b;
            ASSERT_EQ(find_invalid_utf8(bytes) == npos, bytes == expected) << a << ' ' << b;
        }
    }
}

// Bytes that are often, but not always, the start or the middle of a character.
std::string random_bytes(std::mt19937 &random) {
    static const std::vector<std::string> parts = {"a",
                                                   "xyzxyzxyz",
                                                   "\xC3\xA4",
                                                   "\xE2\x82\xAC",
                                                   "\xF0\x9F\x98\x80",
                                                   "\xEF\xBF\xBD",
                                                   "\x80",
                                                   "\xBF",
                                                   "\xA0",
                                                   "\xC3",
                                                   "\xE0",
                                                   "\xE2",
                                                   "\xED",
                                                   "\xF0",
                                                   "\xF4",
                                                   "\xF5",
                                                   "\x9F",
                                                   "\x90",
                                                   "\xC0",
                                                   "\xFF"};
    std::string bytes;
    for (std::size_t n = random() % 24; n > 0; --n)
        bytes += parts[random() % parts.size()];
    return bytes;
}

TEST(Utf8, RandomBytesAgreeWithAnIndependentDecoderHoweverTheyAreCut) {
    std::mt19937 random(20240229);
    for (int round = 0; round < 20000; ++round) {
        const std::string bytes = random_bytes(random);
        const std::string expected = replace_by_value(bytes);
        ASSERT_EQ(replace_invalid_utf8(bytes), expected);

        Utf8Stream stream;
        std::string text;
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t size = std::min<std::size_t>(random() % 5, bytes.size() - at);
            stream.push(std::string_view(bytes).substr(at, size), text);
            at += size;
            ASSERT_EQ(find_invalid_utf8(text), npos);
            // What is held back is what complete_utf8_prefix() leaves out.
            const std::string_view so_far = std::string_view(bytes).substr(0, at);
            ASSERT_EQ(stream.held(), so_far.substr(complete_utf8_prefix(so_far)));
        }
        stream.finish(text);
        ASSERT_EQ(text, expected);
    }
}

TEST(Utf8Stream, HoldsBackUntilTheCharacterIsWhole) {
    Utf8Stream stream;
    std::string text;
    stream.push("a\xF0", text);
    EXPECT_EQ(text, "a");
    stream.push("\x9F", text);
    stream.push("\x98", text);
    EXPECT_EQ(text, "a");
    EXPECT_EQ(stream.held(), "\xF0\x9F\x98");
    stream.push("\x80", text);
    EXPECT_EQ(text, "a\xF0\x9F\x98\x80");
    EXPECT_EQ(stream.held(), "");
}

TEST(Utf8Stream, ReplacesAtOnceWhatCannotBecomeACharacter) {
    const std::string r(replacement_character);
    Utf8Stream stream;
    std::string text;
    stream.push("\xFF", text);
    EXPECT_EQ(text, r);
    stream.push("\xE2\x82", text);
    EXPECT_EQ(text, r);
    stream.push("\xE2", text); // ends the first, starts the next
    EXPECT_EQ(text, r + r);
    EXPECT_EQ(stream.held(), "\xE2");
    stream.push("z", text);
    EXPECT_EQ(text, r + r + r + "z");
}

TEST(Utf8Stream, FinishAndClear) {
    const std::string r(replacement_character);
    Utf8Stream stream;
    std::string text;
    stream.push("\xF0\x9F\x98", text);
    stream.finish(text);
    EXPECT_EQ(text, r);
    stream.finish(text);
    EXPECT_EQ(text, r);
    stream.push("\xF0\x9F", text);
    stream.clear();
    stream.push("\x98", text); // no longer continues anything
    EXPECT_EQ(text, r + r);
}

void expect_position(std::string_view text, std::size_t offset, std::int64_t line,
                     std::int64_t column) {
    const TextPosition position = text_position(text, offset);
    EXPECT_EQ(position.line, line) << offset;
    EXPECT_EQ(position.column, column) << offset;
}

TEST(TextPosition, CountsLinesAndCharacters) {
    expect_position("", 0, 1, 1);
    expect_position("", 9, 1, 1);
    const std::string text = "ab\nc\xC3\xA4\xE2\x82\xAC\r\n\nz";
    //                        0123  4       6            9 10 11 12
    expect_position(text, 0, 1, 1);
    expect_position(text, 2, 1, 3); // the newline belongs to its own line
    expect_position(text, 3, 2, 1);
    expect_position(text, 4, 2, 2);
    expect_position(text, 5, 2, 2); // inside the character at 4
    expect_position(text, 6, 2, 3);
    expect_position(text, 8, 2, 3);
    expect_position(text, 9, 2, 4);
    expect_position(text, 11, 3, 1);
    expect_position(text, 12, 4, 1);
    expect_position(text, 13, 4, 2);
    expect_position(text, 99, 4, 2);
}

} // namespace
} // namespace mullama::base

#include "core/space_cleaner.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace {

using mullama::core::SpaceCleaner;

// In pieces of `size` bytes.
std::string clean(std::string_view text, std::size_t size) {
    SpaceCleaner cleaner;
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += size)
        cleaner.push(text.substr(at, size), out);
    cleaner.finish(out);
    return out;
}

// Worked out by hand from what llama.cpp says it does; tests/capi/vocab_test.cpp has its own word.
TEST(SpaceCleaner, CleansAsWordPieceDoes) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", ""},
        {" ", " "},
        {"hello , world !", "hello, world!"},
        {"what ? . ,", "what?.,"},
        {" .", "."},
        {"  .", " ."},
        {"a ; b : c", "a ; b : c"},
        // An apostrophe alone loses both spaces; the second one is nobody's first.
        {"rock ' n", "rock'n"},
        {"a ' ' b", "a'' b"},
        {"a '", "a '"},
        {"' a", "' a"},
        // 's, 'm, 're and 've are drawn near; 't, 'd and 'll are not.
        {"it 's i 'm we 're they 've", "it's i'm we're they've"},
        {"don 't he 'd you 'll", "don 't he 'd you 'll"},
        {"a 'rx b 'v", "a 'rx b 'v"},
        {"a 'r e", "a 'r e"},
        {"it 's.", "it's."},
        {"\xC3\xA9 , \xE2\x82\xAC !", "\xC3\xA9, \xE2\x82\xAC!"},
    };
    for (const auto &[text, expected] : cases) {
        for (const std::size_t size : {1U, 2U, 3U, 100U})
            EXPECT_EQ(clean(text, size), expected) << "'" << text << "' by " << size;
    }
}

TEST(SpaceCleaner, HoldsBackWhatIsNotDecidedOnly) {
    SpaceCleaner cleaner;
    std::string out;
    cleaner.push("it", out);
    EXPECT_EQ(out, "it");
    cleaner.push(" '", out);
    EXPECT_EQ(out, "it");
    cleaner.push("s", out);
    EXPECT_EQ(out, "it's");
    cleaner.push(" 'r", out);
    EXPECT_EQ(out, "it's");
    cleaner.finish(out);
    EXPECT_EQ(out, "it's 'r");
    // As new.
    cleaner.push("e", out);
    EXPECT_EQ(out, "it's 're");
}

} // namespace

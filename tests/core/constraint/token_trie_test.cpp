// The tree against the list it was made of.
#include "core/constraint/token_trie.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/utf8.hpp"

namespace {

using namespace mullama::core::constraint;

// Whether there is a way to go on after which it is text.
bool can_become_text(const std::string &begun) {
    constexpr const char *rests[] = {"",         "\x80",        "\x80\x80", "\x80\x80\x80",
                                     "\xA0\x80", "\x90\x80\x80"};
    return std::any_of(std::begin(rests), std::end(rests), [&](const char *rest) {
        return mullama::base::find_invalid_utf8(begun + rest) == std::string::npos;
    });
}

// Whether it ends within a character.
bool ends_unfinished(const std::string &text) {
    for (std::size_t size = 1; size <= std::min<std::size_t>(text.size(), 3); ++size) {
        const std::string last = text.substr(text.size() - size);
        if (mullama::base::find_invalid_utf8(last) == 0 && can_become_text(last)) {
            return true;
        }
    }
    return false;
}

unsigned group_at(const std::string &text, std::size_t at) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (byte < 0x80) {
        return ends_unfinished(text.substr(0, at)) ? TokenTrie::ill_formed
                                                   : TokenTrie::group_of(byte);
    }
    return can_become_text(text.substr(0, at + 1)) ? TokenTrie::characters : TokenTrie::ill_formed;
}

// Walks it as the header says, and puts down what is found where.
void expect_holds(const std::vector<std::string> &pieces) {
    const TokenTrie trie(pieces.size(), [&](Token token) -> std::string_view {
        return pieces[static_cast<std::size_t>(token)];
    });
    std::string path;
    std::set<Token> seen;
    std::size_t longest = 0;
    for (std::uint32_t i = 0; i < trie.size(); ++i) {
        const TokenTrie::Node &node = trie.nodes()[i];
        ASSERT_LE(node.depth, path.size());
        path.resize(node.depth);
        path += static_cast<char>(node.byte);
        longest = std::max(longest, path.size());

        ASSERT_GT(node.end, i);
        ASSERT_LE(node.end, trie.size());
        const auto first = trie.tokens().begin();
        std::set<Token> here(first + node.first_token, first + trie.nodes()[i + 1].first_token);
        std::set<Token> below(first + node.first_token, first + trie.nodes()[node.end].first_token);
        std::set<Token> spelled;
        std::set<Token> begun;
        TokenTrie::Groups groups = 0;
        for (std::size_t k = 0; k < pieces.size(); ++k) {
            if (pieces[k] == path) {
                spelled.insert(static_cast<Token>(k));
            }
            if (pieces[k].starts_with(path)) {
                begun.insert(static_cast<Token>(k));
                for (std::size_t at = path.size(); at < pieces[k].size(); ++at) {
                    groups |= TokenTrie::Groups{1} << group_at(pieces[k], at);
                }
            }
        }
        ASSERT_EQ(here, spelled);
        ASSERT_EQ(below, begun);
        ASSERT_EQ(trie.continuations(i), groups);
        seen.insert(here.begin(), here.end());
    }
    std::set<Token> all;
    for (std::size_t k = 0; k < pieces.size(); ++k) {
        if (!pieces[k].empty()) {
            all.insert(static_cast<Token>(k));
        }
    }
    EXPECT_EQ(seen, all);
    EXPECT_EQ(trie.max_depth(), longest);
}

TEST(TokenTrie, HoldsEveryTokenAtItsSpelling) {
    expect_holds({});
    expect_holds({""});
    expect_holds({"a", "ab", "abc", "b", "a", "", "ab"});
    expect_holds({"\xFF", std::string("\0", 1), std::string("\0a", 2), "\x80"});
    std::mt19937 random(3);
    for (int round = 0; round < 20; ++round) {
        std::vector<std::string> pieces(random() % 200);
        for (std::string &piece : pieces) {
            for (auto size = random() % 6; size > 0; --size) {
                piece += "ab\"\xC3\xA4\xE3\xED\xF0"[random() % 8];
            }
        }
        expect_holds(pieces);
    }
}

TEST(TokenTrie, PutsEachAsciiCharacterInOneGroup) {
    std::set<std::uint8_t> seen;
    for (unsigned group = 0; group < TokenTrie::group_count; ++group) {
        for (const std::uint8_t byte : TokenTrie::bytes_of(group)) {
            EXPECT_EQ(TokenTrie::group_of(byte), group);
            EXPECT_TRUE(seen.insert(byte).second);
        }
    }
    EXPECT_EQ(seen.size(), 128U);
}

} // namespace

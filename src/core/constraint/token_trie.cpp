#include "core/constraint/token_trie.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace mullama::core::constraint {

namespace {

struct GroupTable {
    std::array<std::uint8_t, 128> of{};
    std::array<std::vector<std::uint8_t>, TokenTrie::group_count> bytes;
};

GroupTable make_groups() {
    // Each of these alone; all of punctuation, of which grammars are made.
    constexpr std::string_view single = "\t\n\r !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    GroupTable groups;
    for (unsigned byte = 0; byte < groups.of.size(); ++byte) {
        const std::size_t place = single.find(static_cast<char>(byte));
        unsigned group = 2; // control characters
        if (place != std::string_view::npos) {
            group = 8 + static_cast<unsigned>(place);
        } else if (byte >= '0' && byte <= '9') {
            group = 3;
        } else if (byte >= 'a' && byte <= 'z') {
            group = byte <= 'f' ? 4 : 5;
        } else if (byte >= 'A' && byte <= 'Z') {
            group = byte <= 'F' ? 6 : 7;
        }
        groups.of[byte] = static_cast<std::uint8_t>(group);
        groups.bytes[group].push_back(static_cast<std::uint8_t>(byte));
    }
    return groups;
}

const GroupTable &groups() {
    static const GroupTable made = make_groups();
    return made;
}

// Of the last byte of a text.
unsigned last_group(std::string_view text) {
    const auto byte = static_cast<std::uint8_t>(text.back());
    if (byte < 0x80) {
        // It may cut off a character, which no text is well-formed with.
        const std::string_view before = text.substr(0, text.size() - 1);
        return base::complete_utf8_prefix(before) == before.size() ? TokenTrie::group_of(byte)
                                                                   : TokenTrie::ill_formed;
    }
    const bool well_formed = base::find_invalid_utf8(text) >= base::complete_utf8_prefix(text);
    return well_formed ? TokenTrie::characters : TokenTrie::ill_formed;
}

} // namespace

unsigned TokenTrie::group_of(std::uint8_t byte) noexcept {
    return groups().of[byte];
}

std::span<const std::uint8_t> TokenTrie::bytes_of(unsigned group) noexcept {
    return groups().bytes[group];
}

TokenTrie::TokenTrie(std::size_t size, const std::function<std::string_view(Token)> &piece) {
    struct Entry {
        std::string_view bytes;
        Token token;
    };
    std::vector<Entry> entries;
    entries.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
        const auto token = static_cast<Token>(i);
        const std::string_view bytes = piece(token);
        if (!bytes.empty()) {
            entries.push_back({bytes, token});
            max_depth_ = std::max(max_depth_, bytes.size());
        }
    }
    // Of equal ones the lower number first.
    std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
        const int order = a.bytes.compare(b.bytes);
        return order != 0 ? order < 0 : a.token < b.token;
    });

    std::vector<std::uint32_t> open; // the nodes of the prefixes of the entry before
    std::string_view before;
    const auto close_to = [&](std::size_t depth) {
        while (open.size() > depth) {
            const std::uint32_t node = open.back();
            const std::string_view prefix = before.substr(0, open.size());
            open.pop_back();
            nodes_[node].end = static_cast<std::uint32_t>(nodes_.size());
            if (!open.empty()) {
                continuations_[open.back()] |=
                    continuations_[node] | (Groups{1} << last_group(prefix));
            }
        }
    };
    tokens_.reserve(entries.size());
    for (const Entry &entry : entries) {
        const auto mismatch =
            std::mismatch(before.begin(), before.end(), entry.bytes.begin(), entry.bytes.end());
        const auto shared = static_cast<std::size_t>(mismatch.first - before.begin());
        close_to(shared);
        for (std::size_t depth = shared; depth < entry.bytes.size(); ++depth) {
            open.push_back(static_cast<std::uint32_t>(nodes_.size()));
            nodes_.push_back({0, static_cast<std::uint32_t>(tokens_.size()),
                              static_cast<std::uint32_t>(depth),
                              static_cast<std::uint8_t>(entry.bytes[depth])});
            continuations_.push_back(0);
        }
        tokens_.push_back(entry.token);
        before = entry.bytes;
    }
    close_to(0);
    const auto all = static_cast<std::uint32_t>(nodes_.size());
    nodes_.push_back({all, static_cast<std::uint32_t>(tokens_.size()), 0, 0});
    nodes_.shrink_to_fit();
    continuations_.shrink_to_fit();
}

} // namespace mullama::core::constraint

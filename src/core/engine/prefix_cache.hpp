// What finished requests left in the context, for those that begin alike.
#pragma once

#include "core/context.hpp"
#include "core/engine/prefix_tree.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mullama::core::engine {

// Each kept branch holds a sequence of the context; branches that share tokens share their cells.
// Thread safety: one thread at a time, that of the context.
class PrefixCache {
public:
    explicit PrefixCache(Context &context);

    struct Found {
        backend::SequenceId sequence = -1;
        // Of the tokens given, how many the sequence can lend.
        std::size_t length = 0;
    };
    // The branch, of those with this key, that has the most of the beginning of `tokens`.
    [[nodiscard]] Found find(std::string_view key, std::span<const backend::Token> tokens);

    // Takes a sequence that holds exactly these tokens. A sequence that came free by it, this one
    // where another has all of it already, goes to `freed`.
    void keep(std::string_view key, std::vector<backend::Token> tokens,
              backend::SequenceId sequence, std::vector<backend::SequenceId> &freed);

    // Gives up what was used the longest ago; its sequence, empty now, or nothing.
    std::optional<backend::SequenceId> evict();
    // Gives up all.
    void clear(std::vector<backend::SequenceId> &freed);

    [[nodiscard]] std::size_t size() const noexcept { return branches_.size(); }

private:
    struct Branch {
        std::string key;
        std::vector<backend::Token> tokens;
        backend::SequenceId sequence;
        std::uint64_t used;
    };

    backend::SequenceId drop(PrefixTree::Id id);
    void touch(Branch &branch);

    Context &context_;
    // Whether a part of a sequence can be copied, or only all of it.
    bool can_share_;
    PrefixTree::Id next_id_ = 0;
    std::uint64_t clock_ = 0;
    std::unordered_map<PrefixTree::Id, Branch> branches_;
    // By key.
    std::map<std::string, PrefixTree, std::less<>> trees_;
    // By their last use.
    std::map<std::uint64_t, PrefixTree::Id> by_use_;
};

} // namespace mullama::core::engine

#include "core/engine/prefix_cache.hpp"

#include <utility>

namespace mullama::core::engine {

using backend::SequenceId;
using backend::Token;

PrefixCache::PrefixCache(Context &context)
    : context_(context), can_share_((context.abilities() & MULLAMA_CONTEXT_CAN_SHARE) != 0) {
}

void PrefixCache::touch(Branch &branch) {
    auto place = by_use_.extract(branch.used);
    branch.used = ++clock_;
    place.key() = branch.used;
    by_use_.insert(std::move(place));
}

PrefixCache::Found PrefixCache::find(std::string_view key, std::span<const Token> tokens) {
    const auto tree = trees_.find(key);
    if (tree == trees_.end()) {
        return {};
    }
    const PrefixTree::Match match =
        can_share_ ? tree->second.longest(tokens) : tree->second.longest_whole(tokens);
    if (match.length == 0) {
        return {};
    }
    Branch &branch = branches_.at(match.id);
    touch(branch);
    return {branch.sequence, match.length};
}

void PrefixCache::keep(std::string_view key, std::vector<Token> tokens, SequenceId sequence,
                       std::vector<SequenceId> &freed) {
    PrefixTree &tree = trees_.try_emplace(std::string(key)).first->second;
    const PrefixTree::Match same = tree.longest(tokens);
    if (same.length == tokens.size() &&
        (can_share_ || branches_.at(same.id).tokens.size() == tokens.size())) {
        touch(branches_.at(same.id));
        context_.remove(sequence, 0, MULLAMA_POSITION_END);
        freed.push_back(sequence);
        return;
    }
    if (can_share_) {
        // A branch that is a beginning of this one has nothing to lend that this one has not.
        for (PrefixTree::Match shorter = tree.longest_whole(tokens); shorter.length > 0;
             shorter = tree.longest_whole(tokens)) {
            freed.push_back(drop(shorter.id));
            if (trees_.find(key) == trees_.end()) {
                break;
            }
        }
    }
    const PrefixTree::Id id = next_id_++;
    trees_.try_emplace(std::string(key)).first->second.insert(tokens, id);
    by_use_.emplace(++clock_, id);
    branches_.emplace(id, Branch{std::string(key), std::move(tokens), sequence, clock_});
}

SequenceId PrefixCache::drop(PrefixTree::Id id) {
    const auto place = branches_.find(id);
    Branch &branch = place->second;
    const auto tree = trees_.find(branch.key);
    tree->second.erase(branch.tokens, id);
    if (tree->second.empty()) {
        trees_.erase(tree);
    }
    by_use_.erase(branch.used);
    const SequenceId sequence = branch.sequence;
    branches_.erase(place);
    context_.remove(sequence, 0, MULLAMA_POSITION_END);
    return sequence;
}

std::optional<SequenceId> PrefixCache::evict() {
    if (by_use_.empty()) {
        return std::nullopt;
    }
    return drop(by_use_.begin()->second);
}

void PrefixCache::clear(std::vector<SequenceId> &freed) {
    while (const std::optional<SequenceId> sequence = evict()) {
        freed.push_back(*sequence);
    }
}

} // namespace mullama::core::engine

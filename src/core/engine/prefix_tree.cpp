#include "core/engine/prefix_tree.hpp"

#include <algorithm>
#include <utility>

namespace mullama::core::engine {

using backend::Token;

struct PrefixTree::Node {
    // The tokens from the parent to here; empty only at the root.
    std::vector<Token> edge;
    // By the first token of their edges. Every leaf has ids.
    std::map<Token, std::unique_ptr<Node>> children;
    // Those whose tokens end here.
    std::vector<Id> ids;
};

namespace {

std::size_t common(std::span<const Token> a, std::span<const Token> b) {
    const std::size_t most = std::min(a.size(), b.size());
    const auto [end, other] =
        std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin());
    return static_cast<std::size_t>(end - a.begin());
}

} // namespace

PrefixTree::PrefixTree() : root_(std::make_unique<Node>()) {
}
PrefixTree::~PrefixTree() = default;
PrefixTree::PrefixTree(PrefixTree &&) noexcept = default;
PrefixTree &PrefixTree::operator=(PrefixTree &&) noexcept = default;

bool PrefixTree::empty() const noexcept {
    return root_->children.empty() && root_->ids.empty();
}

void PrefixTree::insert(Tokens tokens, Id id) {
    Node *node = root_.get();
    while (!tokens.empty()) {
        std::unique_ptr<Node> &child = node->children[tokens.front()];
        if (!child) {
            child = std::make_unique<Node>();
            child->edge.assign(tokens.begin(), tokens.end());
            node = child.get();
            break;
        }
        const std::size_t shared = common(child->edge, tokens);
        if (shared < child->edge.size()) {
            // The edge splits: a node between takes its beginning.
            auto between = std::make_unique<Node>();
            const auto cut = child->edge.begin() + static_cast<std::ptrdiff_t>(shared);
            between->edge.assign(child->edge.begin(), cut);
            child->edge.erase(child->edge.begin(), cut);
            const Token rest = child->edge.front();
            between->children[rest] = std::move(child);
            child = std::move(between);
        }
        node = child.get();
        tokens = tokens.subspan(shared);
    }
    node->ids.push_back(id);
}

void PrefixTree::erase(Tokens tokens, Id id) {
    std::vector<Node *> path{root_.get()};
    while (!tokens.empty()) {
        const auto child = path.back()->children.find(tokens.front());
        if (child == path.back()->children.end() ||
            common(child->second->edge, tokens) < child->second->edge.size()) {
            return;
        }
        path.push_back(child->second.get());
        tokens = tokens.subspan(child->second->edge.size());
    }
    std::vector<Id> &ids = path.back()->ids;
    if (const auto place = std::ranges::find(ids, id); place != ids.end()) {
        ids.erase(place);
    }
    // Nodes that stand for nothing go; one with a single way on joins it.
    while (path.size() > 1) {
        Node &node = *path.back();
        path.pop_back();
        Node &parent = *path.back();
        if (!node.ids.empty() || node.children.size() > 1) {
            return;
        }
        const auto place = parent.children.find(node.edge.front());
        if (node.children.empty()) {
            parent.children.erase(place);
            continue;
        }
        std::unique_ptr<Node> only = std::move(node.children.begin()->second);
        only->edge.insert(only->edge.begin(), node.edge.begin(), node.edge.end());
        place->second = std::move(only);
        return;
    }
}

PrefixTree::Match PrefixTree::longest(Tokens tokens) const {
    const Node *node = root_.get();
    std::size_t length = 0;
    for (;;) {
        const auto child =
            tokens.empty() ? node->children.end() : node->children.find(tokens.front());
        if (child == node->children.end()) {
            break;
        }
        const std::size_t shared = common(child->second->edge, tokens);
        node = child->second.get();
        length += shared;
        tokens = tokens.subspan(shared);
        if (shared < node->edge.size()) {
            break;
        }
    }
    if (length == 0) {
        return {};
    }
    // All that lie below share that much.
    while (node->ids.empty()) {
        node = node->children.begin()->second.get();
    }
    return {node->ids.back(), length};
}

PrefixTree::Match PrefixTree::longest_whole(Tokens tokens) const {
    const Node *node = root_.get();
    std::size_t length = 0;
    Match found;
    while (!tokens.empty()) {
        const auto child = node->children.find(tokens.front());
        if (child == node->children.end() ||
            common(child->second->edge, tokens) < child->second->edge.size()) {
            break;
        }
        node = child->second.get();
        length += node->edge.size();
        tokens = tokens.subspan(node->edge.size());
        if (!node->ids.empty()) {
            found = {node->ids.back(), length};
        }
    }
    return found;
}

} // namespace mullama::core::engine

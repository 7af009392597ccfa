#include "core/stop_matcher.hpp"

namespace mullama::core {

StopMatcher::StopMatcher(std::span<const std::string_view> strings) : nodes_(1) {
    starts_.fill(root);
    for (std::size_t i = 0; i < strings.size(); ++i) {
        insert(strings[i], static_cast<std::int32_t>(i));
    }
    link();
}

std::int32_t StopMatcher::child(std::int32_t node, std::uint8_t byte) const noexcept {
    std::int32_t found = nodes_[static_cast<std::size_t>(node)].first_child;
    while (found >= 0 && nodes_[static_cast<std::size_t>(found)].byte != byte) {
        found = nodes_[static_cast<std::size_t>(found)].next_sibling;
    }
    return found;
}

void StopMatcher::insert(std::string_view string, std::int32_t index) {
    std::int32_t node = root;
    for (const char character : string) {
        const auto byte = static_cast<std::uint8_t>(character);
        std::int32_t next = child(node, byte);
        if (next < 0) {
            next = static_cast<std::int32_t>(nodes_.size());
            Node &parent = nodes_[static_cast<std::size_t>(node)];
            Node added;
            added.byte = byte;
            added.depth = parent.depth + 1;
            added.next_sibling = parent.first_child;
            parent.first_child = next;
            nodes_.push_back(added);
            if (node == root) {
                starts_[byte] = next;
            }
        }
        node = next;
    }
    Node &end = nodes_[static_cast<std::size_t>(node)];
    if (end.string < 0) {
        end.string = index;
        end.string_size = end.depth;
    }
}

// Breadth first: a node's suffix is shorter than the node, so that its own link is there already.
void StopMatcher::link() {
    std::vector<std::int32_t> queue{root};
    for (std::size_t i = 0; i < queue.size(); ++i) {
        const std::int32_t node = queue[i];
        for (std::int32_t next = nodes_[static_cast<std::size_t>(node)].first_child; next >= 0;
             next = nodes_[static_cast<std::size_t>(next)].next_sibling) {
            Node &its = nodes_[static_cast<std::size_t>(next)];
            its.fail =
                node == root ? root : step(nodes_[static_cast<std::size_t>(node)].fail, its.byte);
            const Node &suffix = nodes_[static_cast<std::size_t>(its.fail)];
            if (its.string < 0) {
                its.string = suffix.string;
                its.string_size = suffix.string_size;
            }
            queue.push_back(next);
        }
    }
}

std::int32_t StopMatcher::step(std::int32_t node, std::uint8_t byte) const noexcept {
    while (node != root) {
        const std::int32_t next = child(node, byte);
        if (next >= 0) {
            return next;
        }
        node = nodes_[static_cast<std::size_t>(node)].fail;
    }
    return starts_[byte];
}

std::int32_t StopMatcher::push(std::string_view piece, std::string &out) {
    if (nodes_.size() == 1) {
        out.append(piece);
        return -1;
    }
    std::size_t scanned = held_.size();
    held_.append(piece);
    for (; scanned < held_.size(); ++scanned) {
        at_ = step(at_, static_cast<std::uint8_t>(held_[scanned]));
        const Node &node = nodes_[static_cast<std::size_t>(at_)];
        if (node.string >= 0) {
            out.append(held_, 0, scanned + 1 - node.string_size);
            held_.clear();
            return node.string;
        }
    }
    const std::size_t certain = held_.size() - nodes_[static_cast<std::size_t>(at_)].depth;
    out.append(held_, 0, certain);
    held_.erase(0, certain);
    return -1;
}

void StopMatcher::finish(std::string &out) {
    out.append(held_);
    reset();
}

void StopMatcher::reset() noexcept {
    held_.clear();
    at_ = root;
}

} // namespace mullama::core

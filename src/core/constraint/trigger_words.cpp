#include "core/constraint/trigger_words.hpp"

#include "base/error.hpp"

namespace mullama::core::constraint {

using base::Error;

TriggerWords::TriggerWords(std::span<const std::string> words)
    : words_(words.begin(), words.end()), nodes_(1) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) {
        if (words_[i].empty()) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "an empty text cannot be waited for")
                .parameter("trigger_words")
                .expected("a text of at least one byte")
                .actual("an empty one")
                .offset(static_cast<std::int64_t>(i));
        }
        size += words_[i].size();
    }
    if (size > max_bytes) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the trigger words are too long")
            .parameter("trigger_words")
            .expected("at most " + std::to_string(max_bytes) + " bytes in all")
            .actual(size);
    }
    for (std::size_t i = 0; i < words_.size(); ++i) {
        insert(words_[i], static_cast<std::uint32_t>(i));
    }
    link();
}

void TriggerWords::insert(std::string_view word, std::uint32_t index) {
    State state = start;
    for (const char byte : word) {
        const auto place = static_cast<std::uint8_t>(byte);
        if (nodes_[state].next[place] == start) {
            nodes_[state].next[place] = static_cast<State>(nodes_.size());
            nodes_.emplace_back();
        }
        state = nodes_[state].next[place];
    }
    if (nodes_[state].word == none) {
        nodes_[state].word = index;
    }
}

// Where a word goes no further, the longest ending that begins one does. Shorter prefixes first:
// theirs are complete when they are needed.
void TriggerWords::link() {
    std::vector<State> fallback(nodes_.size(), start);
    std::vector<State> todo;
    for (const State child : nodes_[start].next) {
        if (child != start) {
            todo.push_back(child);
        }
    }
    for (std::size_t i = 0; i < todo.size(); ++i) {
        const State state = todo[i];
        const Node &other = nodes_[fallback[state]];
        if (nodes_[state].word == none) {
            nodes_[state].word = other.word;
        }
        for (std::size_t byte = 0; byte < other.next.size(); ++byte) {
            State &next = nodes_[state].next[byte];
            if (next == start) {
                next = other.next[byte];
            } else {
                fallback[next] = other.next[byte];
                todo.push_back(next);
            }
        }
    }
}

} // namespace mullama::core::constraint

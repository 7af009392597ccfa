#include "core/sampling/sequence_breakers.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/vocab.hpp"

namespace mullama::core::sampling {

namespace {

// A breaker whose rest has more tokens counts from that many on, as in llama.cpp: the search for
// breakers stays linear.
constexpr std::size_t max_tail = 20;

} // namespace

SequenceBreakers::SequenceBreakers(const Vocab &vocab, std::span<const std::string> texts) {
    std::string word;
    for (Token token = 0; token < vocab.size(); ++token) {
        word.clear();
        vocab.detokenize(std::span(&token, 1), false, true, word);
        for (const std::string &text : texts) {
            if (word.find(text) != std::string::npos) {
                add_spelling(token, {});
                continue;
            }
            // The word may end with a beginning of the text: other tokens have the rest.
            for (std::size_t begin = word.find(text.front()); begin != std::string::npos;
                 begin = word.find(text.front(), begin + 1)) {
                const std::string_view end = std::string_view(word).substr(begin);
                if (!text.starts_with(end)) {
                    continue;
                }
                std::vector<Token> tail;
                vocab.tokenize(std::string_view(text).substr(end.size()), false, false, tail);
                tail.resize(std::min(tail.size(), max_tail));
                add_spelling(token, std::move(tail));
            }
        }
    }
}

void SequenceBreakers::add_spelling(Token head, std::vector<Token> tail) {
    std::vector<std::vector<Token>> &known = tails_[head];
    if (std::find(known.begin(), known.end(), tail) == known.end()) {
        known.push_back(std::move(tail));
    }
}

bool SequenceBreakers::breaks_alone(Token token) const {
    const auto found = tails_.find(token);
    return found != tails_.end() &&
           std::any_of(found->second.begin(), found->second.end(),
                       [](const std::vector<Token> &tail) { return tail.empty(); });
}

std::ptrdiff_t SequenceBreakers::match(std::span<const Token> history, std::size_t distance) const {
    const std::size_t head = history.size() - 1 - distance;
    const auto found = tails_.find(history[head]);
    std::ptrdiff_t longest = -1;
    if (found == tails_.end()) {
        return longest;
    }
    for (const std::vector<Token> &tail : found->second) {
        if (tail.size() <= distance &&
            std::equal(tail.begin(), tail.end(),
                       history.begin() + static_cast<std::ptrdiff_t>(head) + 1)) {
            longest = std::max(longest, static_cast<std::ptrdiff_t>(tail.size()));
        }
    }
    return longest;
}

} // namespace mullama::core::sampling

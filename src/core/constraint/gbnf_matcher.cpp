#include "core/constraint/gbnf_matcher.hpp"

#include <array>
#include <span>
#include <string>
#include <utility>

#include "core/constraint/gbnf_parser.hpp"

namespace mullama::core::constraint::gbnf {

Matcher::Matcher(std::shared_ptr<const Grammar> grammar,
                 std::shared_ptr<const Vocabulary> vocabulary, std::size_t memory,
                 std::uint64_t max_work)
    : vocabulary_(std::move(vocabulary)), automaton_(std::move(grammar), memory, max_work),
      state_(automaton_.start()), mask_memory_(memory) {
    if (vocabulary_ != nullptr) {
        resolve_tokens();
    }
}

// --- Token elements ---

void Matcher::resolve_tokens() {
    for (const TokenElement &element : grammar().tokens()) {
        const Token token = resolve(element);
        if (!element.negated && vocabulary_->ends().test(token)) {
            throw error_at(grammar().text(), element.offset,
                           "token " + std::to_string(token) +
                               " ends the generation, which the end of the grammar stands for")
                .expected("a token that does not end the generation")
                .actual(vocabulary_->piece(token));
        }
        elements_.push_back(token);
    }
}

Token Matcher::resolve(const TokenElement &element) const {
    const Vocab &vocab = vocabulary_->vocab();
    if (element.text.empty()) {
        if (element.id >= vocabulary_->size()) {
            throw error_at(grammar().text(), element.offset,
                           "there is no token " + std::to_string(element.id))
                .expected("0 to " + std::to_string(vocabulary_->size() - 1))
                .actual(element.id);
        }
        return static_cast<Token>(element.id);
    }
    std::vector<Token> tokens;
    vocab.tokenize(element.text, false, true, tokens);
    if (tokens.size() != 1) {
        throw error_at(grammar().text(), element.offset,
                       "\"" + element.text + "\" is " + std::to_string(tokens.size()) +
                           " tokens for this model; a text is written between quotation marks")
            .expected("one token")
            .actual(std::to_string(tokens.size()) + " tokens");
    }
    return tokens.front();
}

bool Matcher::matches(Index element, Token token) const noexcept {
    return grammar().tokens()[element].negated
               ? elements_[element] != token && vocabulary_->visible().test(token)
               : elements_[element] == token;
}

// --- Reading ---

void Matcher::reset() {
    state_ = automaton_.start();
}

Matcher::State Matcher::read(State from, std::string_view bytes) {
    for (const char byte : bytes) {
        from = automaton_.advance(from, static_cast<std::uint8_t>(byte));
        if (from == Automaton::dead) {
            break;
        }
    }
    return from;
}

// Where a token leads that does not end the generation.
Matcher::State Matcher::read(Token token) {
    const State text = vocabulary_->texts().test(token) ? read(state_, vocabulary_->piece(token))
                                                        : Automaton::dead;
    if (!automaton_.has_tokens(state_)) {
        return text;
    }
    return automaton_.advance_token(state_, text,
                                    [&](Index element) { return matches(element, token); });
}

bool Matcher::accept(std::string_view bytes) {
    // A long text may need more states than there is memory for.
    constexpr std::size_t step = 256;
    State now = state_;
    for (std::size_t at = 0; at < bytes.size() && now != Automaton::dead; at += step) {
        const Work work(*this);
        if (automaton_.is_full()) {
            std::array<State, 2> both{state_, now};
            keep(both);
            state_ = both[0];
            now = both[1];
        }
        now = read(now, bytes.substr(at, step));
    }
    if (now == Automaton::dead) {
        return false;
    }
    state_ = now;
    return true;
}

bool Matcher::accept(Token token) {
    if (vocabulary_->ends().test(token)) {
        return can_end();
    }
    const Work work(*this);
    State next = read(token);
    if (next == Automaton::dead) {
        return false;
    }
    make_room(next);
    state_ = next;
    return true;
}

bool Matcher::allows(Token token) {
    const auto mask = masks_.find(state_);
    if (mask != masks_.end()) {
        return mask->second->test(token);
    }
    if (vocabulary_->ends().test(token)) {
        return can_end();
    }
    const Work work(*this);
    return read(token) != Automaton::dead;
}

// --- Masks ---

const TokenMask &Matcher::mask() {
    const auto known = masks_.find(state_);
    if (known != masks_.end()) {
        return *known->second;
    }
    const Work work(*this);
    make_room(state_);
    TokenMask made = make_mask();
    if ((masks_.size() + 1) * made.bytes() > mask_memory_) {
        masks_.clear();
    }
    return *(masks_[state_] = std::make_shared<const TokenMask>(std::move(made)));
}

TokenMask Matcher::make_mask() {
    TokenMask mask(vocabulary_->size());
    add_texts(mask);
    add_token_elements(mask);
    if (can_end()) {
        mask.add(vocabulary_->ends());
    }
    return mask;
}

void Matcher::add_texts(TokenMask &mask) {
    // A subtree of this many nodes is worth finding out whether it can be passed over.
    constexpr std::uint32_t large = 32;
    const TokenTrie &trie = vocabulary_->trie();
    const std::span<const TokenTrie::Node> nodes = trie.nodes();
    const auto add = [&](std::uint32_t first, std::uint32_t last) {
        for (const Token token : trie.tokens().subspan(first, last - first)) {
            mask.set(token);
        }
    };
    path_.resize(trie.max_depth() + 1);
    path_[0] = state_;
    std::size_t size = automaton_.size();
    for (std::uint32_t i = 0; i < trie.size();) {
        const TokenTrie::Node &node = nodes[i];
        State &next = path_[node.depth + 1];
        next = automaton_.advance(path_[node.depth], node.byte);
        if (next == Automaton::dead) {
            i = node.end;
            continue;
        }
        if (node.end - i > large && (trie.continuations(i) & ~loops(next)) == 0) {
            // Whatever follows, the state stays what it is.
            add(node.first_token, nodes[node.end].first_token);
            i = node.end;
            continue;
        }
        if (automaton_.size() != size) {
            if (automaton_.is_full()) {
                keep(std::span(path_).first(node.depth + 2));
                state_ = path_[0];
            }
            size = automaton_.size();
        }
        add(node.first_token, nodes[i + 1].first_token);
        ++i;
    }
}

void Matcher::add_token_elements(TokenMask &mask) {
    automaton_.for_each_token(state_, [&](Index element) {
        automaton_.spend(1);
        if (!grammar().tokens()[element].negated) {
            mask.set(elements_[element]);
            return;
        }
        automaton_.spend(mask.words().size());
        const bool was_set = mask.test(elements_[element]);
        mask.add(vocabulary_->visible());
        if (!was_set) {
            mask.clear(elements_[element]);
        }
    });
}

TokenTrie::Groups Matcher::loops(State state) {
    const auto known = loops_.find(state);
    if (known != loops_.end()) {
        return known->second;
    }
    TokenTrie::Groups groups = 0;
    for (unsigned group = 0; group < TokenTrie::group_count; ++group) {
        const auto bytes = TokenTrie::bytes_of(group);
        automaton_.spend(bytes.size());
        bool same = !bytes.empty();
        for (std::size_t i = 0; same && i < bytes.size(); ++i) {
            same = automaton_.advance(state, bytes[i]) == state;
        }
        groups |= TokenTrie::Groups{same ? 1U : 0U} << group;
    }
    if (loops_on_characters(state)) {
        groups |= TokenTrie::Groups{1} << TokenTrie::characters;
    }
    loops_[state] = groups;
    return groups;
}

// Whether every character beyond ASCII leads from a state back to it.
bool Matcher::loops_on_characters(State state) {
    // The bytes that characters are made of (Unicode 3.9, table 3-7): first bytes, second ones, and
    // how many more there are.
    struct Encoding {
        std::uint8_t first, last, second_first, second_last, more;
    };
    constexpr std::array<Encoding, 8> encodings{{{0xC2, 0xDF, 0x80, 0xBF, 0},
                                                 {0xE0, 0xE0, 0xA0, 0xBF, 1},
                                                 {0xE1, 0xEC, 0x80, 0xBF, 1},
                                                 {0xED, 0xED, 0x80, 0x9F, 1},
                                                 {0xEE, 0xEF, 0x80, 0xBF, 1},
                                                 {0xF0, 0xF0, 0x90, 0xBF, 2},
                                                 {0xF1, 0xF3, 0x80, 0xBF, 2},
                                                 {0xF4, 0xF4, 0x80, 0x8F, 2}}};
    // The states that were seen to lead back with so many more bytes: few, since bytes that lead to
    // different ones are rare where all characters lead to the same.
    std::array<State, 3> good{state, Automaton::dead, Automaton::dead};
    const auto leads_back = [&](State from, unsigned more) {
        if (from == good[more]) {
            return true;
        }
        if (more == 0 || from == Automaton::dead) {
            return false;
        }
        automaton_.spend(std::size_t{64} * more);
        State next = from;
        for (unsigned left = more; left > 0; --left) {
            const State one = automaton_.advance(next, 0x80);
            for (unsigned byte = 0x81; byte <= 0xBF; ++byte) {
                if (automaton_.advance(next, static_cast<std::uint8_t>(byte)) != one) {
                    return false;
                }
            }
            next = one;
        }
        good[more] = next == state ? from : good[more];
        return next == state;
    };
    for (const Encoding &encoding : encodings) {
        for (unsigned first = encoding.first; first <= encoding.last; ++first) {
            automaton_.spend(encoding.second_last - encoding.second_first);
            const State lead = automaton_.advance(state, static_cast<std::uint8_t>(first));
            for (unsigned second = encoding.second_first; second <= encoding.second_last;
                 ++second) {
                if (!leads_back(automaton_.advance(lead, static_cast<std::uint8_t>(second)),
                                encoding.more)) {
                    return false;
                }
            }
        }
    }
    return true;
}

// --- Memory ---

void Matcher::keep(std::span<State> states) {
    // They go by the numbers of states.
    masks_.clear();
    loops_.clear();
    automaton_.keep(states);
}

// Leaves nothing but a state, whose number may change.
void Matcher::make_room(State &state) {
    if (automaton_.is_full()) {
        keep(std::span(&state, 1));
    }
}

std::size_t Matcher::bytes() const noexcept {
    return automaton_.bytes() +
           masks_.size() * (vocabulary_ == nullptr ? 0 : vocabulary_->ends().bytes());
}

} // namespace mullama::core::constraint::gbnf

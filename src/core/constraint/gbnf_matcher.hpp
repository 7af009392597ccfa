// Where a text is in a grammar, byte by byte or token by token, and which tokens may come next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/constraint/gbnf_automaton.hpp"
#include "core/constraint/gbnf_grammar.hpp"
#include "core/constraint/token_mask.hpp"
#include "core/constraint/vocabulary.hpp"

namespace mullama::core::constraint::gbnf {

// A copy goes on alike, and takes along what this one has worked out. Thread safety: one thread at
// a time; the grammar and the vocabulary are shared.
//
// Everything throws MULLAMA_ERROR_UNSUPPORTED where the grammar is too ambiguous for the text, or
// an answer takes more work than was allowed, with nothing changed.
class Matcher {
public:
    static constexpr std::size_t default_memory = std::size_t{16} << 20;

    static constexpr std::uint64_t default_work = Automaton::default_work;

    // While one lives, all that the matcher is asked shares one limit of work; otherwise each
    // question has its own. Nothing is counted twice: states that are made already cost nothing.
    class Work {
    public:
        explicit Work(Matcher &matcher) noexcept : matcher_(matcher) {
            if (matcher_.working_++ == 0) {
                matcher_.automaton_.begin_work();
            }
        }
        Work(const Work &) = delete;
        Work &operator=(const Work &) = delete;
        ~Work() { --matcher_.working_; }

    private:
        Matcher &matcher_;
    };

    // Before the first byte. Without a vocabulary it reads bytes alone. `memory`: about how many
    // bytes states, and as many again masks, may take before they are forgotten and made anew.
    // `max_work`: how many steps an answer may take.
    //
    // Throws MULLAMA_ERROR_INVALID_ARGUMENT with the position for a token element that names no
    // token of the vocabulary, more than one, or one that ends the generation.
    explicit Matcher(std::shared_ptr<const Grammar> grammar,
                     std::shared_ptr<const Vocabulary> vocabulary = nullptr,
                     std::size_t memory = default_memory, std::uint64_t max_work = default_work);

    [[nodiscard]] const Grammar &grammar() const noexcept { return automaton_.grammar(); }
    // There is one.
    [[nodiscard]] const Vocabulary &vocabulary() const noexcept { return *vocabulary_; }

    void reset();

    // Whether the grammar allows the bytes next; if not, nothing is changed.
    bool accept(std::string_view bytes);
    // The same for a token, which is in the vocabulary. One that ends the generation is accepted
    // where the text is complete, and changes nothing.
    bool accept(Token token);

    // Whether accept() would accept the token.
    [[nodiscard]] bool allows(Token token);
    // The tokens that accept() would accept. Valid until the next call of anything but allows().
    [[nodiscard]] const TokenMask &mask();

    // Whether the text is complete: it may end here.
    [[nodiscard]] bool can_end() const noexcept { return automaton_.can_end(state_); }
    // Whether nothing can follow.
    [[nodiscard]] bool is_final() const noexcept { return automaton_.is_final(state_); }

    // What the states and masks that were made take, in bytes.
    [[nodiscard]] std::size_t bytes() const noexcept;
    // The steps that the last answer took.
    [[nodiscard]] std::uint64_t work() const noexcept { return automaton_.work(); }

private:
    using State = Automaton::State;

    void resolve_tokens();
    [[nodiscard]] Token resolve(const TokenElement &element) const;
    [[nodiscard]] bool matches(Index element, Token token) const noexcept;
    [[nodiscard]] State read(State from, std::string_view bytes);
    [[nodiscard]] State read(Token token);
    void keep(std::span<State> states);
    void make_room(State &state);
    [[nodiscard]] TokenMask make_mask();
    void add_texts(TokenMask &mask);
    void add_token_elements(TokenMask &mask);
    [[nodiscard]] TokenTrie::Groups loops(State state);
    [[nodiscard]] bool loops_on_characters(State state);

    std::shared_ptr<const Vocabulary> vocabulary_;
    Automaton automaton_;
    State state_;
    // How many objects of Work there are.
    unsigned working_ = 0;
    // The tokens of Grammar::tokens().
    std::vector<Token> elements_;

    std::unordered_map<State, std::shared_ptr<const TokenMask>> masks_;
    std::size_t mask_memory_;
    // The groups after which a state is the same, as far as that was asked.
    std::unordered_map<State, TokenTrie::Groups> loops_;
    // The states along a path of the trie; work space.
    std::vector<State> path_;
};

} // namespace mullama::core::constraint::gbnf

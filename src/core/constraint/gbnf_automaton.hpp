// A deterministic automaton for a grammar, made as far as texts lead.
//
// A state holds every way to have read a text: items of a place in the grammar and a frame, which
// says where to go on when the rule of that place ends. Frames are what remains of all calls of a
// rule that were made after the same byte (a graph-structured stack, M. Tomita 1986): they hold
// pairs of a place and the caller's own frame. Frames and states that hold the same are one, so the
// ways of an ambiguous grammar come together again, and a text that repeats itself finds its states
// already made; then a byte costs one look into a table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/constraint/gbnf_grammar.hpp"
#include "core/constraint/id_table.hpp"

namespace mullama::core::constraint::gbnf {

// Thread safety: one thread at a time.
class Automaton {
public:
    using State = std::uint32_t;
    // The text matches nothing that the grammar allows, whatever follows.
    static constexpr State dead = 0;

    static constexpr std::size_t default_memory = std::size_t{16} << 20;
    // The most ways to have read a text.
    static constexpr std::size_t max_items = std::size_t{1} << 16;
    // Two hundred times what grammars take that are written for use, over 256k tokens; a second
    // or less.
    static constexpr std::uint64_t default_work = std::uint64_t{1} << 26;

    explicit Automaton(std::shared_ptr<const Grammar> grammar, std::size_t memory = default_memory,
                       std::uint64_t max_work = default_work);

    [[nodiscard]] const Grammar &grammar() const noexcept { return *grammar_; }

    // Before the first byte.
    [[nodiscard]] State start();

    // After one more byte. The following throw MULLAMA_ERROR_UNSUPPORTED where the grammar allows
    // more than max_items ways to read the text, or more work would be done than max_work.
    [[nodiscard]] State advance(State state, std::uint8_t byte) {
        const State next = transitions_[state * row_ + grammar_->byte_class(byte)];
        return next != unknown ? next : make_transition(state, byte);
    }

    // After a token that is read whole: through each item that waits for a token element, if
    // `matches(element)` says so; and where `text`, a state or `dead`, is one to be in as well.
    template <class Matches>
    [[nodiscard]] State advance_token(State state, State text, Matches matches) {
        begin_closure();
        spend(states_[state].end - states_[state].begin);
        for (std::uint32_t i = states_[state].begin; i < states_[state].end; ++i) {
            const Item item = items_[i];
            const Node &node = grammar_->nodes()[item.position];
            if (node.kind == Node::Kind::token && matches(node.value)) {
                enter(node.next, item.frame);
            }
        }
        return finish_token(text);
    }

    // Calls visit(element) for each token element that the state waits for, some maybe repeatedly.
    template <class Visit>
    void for_each_token(State state, Visit visit) const {
        if (!states_[state].has_tokens) {
            return;
        }
        for (std::uint32_t i = states_[state].begin; i < states_[state].end; ++i) {
            const Node &node = grammar_->nodes()[items_[i].position];
            if (node.kind == Node::Kind::token) {
                visit(node.value);
            }
        }
    }

    // The text is complete.
    [[nodiscard]] bool can_end(State state) const noexcept { return states_[state].can_end; }
    [[nodiscard]] bool has_tokens(State state) const noexcept { return states_[state].has_tokens; }
    // Nothing can follow.
    [[nodiscard]] bool is_final(State state) const noexcept {
        return states_[state].begin == states_[state].end;
    }

    // Counts work from 0 on again.
    void begin_work() noexcept { work_ = 0; }
    // Adds work to what making states takes by itself: a step for each place that is looked at.
    void spend(std::size_t steps) {
        work_ += steps;
        if (work_ > max_work_) {
            refuse_work();
        }
    }
    [[nodiscard]] std::uint64_t work() const noexcept { return work_; }

    // How many states there are. keep() aside, it only grows.
    [[nodiscard]] std::size_t size() const noexcept { return states_.size(); }
    // Whether more memory is in use than was asked for, and keep() would free some.
    [[nodiscard]] bool is_full() const noexcept { return bytes() > limit_; }
    [[nodiscard]] std::size_t bytes() const noexcept;
    // Forgets all states but these, and writes their new numbers over the old.
    void keep(std::span<State> states);

private:
    using Frame = std::uint32_t;
    // Of the first rule: where it ends, the text may.
    static constexpr Frame bottom = 0;
    static constexpr State unknown = static_cast<State>(-1);

    struct Return {
        Position position = accepted;
        Frame frame = bottom;

        auto operator<=>(const Return &) const = default;
    };
    struct Range {
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
    };
    struct Item {
        Position position = accepted;
        // Where in a character it is, for a place that reads one.
        Utf8Automaton::State character = 0;
        Frame frame = bottom;

        auto operator<=>(const Item &) const = default;
    };
    struct StateData {
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
        bool can_end = false;
        bool has_tokens = false;
    };
    // A call that waits until all calls of its rule are known.
    struct Call {
        std::uint32_t order = 0;
        Index rule = 0;
        Return from;
    };
    // A place that nothing more has to be read for.
    struct Entry {
        Position position = accepted;
        Frame frame = bottom;
    };
    // The entries that were made in the closure that is going on.
    class EntrySet {
    public:
        void clear() noexcept;
        bool insert(Entry entry);

    private:
        void grow();

        struct Slot {
            std::uint64_t key = 0;
            std::uint32_t round = 0;
        };
        std::vector<Slot> slots_;
        std::size_t used_ = 0;
        std::uint32_t round_ = 0;
    };

    [[noreturn]] void refuse_work() const;
    [[nodiscard]] State make_transition(State state, std::uint8_t byte);
    [[nodiscard]] State finish_token(State text);

    void begin_closure() noexcept;
    void enter(Position position, Frame frame);
    [[nodiscard]] State finish_closure();
    void follow_entries(bool returning);
    void make_calls();
    [[nodiscard]] Frame frame_of_calls();

    [[nodiscard]] Frame intern_frame(std::span<const Return> returns);
    [[nodiscard]] State intern_state(std::span<const Item> items, bool can_end);
    [[nodiscard]] std::uint64_t hash_of_frame(Frame frame) const noexcept;
    [[nodiscard]] std::uint64_t hash_of_state(State state) const noexcept;

    std::shared_ptr<const Grammar> grammar_;
    std::size_t row_;
    std::size_t memory_;
    std::size_t limit_;
    std::uint64_t max_work_;
    std::uint64_t work_ = 0;

    std::vector<Return> returns_;
    std::vector<Range> frames_;
    IdTable frame_table_;
    std::vector<Item> items_;
    std::vector<StateData> states_;
    IdTable state_table_;
    // A row per state, a column per class of bytes.
    std::vector<State> transitions_;
    State start_ = unknown;

    // Work space of the closure that is going on.
    std::vector<Item> new_items_;
    std::vector<Entry> todo_;
    EntrySet entered_;
    std::vector<Call> calls_; // a heap: the lowest order on top
    std::vector<Return> new_returns_;
    std::vector<Index> entered_rules_;
    // Which rules of a cycle of calls are being entered.
    std::uint32_t entering_ = 0;
    bool can_end_ = false;
};

} // namespace mullama::core::constraint::gbnf

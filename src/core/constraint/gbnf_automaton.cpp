#include "core/constraint/gbnf_automaton.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace mullama::core::constraint::gbnf {

using base::Error;

namespace {

// No rule is being entered.
constexpr std::uint32_t no_order = std::numeric_limits<std::uint32_t>::max();

} // namespace

void Automaton::EntrySet::clear() noexcept {
    ++round_;
    used_ = 0;
    if (round_ == 0) {
        // Rounds have been counted once through: what the slots say is too old to tell.
        slots_.clear();
        round_ = 1;
    }
}

bool Automaton::EntrySet::insert(Entry entry) {
    if (2 * (used_ + 1) > slots_.size()) {
        grow();
    }
    const std::uint64_t key = (std::uint64_t{entry.position} << 32) | entry.frame;
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = mix_hash(0, key) & mask;
    for (; slots_[at].round == round_; at = (at + 1) & mask) {
        if (slots_[at].key == key) {
            return false;
        }
    }
    slots_[at] = {key, round_};
    ++used_;
    return true;
}

void Automaton::EntrySet::grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size());
    old.swap(slots_);
    const std::size_t mask = slots_.size() - 1;
    for (const Slot &slot : old) {
        if (slot.round == round_) {
            std::size_t at = mix_hash(0, slot.key) & mask;
            while (slots_[at].round == round_) {
                at = (at + 1) & mask;
            }
            slots_[at] = slot;
        }
    }
}

Automaton::Automaton(std::shared_ptr<const Grammar> grammar, std::size_t memory,
                     std::uint64_t max_work)
    : grammar_(std::move(grammar)), row_(grammar_->byte_classes()), memory_(memory), limit_(memory),
      max_work_(max_work) {
    entered_.clear();
    frames_.emplace_back();
    // `dead` is the state without anything, and leads to itself.
    static_cast<void>(intern_state({}, false));
    std::fill(transitions_.begin(), transitions_.end(), dead);
}

Automaton::State Automaton::start() {
    if (start_ == unknown) {
        begin_closure();
        enter(grammar_->rules()[grammar_->root()].start, bottom);
        start_ = finish_closure();
    }
    return start_;
}

void Automaton::refuse_work() const {
    throw Error(MULLAMA_ERROR_UNSUPPORTED,
                "the grammar is too ambiguous: to find out what may come next takes more than " +
                    std::to_string(max_work_) + " steps")
        .parameter("grammar")
        .expected("at most " + std::to_string(max_work_) + " steps for a token")
        .actual("more");
}

Automaton::State Automaton::make_transition(State state, std::uint8_t byte) {
    begin_closure();
    spend(states_[state].end - states_[state].begin);
    const std::span<const Node> nodes = grammar_->nodes();
    for (std::uint32_t i = states_[state].begin; i < states_[state].end; ++i) {
        const Item item = items_[i];
        const Node &node = nodes[item.position];
        if (node.kind == Node::Kind::byte) {
            if (node.value == byte) {
                enter(node.next, item.frame);
            }
        } else if (node.kind == Node::Kind::set) {
            const Utf8Automaton::State after = grammar_->characters().step(item.character, byte);
            if (after == Utf8Automaton::complete) {
                enter(node.next, item.frame);
            } else if (after != Utf8Automaton::none) {
                new_items_.push_back({item.position, after, item.frame});
            }
        }
    }
    const State next = finish_closure();
    transitions_[state * row_ + grammar_->byte_class(byte)] = next;
    return next;
}

Automaton::State Automaton::finish_token(State text) {
    new_items_.insert(new_items_.end(), items_.begin() + states_[text].begin,
                      items_.begin() + states_[text].end);
    can_end_ = can_end_ || states_[text].can_end;
    return finish_closure();
}

// --- The closure: everything that is reached without reading more ---
//
// First what has been read goes on: rules end, and their callers go on behind them. Then come the
// rules that are called now. All calls of a rule after the same byte share one frame, so a rule is
// entered when all of them are known: in the order of CompiledRule::order. A rule that is entered
// now and may be empty is passed at the call, so nothing returns to a frame that is made now.

void Automaton::begin_closure() noexcept {
    new_items_.clear();
    todo_.clear();
    calls_.clear();
    entered_.clear();
    can_end_ = false;
    entering_ = no_order;
}

void Automaton::enter(Position position, Frame frame) {
    if (entered_.insert({position, frame})) {
        todo_.push_back({position, frame});
    }
}

Automaton::State Automaton::finish_closure() {
    follow_entries(true);
    make_calls();
    std::sort(new_items_.begin(), new_items_.end());
    new_items_.erase(std::unique(new_items_.begin(), new_items_.end()), new_items_.end());
    return intern_state(new_items_, can_end_);
}

void Automaton::follow_entries(bool returning) {
    const std::span<const Node> nodes = grammar_->nodes();
    while (!todo_.empty()) {
        const Entry entry = todo_.back();
        todo_.pop_back();
        spend(1);
        const Node &node = nodes[entry.position];
        switch (node.kind) {
        case Node::Kind::accept:
            if (!returning) {
                break;
            }
            if (entry.frame == bottom) {
                can_end_ = true;
            }
            spend(frames_[entry.frame].end - frames_[entry.frame].begin);
            for (std::uint32_t i = frames_[entry.frame].begin; i < frames_[entry.frame].end; ++i) {
                enter(returns_[i].position, returns_[i].frame);
            }
            break;
        case Node::Kind::split:
            enter(node.value, entry.frame);
            enter(node.next, entry.frame);
            break;
        case Node::Kind::call: {
            const CompiledRule &rule = grammar_->rules()[node.value];
            if (rule.order == entering_) {
                // One of the rules that are being entered jumps to another.
                enter(rule.start, entry.frame);
            } else {
                calls_.push_back({rule.order, node.value, {node.next, entry.frame}});
                std::push_heap(calls_.begin(), calls_.end(),
                               [](const Call &a, const Call &b) { return a.order > b.order; });
            }
            if (rule.nullable) {
                enter(node.next, entry.frame);
            }
            break;
        }
        default:
            new_items_.push_back({entry.position, node.value, entry.frame});
            break;
        }
        if (new_items_.size() > max_items || todo_.size() > max_items) {
            throw Error(MULLAMA_ERROR_UNSUPPORTED,
                        "the grammar is too ambiguous: there are more than " +
                            std::to_string(max_items) + " ways to read the text so far")
                .parameter("grammar");
        }
    }
}

void Automaton::make_calls() {
    const auto later = [](const Call &a, const Call &b) { return a.order > b.order; };
    while (!calls_.empty()) {
        entering_ = calls_.front().order;
        new_returns_.clear();
        entered_rules_.clear();
        while (!calls_.empty() && calls_.front().order == entering_) {
            std::pop_heap(calls_.begin(), calls_.end(), later);
            new_returns_.push_back(calls_.back().from);
            entered_rules_.push_back(calls_.back().rule);
            calls_.pop_back();
        }
        // Rules with the same order end each other, so each returns to the callers of all.
        const Frame frame = frame_of_calls();
        for (const Index rule : entered_rules_) {
            enter(grammar_->rules()[rule].start, frame);
        }
        follow_entries(false);
    }
    entering_ = no_order;
}

Automaton::Frame Automaton::frame_of_calls() {
    std::sort(new_returns_.begin(), new_returns_.end());
    new_returns_.erase(std::unique(new_returns_.begin(), new_returns_.end()), new_returns_.end());
    if (new_returns_.size() == 1 && new_returns_.front().position == accepted) {
        // A call in the last place leaves nothing behind: lists that are written with recursion
        // take no more memory than those with "*".
        return new_returns_.front().frame;
    }
    return intern_frame(new_returns_);
}

// --- Frames and states that hold the same are one ---

std::uint64_t Automaton::hash_of_frame(Frame frame) const noexcept {
    std::uint64_t hash = 0;
    for (std::uint32_t i = frames_[frame].begin; i < frames_[frame].end; ++i) {
        hash = mix_hash(hash, (std::uint64_t{returns_[i].position} << 32) | returns_[i].frame);
    }
    return hash;
}

std::uint64_t Automaton::hash_of_state(State state) const noexcept {
    std::uint64_t hash = states_[state].can_end ? 1 : 2;
    for (std::uint32_t i = states_[state].begin; i < states_[state].end; ++i) {
        hash = mix_hash(hash, (std::uint64_t{items_[i].position} << 32) | items_[i].character);
        hash = mix_hash(hash, items_[i].frame);
    }
    return hash;
}

Automaton::Frame Automaton::intern_frame(std::span<const Return> returns) {
    const auto frame = static_cast<Frame>(frames_.size());
    const std::size_t begin = returns_.size();
    try {
        returns_.insert(returns_.end(), returns.begin(), returns.end());
        frames_.push_back(
            {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(returns_.size())});
        const std::uint64_t hash = hash_of_frame(frame);
        const std::uint32_t known = frame_table_.find(hash, [&](Frame other) {
            return std::equal(returns.begin(), returns.end(),
                              returns_.begin() + frames_[other].begin,
                              returns_.begin() + frames_[other].end);
        });
        if (known == IdTable::none) {
            frame_table_.insert(hash, frame, [this](Frame other) { return hash_of_frame(other); });
            return frame;
        }
        returns_.resize(begin);
        frames_.resize(frame);
        return known;
    } catch (...) {
        returns_.resize(begin);
        frames_.resize(frame);
        throw;
    }
}

Automaton::State Automaton::intern_state(std::span<const Item> items, bool can_end) {
    const auto state = static_cast<State>(states_.size());
    const std::size_t begin = items_.size();
    try {
        items_.insert(items_.end(), items.begin(), items.end());
        states_.push_back({static_cast<std::uint32_t>(begin),
                           static_cast<std::uint32_t>(items_.size()), can_end, false});
        const std::uint64_t hash = hash_of_state(state);
        const std::uint32_t known = state_table_.find(hash, [&](State other) {
            return states_[other].can_end == can_end &&
                   std::equal(items.begin(), items.end(), items_.begin() + states_[other].begin,
                              items_.begin() + states_[other].end);
        });
        if (known == IdTable::none) {
            for (const Item &item : items) {
                states_[state].has_tokens =
                    states_[state].has_tokens ||
                    grammar_->nodes()[item.position].kind == Node::Kind::token;
            }
            transitions_.resize(transitions_.size() + row_, unknown);
            state_table_.insert(hash, state, [this](State other) { return hash_of_state(other); });
            return state;
        }
        items_.resize(begin);
        states_.resize(state);
        return known;
    } catch (...) {
        items_.resize(begin);
        states_.resize(state);
        transitions_.resize(state * row_);
        throw;
    }
}

// --- Memory ---

std::size_t Automaton::bytes() const noexcept {
    return returns_.size() * sizeof(Return) + frames_.size() * sizeof(Range) +
           items_.size() * sizeof(Item) + states_.size() * sizeof(StateData) +
           transitions_.size() * sizeof(State) + frame_table_.bytes() + state_table_.bytes();
}

void Automaton::keep(std::span<State> states) {
    std::vector<bool> used(frames_.size());
    for (const State state : states) {
        for (std::uint32_t i = states_[state].begin; i < states_[state].end; ++i) {
            used[items_[i].frame] = true;
        }
    }
    // A frame is made after those it returns to.
    for (std::size_t frame = frames_.size(); frame-- > 0;) {
        for (std::uint32_t i = frames_[frame].begin; used[frame] && i < frames_[frame].end; ++i) {
            used[returns_[i].frame] = true;
        }
    }
    // New numbers keep the order of the old ones, so what was sorted stays so.
    Automaton kept(grammar_, memory_, max_work_);
    kept.work_ = work_;
    std::vector<Frame> renamed(frames_.size(), bottom);
    for (Frame frame = 1; frame < frames_.size(); ++frame) {
        if (!used[frame]) {
            continue;
        }
        new_returns_.assign(returns_.begin() + frames_[frame].begin,
                            returns_.begin() + frames_[frame].end);
        for (Return &to : new_returns_) {
            to.frame = renamed[to.frame];
        }
        renamed[frame] = kept.intern_frame(new_returns_);
    }
    std::vector<State> new_states;
    for (const State state : states) {
        new_items_.assign(items_.begin() + states_[state].begin,
                          items_.begin() + states_[state].end);
        for (Item &item : new_items_) {
            item.frame = renamed[item.frame];
        }
        new_states.push_back(kept.intern_state(new_items_, states_[state].can_end));
    }
    kept.limit_ = std::max(memory_, 2 * kept.bytes());
    *this = std::move(kept);
    std::copy(new_states.begin(), new_states.end(), states.begin());
}

} // namespace mullama::core::constraint::gbnf

#include "core/constraint/gbnf_grammar.hpp"

#include <bitset>
#include <utility>

#include "base/error.hpp"
#include "core/constraint/gbnf_left_calls.hpp"
#include "core/constraint/gbnf_parser.hpp"

namespace mullama::core::constraint::gbnf {

using base::Error;

// Builds automata from their ends: what follows an expression is known when it is compiled.
class Compiler {
public:
    Compiler(std::string_view text, std::string_view root)
        : syntax_(parse(text)), grammar_(new Grammar) {
        grammar_->text_ = text;
        grammar_->root_ = find_root(root);
    }

    std::shared_ptr<const Grammar> run() {
        for (const CodePointSet &set : syntax_.sets) {
            set_states_.push_back(grammar_->characters_.add(set));
        }
        emit({});
        for (Index i = 0; i < syntax_.rules.size(); ++i) {
            grammar_->rules_.emplace_back();
            bodies_.push_back({syntax_.rules[i].body, i});
        }
        // Rules that only repetitions use come on top while this goes on.
        for (Index i = 0; i < bodies_.size(); ++i) {
            rule_ = i;
            grammar_->rules_[i].start = compile(bodies_[i].expression, accepted);
        }
        const std::vector<Index> cycle = analyze_left_calls(grammar_->nodes_, grammar_->rules_);
        if (!cycle.empty()) {
            throw left_recursion(cycle);
        }
        grammar_->tokens_ = std::move(syntax_.tokens);
        grammar_->find_byte_classes();
        return std::move(grammar_);
    }

private:
    struct Body {
        Index expression = no_index;
        // The rule of the text that it is, or is a part of.
        Index named = 0;
    };

    // An expression being compiled.
    struct Task {
        Index expression = no_index;
        Position next = accepted;
        // The part that is compiled next, and what the parts after it begin with.
        Index part = no_index;
        Position begin = accepted;
        bool begun = false;
    };

    [[nodiscard]] Index find_root(std::string_view root) const {
        const auto found = syntax_.rule_numbers.find(std::string(root));
        if (found != syntax_.rule_numbers.end()) {
            return found->second;
        }
        std::string names;
        constexpr std::size_t shown = 20;
        for (std::size_t i = 0; i < syntax_.rules.size() && i < shown; ++i) {
            names += (i == 0 ? "" : ", ") + syntax_.rules[i].name;
        }
        names += syntax_.rules.size() > shown ? ", ..." : names.empty() ? "no rules" : "";
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    "the grammar has no rule \"" + std::string(root) + "\" to start with")
            .parameter("root")
            .expected(names)
            .actual(root);
    }

    [[nodiscard]] const std::string &rule_name(Index rule) const {
        return syntax_.rules[bodies_[rule].named].name;
    }

    [[nodiscard]] Error left_recursion(const std::vector<Index> &cycle) const {
        std::string names = rule_name(cycle.front());
        Index last = bodies_[cycle.front()].named;
        for (const Index rule : cycle) {
            // Rules made for repetitions go by the name of the rule they are in.
            if (bodies_[rule].named != last) {
                names += " -> " + rule_name(rule);
                last = bodies_[rule].named;
            }
        }
        if (last != bodies_[cycle.front()].named || names == rule_name(cycle.front())) {
            names += " -> " + rule_name(cycle.front());
        }
        const Rule &first = syntax_.rules[bodies_[cycle.front()].named];
        return error_at(grammar_->text_, first.offset,
                        "left recursion: a rule enters itself before anything is read (" + names +
                            "); write repetitions as \"item more*\"")
            .expected("rules that read something before they come back to themselves")
            .actual(names);
    }

    Position emit(Node node) {
        if (grammar_->nodes_.size() == max_nodes) {
            throw error_at(grammar_->text_, syntax_.rules[bodies_[rule_].named].offset,
                           "with rule \"" + rule_name(rule_) + "\" the grammar becomes too large")
                .expected("at most " + std::to_string(max_nodes) +
                          " characters and references, repetitions counted as often as they may "
                          "occur")
                .actual("more");
        }
        grammar_->nodes_.push_back(node);
        return static_cast<Position>(grammar_->nodes_.size() - 1);
    }

    // Nested groups take no stack: what is in progress is an entry of tasks_.
    Position compile(Index expression, Position next) {
        std::vector<Task> tasks;
        Position result = accepted;
        tasks.push_back({.expression = expression, .next = next});
        while (!tasks.empty()) {
            Task &task = tasks.back();
            const Expression &what = syntax_.expressions[task.expression];
            Task inner;
            switch (what.kind) {
            case Expression::Kind::sequence:
                inner = continue_sequence(what, task, result);
                break;
            case Expression::Kind::alternatives:
                inner = continue_alternatives(what, task, result);
                break;
            case Expression::Kind::repetition:
                inner = continue_repetition(what, task, result);
                break;
            default:
                task.begin = leaf(what, task.next);
                break;
            }
            if (inner.expression == no_index) {
                result = task.begin;
                tasks.pop_back();
            } else {
                tasks.push_back(inner);
            }
        }
        return result;
    }

    // Each of these takes the part that was compiled last, if any, and returns what is to be
    // compiled next; nothing when the whole begins at task.begin.

    Task continue_sequence(const Expression &what, Task &task, Position result) {
        if (!task.begun) {
            task.begun = true;
            task.part = what.part;
            task.begin = task.next;
        } else {
            task.part = syntax_.expressions[task.part].previous;
            task.begin = result;
        }
        return {.expression = task.part, .next = task.begin};
    }

    Task continue_alternatives(const Expression &what, Task &task, Position result) {
        if (!task.begun) {
            task.begun = true;
            task.part = what.part;
        } else {
            const bool first = task.part == what.part;
            task.begin = first ? result : split(result, task.begin);
            task.part = syntax_.expressions[task.part].previous;
        }
        return {.expression = task.part, .next = task.next};
    }

    Task continue_repetition(const Expression &what, Task &task, Position result) {
        const bool endless = what.max == unlimited;
        if (!task.begun) {
            task.begun = true;
            if (what.max == 0) {
                task.begin = task.next;
                return {};
            }
            if (what.min > 1 || (what.max > 1 && !endless)) {
                task.begin = counted(what, task.next);
                return {};
            }
            // Comes back to the choice of another round.
            if (endless) {
                task.begin = split(accepted, task.next);
            }
            return {.expression = what.part, .next = endless ? task.begin : task.next};
        }
        if (endless) {
            grammar_->nodes_[task.begin].value = result;
            task.begin = what.min == 0 ? task.begin : result;
        } else {
            task.begin = what.min == 0 ? split(result, task.next) : result;
        }
        return {};
    }

    // x{2,4} is x x (x (x)?)?. What is more than a few nodes becomes a rule, so that a repetition
    // costs a node for each time, and nested ones add up instead of multiplying.
    Position counted(const Expression &what, Position next) {
        const Expression item = repeatable(what.part);
        Position begin = next;
        if (what.max == unlimited) {
            begin = split(accepted, next);
            grammar_->nodes_[begin].value = leaf(item, begin);
        } else {
            for (std::uint32_t i = what.min; i < what.max; ++i) {
                begin = split(leaf(item, begin), next);
            }
        }
        for (std::uint32_t i = 0; i < what.min; ++i) {
            begin = leaf(item, begin);
        }
        return begin;
    }

    // What stands for an expression that occurs often.
    Expression repeatable(Index part) {
        using Kind = Expression::Kind;
        constexpr std::uint32_t few = 4;
        const Expression &what = syntax_.expressions[part];
        if (what.kind == Kind::set || what.kind == Kind::token || what.kind == Kind::reference ||
            (what.kind == Kind::literal && what.size <= few)) {
            return what;
        }
        const auto rule = static_cast<Index>(grammar_->rules_.size());
        grammar_->rules_.emplace_back();
        bodies_.push_back({part, bodies_[rule_].named});
        return {.kind = Kind::reference, .first = rule};
    }

    Position leaf(const Expression &what, Position next) {
        using Kind = Expression::Kind;
        switch (what.kind) {
        case Kind::literal:
            for (std::uint32_t i = what.size; i-- > 0;) {
                const auto byte = static_cast<std::uint8_t>(syntax_.literals[what.first + i]);
                next = emit({Node::Kind::byte, byte, next});
            }
            return next;
        case Kind::set:
            return emit({Node::Kind::set, set_states_[what.first], next});
        case Kind::token:
            return emit({Node::Kind::token, what.first, next});
        default:
            return emit({Node::Kind::call, what.first, next});
        }
    }

    Position split(Position one, Position other) { return emit({Node::Kind::split, one, other}); }

    Syntax syntax_;
    std::shared_ptr<Grammar> grammar_;
    std::vector<Utf8Automaton::State> set_states_;
    std::vector<Body> bodies_;
    Index rule_ = 0;
};

std::shared_ptr<const Grammar> Grammar::compile(std::string_view text, std::string_view root) {
    return Compiler(text, root).run();
}

void Grammar::find_byte_classes() {
    // Where a byte may be told apart from the one before it.
    std::bitset<257> borders;
    const auto tell_apart = [&borders](std::size_t first, std::size_t last) {
        borders.set(first);
        borders.set(last + 1);
    };
    for (const Node &node : nodes_) {
        if (node.kind == Node::Kind::byte) {
            tell_apart(node.value, node.value);
        }
    }
    for (const Utf8Automaton::Edge &edge : characters_.edges()) {
        tell_apart(edge.first, edge.last);
    }
    std::size_t current = 0;
    for (std::size_t byte = 0; byte < byte_class_.size(); ++byte) {
        current += byte > 0 && borders.test(byte) ? 1 : 0;
        byte_class_[byte] = static_cast<std::uint8_t>(current);
    }
    byte_classes_ = current + 1;
}

} // namespace mullama::core::constraint::gbnf

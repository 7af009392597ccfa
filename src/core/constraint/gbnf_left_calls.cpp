#include "core/constraint/gbnf_left_calls.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace mullama::core::constraint::gbnf {

using Kind = Node::Kind;

namespace {

struct LeftCall {
    Index rule = 0;
    // The caller ends with the call: it leaves nothing behind to come back to.
    bool last = false;
};

class Analysis {
public:
    Analysis(std::span<const Node> nodes, std::span<CompiledRule> rules)
        : nodes_(nodes), rules_(rules), seen_(nodes.size()), calls_(rules.size()),
          waiting_(rules.size()), components_(rules.size(), unknown) {}

    std::vector<Index> run() {
        find_calls();
        find_components();
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            // Components are found callees first.
            rules_[i].order = component_count_ - 1 - components_[i];
        }
        return find_cycle();
    }

private:
    static constexpr std::uint32_t unknown = static_cast<std::uint32_t>(-1);

    // A place that some rule gets to without reading anything, if a rule before it is nullable.
    struct Place {
        Index rule = 0;
        Position position = accepted;
    };

    // Goes on wherever nothing is read. A call is passed when its rule turns out to be nullable.
    void find_calls() {
        std::vector<Place> todo;
        for (Index rule = 0; rule < rules_.size(); ++rule) {
            todo.push_back({rule, rules_[rule].start});
            while (!todo.empty()) {
                const Place place = todo.back();
                todo.pop_back();
                visit(place, todo);
            }
        }
    }

    void visit(Place place, std::vector<Place> &todo) {
        const Node &node = nodes_[place.position];
        if (node.kind == Kind::accept) {
            if (!rules_[place.rule].nullable) {
                rules_[place.rule].nullable = true;
                todo.insert(todo.end(), waiting_[place.rule].begin(), waiting_[place.rule].end());
                waiting_[place.rule].clear();
            }
            return;
        }
        // All other places belong to one rule.
        if (seen_[place.position]) {
            return;
        }
        seen_[place.position] = true;
        if (node.kind == Kind::split) {
            todo.push_back({place.rule, node.value});
            todo.push_back({place.rule, node.next});
        } else if (node.kind == Kind::call) {
            calls_[place.rule].push_back({node.value, node.next == accepted});
            const Place after{place.rule, node.next};
            if (rules_[node.value].nullable) {
                todo.push_back(after);
            } else {
                waiting_[node.value].push_back(after);
            }
        }
    }

    // Tarjan's algorithm for strongly connected components, with a stack of its own.
    void find_components() {
        std::vector<std::uint32_t> number(rules_.size(), unknown);
        std::vector<std::uint32_t> lowest(rules_.size());
        std::vector<Index> open;
        std::vector<std::pair<Index, std::size_t>> path; // a rule, and its next call
        std::uint32_t count = 0;
        const auto enter = [&](Index rule) {
            number[rule] = lowest[rule] = count++;
            open.push_back(rule);
            path.emplace_back(rule, 0);
        };
        for (Index first = 0; first < rules_.size(); ++first) {
            if (number[first] != unknown) {
                continue;
            }
            enter(first);
            while (!path.empty()) {
                const Index rule = path.back().first;
                if (path.back().second < calls_[rule].size()) {
                    const Index callee = calls_[rule][path.back().second++].rule;
                    if (number[callee] == unknown) {
                        enter(callee);
                    } else if (components_[callee] == unknown) {
                        lowest[rule] = std::min(lowest[rule], number[callee]);
                    }
                    continue;
                }
                path.pop_back();
                if (!path.empty()) {
                    const Index caller = path.back().first;
                    lowest[caller] = std::min(lowest[caller], lowest[rule]);
                }
                if (lowest[rule] == number[rule]) {
                    Index member = unknown;
                    do {
                        member = open.back();
                        open.pop_back();
                        components_[member] = component_count_;
                    } while (member != rule);
                    ++component_count_;
                }
            }
        }
    }

    // A cycle is endless when one of its calls leaves something behind.
    [[nodiscard]] std::vector<Index> find_cycle() const {
        for (Index caller = 0; caller < rules_.size(); ++caller) {
            for (const LeftCall &call : calls_[caller]) {
                if (!call.last && components_[call.rule] == components_[caller]) {
                    std::vector<Index> cycle = path(call.rule, caller);
                    std::rotate(cycle.begin(), cycle.end() - 1, cycle.end());
                    return cycle;
                }
            }
        }
        return {};
    }

    // The shortest chain of calls within a component.
    [[nodiscard]] std::vector<Index> path(Index from, Index to) const {
        std::vector<Index> caller_of(rules_.size(), unknown);
        std::vector<Index> reached{from};
        caller_of[from] = from;
        for (std::size_t i = 0; i < reached.size() && caller_of[to] == unknown; ++i) {
            for (const LeftCall &call : calls_[reached[i]]) {
                if (components_[call.rule] == components_[from] &&
                    caller_of[call.rule] == unknown) {
                    caller_of[call.rule] = reached[i];
                    reached.push_back(call.rule);
                }
            }
        }
        std::vector<Index> chain;
        for (Index rule = to; rule != from; rule = caller_of[rule]) {
            chain.push_back(rule);
        }
        chain.push_back(from);
        std::reverse(chain.begin(), chain.end());
        return chain;
    }

    std::span<const Node> nodes_;
    std::span<CompiledRule> rules_;
    std::vector<bool> seen_;
    std::vector<std::vector<LeftCall>> calls_;
    // Where others go on once the rule turns out to be nullable.
    std::vector<std::vector<Place>> waiting_;
    std::vector<std::uint32_t> components_;
    std::uint32_t component_count_ = 0;
};

} // namespace

std::vector<Index> analyze_left_calls(std::span<const Node> nodes, std::span<CompiledRule> rules) {
    return Analysis(nodes, rules).run();
}

} // namespace mullama::core::constraint::gbnf

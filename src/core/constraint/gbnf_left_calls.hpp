// What the rules of a grammar enter before they have read anything.
#pragma once

#include <span>
#include <vector>

#include "core/constraint/gbnf_grammar.hpp"

namespace mullama::core::constraint::gbnf {

// Fills in `nullable` and `order` of the rules, in time linear in the nodes. Returns the rules of a
// cycle that would have to be entered without end, in the order of their calls, or nothing.
[[nodiscard]] std::vector<Index> analyze_left_calls(std::span<const Node> nodes,
                                                    std::span<CompiledRule> rules);

} // namespace mullama::core::constraint::gbnf

// What a grammar matches, by the definition: each expression is tried at each place of the text,
// by recursion, and every place where it may end is collected. Slow, and nothing like an automaton.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "core/constraint/gbnf_syntax.hpp"

namespace mullama::test {

class GbnfReference {
public:
    enum class Verdict { no, prefix, complete, gave_up };

    GbnfReference(const core::constraint::gbnf::Syntax &syntax, std::uint32_t root)
        : syntax_(syntax), root_(root) {}

    // Whether the text is one of the grammar, or may be continued to one as far as its terminals
    // tell: whether any of them stood at the end of the text, or in a character there.
    Verdict match(std::string_view text, std::size_t steps = 100'000) {
        text_ = text;
        steps_ = steps;
        wants_more_ = false;
        known_.clear();
        Ends ends;
        // Rules that jump to each other need each other's answers.
        for (std::size_t before = static_cast<std::size_t>(-1); before != known() && steps_ > 0;) {
            before = known();
            tried_.clear();
            ends = rule(root_, 0);
        }
        if (steps_ == 0) {
            return Verdict::gave_up;
        }
        can_continue_ = wants_more_;
        if (ends.contains(text.size())) {
            return Verdict::complete;
        }
        return wants_more_ ? Verdict::prefix : Verdict::no;
    }

    // Whether the last text may be continued, complete or not.
    [[nodiscard]] bool can_continue() const { return can_continue_; }

private:
    using Ends = std::set<std::size_t>;
    using Index = core::constraint::gbnf::Index;
    using Expression = core::constraint::gbnf::Expression;

    // How much is known.
    [[nodiscard]] std::size_t known() const {
        std::size_t size = 0;
        for (const auto &[place, ends] : known_) {
            size += 1 + ends.size();
        }
        return size;
    }

    Ends rule(Index number, std::size_t at) {
        const std::pair place(number, at);
        if (tried_.insert(place).second) {
            const Ends ends = expression(syntax_.rules[number].body, at);
            known_[place].insert(ends.begin(), ends.end());
        }
        return known_[place];
    }

    Ends expression(Index number, std::size_t at) {
        if (steps_ == 0 || --steps_ == 0) {
            return {};
        }
        const Expression &what = syntax_.expressions[number];
        switch (what.kind) {
        case Expression::Kind::literal:
            return literal(what, at);
        case Expression::Kind::set:
            return set(what, at);
        case Expression::Kind::reference:
            return rule(what.first, at);
        case Expression::Kind::sequence:
            return sequence(what.part, at);
        case Expression::Kind::alternatives: {
            Ends ends;
            for (Index part = what.part; part != core::constraint::gbnf::no_index;
                 part = syntax_.expressions[part].previous) {
                ends.merge(expression(part, at));
            }
            return ends;
        }
        case Expression::Kind::repetition:
            return repetition(what, at);
        default:
            // Token elements match no bytes; a token may come after them.
            wants_more_ = wants_more_ || at == text_.size();
            return {};
        }
    }

    // The parts up to `last`, the first of which begins at `at`.
    Ends sequence(Index last, std::size_t at) {
        if (last == core::constraint::gbnf::no_index) {
            return {at};
        }
        Ends ends;
        for (const std::size_t middle : sequence(syntax_.expressions[last].previous, at)) {
            ends.merge(expression(last, middle));
        }
        return ends;
    }

    Ends repetition(const Expression &what, std::size_t at) {
        Ends ends;
        Ends now{at};
        std::set<Ends> before;
        for (std::uint32_t times = 0; steps_ > 0; ++times) {
            if (times >= what.min) {
                ends.insert(now.begin(), now.end());
                // What was there before comes round again.
                if (!before.insert(now).second) {
                    break;
                }
            }
            if (now.empty() || times == what.max) {
                break;
            }
            Ends next;
            for (const std::size_t middle : now) {
                next.merge(expression(what.part, middle));
            }
            now = std::move(next);
        }
        return ends;
    }

    Ends literal(const Expression &what, std::size_t at) {
        const std::string_view bytes =
            std::string_view(syntax_.literals).substr(what.first, what.size);
        const std::string_view rest = text_.substr(at);
        if (rest.starts_with(bytes)) {
            return {at + bytes.size()};
        }
        wants_more_ = wants_more_ || bytes.starts_with(rest);
        return {};
    }

    // Tries the characters that the bytes may be the beginning of.
    Ends set(const Expression &what, std::size_t at) {
        if (at == text_.size()) {
            wants_more_ = true;
            return {};
        }
        const auto byte = [&](std::size_t i) {
            return static_cast<std::uint32_t>(static_cast<unsigned char>(text_[at + i]));
        };
        const std::uint32_t lead = byte(0);
        const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4) {
            return {};
        }
        const std::size_t have = std::min(size, text_.size() - at);
        std::uint32_t value = size == 1 ? lead : lead & (0x7FU >> size);
        for (std::size_t i = 1; i < have; ++i) {
            if ((byte(i) & 0xC0) != 0x80) {
                return {};
            }
            value = value << 6 | (byte(i) & 0x3F);
        }
        constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        const auto missing = static_cast<unsigned>(6 * (size - have));
        const std::uint32_t low = std::max(value << missing, least[size]);
        const std::uint32_t high = (value << missing) | ((1U << missing) - 1);
        for (const auto &range : syntax_.sets[what.first].ranges()) {
            if (range.first <= high && low <= range.last) {
                if (have == size) {
                    return {at + size};
                }
                wants_more_ = true;
            }
        }
        return {};
    }

    const core::constraint::gbnf::Syntax &syntax_;
    std::uint32_t root_;
    std::string_view text_;
    std::size_t steps_ = 0;
    bool wants_more_ = false;
    bool can_continue_ = false;
    std::map<std::pair<Index, std::size_t>, Ends> known_;
    std::set<std::pair<Index, std::size_t>> tried_;
};

} // namespace mullama::test

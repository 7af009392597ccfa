// Any bytes at all, read as a grammar, and more bytes as a text for it. What is wrong with a
// grammar comes back as an error that says where; a text gets the same verdict from the automaton
// as from the definition (tests/support/gbnf_reference.hpp), and a matcher that has to forget all
// the time goes on like one that doesn't.
//
// The input is the grammar, a byte FF, which no text has, and the text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "core/constraint/gbnf_matcher.hpp"
#include "core/constraint/gbnf_parser.hpp"
#include "support/gbnf_reference.hpp"

namespace {

using namespace mullama::core::constraint;
using mullama::base::Error;
using mullama::test::GbnfReference;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

void require_useful(const Error &error, std::size_t size) {
    require(!error.message().empty());
    require(error.code() == MULLAMA_ERROR_INVALID_ARGUMENT ||
            error.code() == MULLAMA_ERROR_INVALID_UTF8);
    require(!error.parts().parameter.empty());
    require(error.parts().offset <= static_cast<std::int64_t>(size));
    if (error.code() == MULLAMA_ERROR_INVALID_ARGUMENT) {
        require(!error.parts().expected.empty() && !error.parts().actual.empty());
        require(error.parts().parameter == "root" || error.parts().line >= 1);
    }
}

// Only grammars and texts for which the definition doesn't take forever.
void compare(const gbnf::Syntax &syntax, gbnf::Matcher matcher, std::string_view text) {
    constexpr std::size_t short_text = 12;
    constexpr std::size_t few_steps = 20'000;
    GbnfReference reference(syntax, syntax.rule_numbers.at("root"));
    text = text.substr(0, short_text);
    const auto verdict = reference.match(text, few_steps);
    if (verdict == GbnfReference::Verdict::gave_up) {
        return;
    }
    const bool alive = matcher.accept(text);
    require(alive == (verdict != GbnfReference::Verdict::no));
    if (alive) {
        require(matcher.can_end() == (verdict == GbnfReference::Verdict::complete));
        require(matcher.is_final() == !reference.can_continue());
    }
}

void match(const std::shared_ptr<const gbnf::Grammar> &grammar, std::string_view text) {
    gbnf::Matcher matcher(grammar);
    gbnf::Matcher forgetful(grammar, nullptr, 256);
    for (const char &byte : text) {
        const std::string_view one(&byte, 1);
        const bool accepted = matcher.accept(one);
        require(forgetful.accept(one) == accepted);
        if (!accepted) {
            return;
        }
        require(forgetful.can_end() == matcher.can_end());
        require(forgetful.is_final() == matcher.is_final());
        // What can neither end nor go on would never have been accepted.
        require(matcher.can_end() || !matcher.is_final());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char *>(data), size);
    const std::size_t border = std::min(input.find('\xFF'), size);
    const std::string_view text = input.substr(std::min(size, border + 1));
    const std::string_view grammar_text = input.substr(0, border);
    std::shared_ptr<const gbnf::Grammar> grammar;
    try {
        grammar = gbnf::Grammar::compile(grammar_text, "root");
    } catch (const Error &error) {
        require_useful(error, grammar_text.size());
        return 0;
    }
    try {
        match(grammar, text);
        compare(gbnf::parse(grammar_text), gbnf::Matcher(grammar), text);
    } catch (const Error &error) {
        require(error.code() == MULLAMA_ERROR_UNSUPPORTED);
    }
    return 0;
}

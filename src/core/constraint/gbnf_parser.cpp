#include "core/constraint/gbnf_parser.hpp"

#include <array>
#include <cstdint>
#include <limits>

#include "base/utf8.hpp"

namespace mullama::core::constraint::gbnf {

using base::Error;
using Kind = Expression::Kind;

namespace {

constexpr std::string_view name_hint = "; names are made of letters, digits and \"-\"";

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_name_character(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-';
}

int hex_value(char c) noexcept {
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_surrogate(std::uint32_t code_point) noexcept {
    return code_point >= 0xD800 && code_point <= 0xDFFF;
}

void append_utf8(std::string &out, std::uint32_t code_point) {
    const auto add = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code_point < 0x80) {
        add(code_point);
    } else if (code_point < 0x800) {
        add(0xC0 | (code_point >> 6));
        add(0x80 | (code_point & 0x3F));
    } else if (code_point < 0x10000) {
        add(0xE0 | (code_point >> 12));
        add(0x80 | ((code_point >> 6) & 0x3F));
        add(0x80 | (code_point & 0x3F));
    } else {
        add(0xF0 | (code_point >> 18));
        add(0x80 | ((code_point >> 12) & 0x3F));
        add(0x80 | ((code_point >> 6) & 0x3F));
        add(0x80 | (code_point & 0x3F));
    }
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Syntax parse() {
        skip_space(true);
        while (!at_end()) {
            rule();
        }
        require_definitions();
        return std::move(syntax_);
    }

private:
    // A group whose ")" is still to come; the first one is the rule itself.
    struct Group {
        std::size_t offset = 0;
        Index last_alternative = no_index;
        Index last_item = no_index;
    };

    // --- the text ---

    [[nodiscard]] bool at_end() const noexcept { return at_ == text_.size(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
        return text_.size() - at_ > ahead ? text_[at_ + ahead] : '\0';
    }
    [[nodiscard]] bool next_is(char c) const noexcept { return !at_end() && text_[at_] == c; }
    [[nodiscard]] bool starts_with(std::string_view what) const noexcept {
        return text_.substr(at_).starts_with(what);
    }

    // What stands at an offset, for a message.
    [[nodiscard]] std::string found(std::size_t offset) const {
        if (offset >= text_.size()) {
            return "the end of the grammar";
        }
        const auto byte = static_cast<unsigned char>(text_[offset]);
        if (byte == '\n' || byte == '\r') {
            return "the end of the line";
        }
        if (byte == '"') {
            return "'\"'";
        }
        if (byte < 0x20 || byte == 0x7F) {
            constexpr std::string_view digits = "0123456789ABCDEF";
            return std::string("the control character U+00") + digits[byte >> 4] +
                   digits[byte & 15];
        }
        std::size_t size = 1;
        while (offset + size < text_.size() &&
               (static_cast<unsigned char>(text_[offset + size]) & 0xC0) == 0x80) {
            ++size;
        }
        return '"' + std::string(text_.substr(offset, size)) + '"';
    }

    [[noreturn]] void unexpected(std::string_view expected, std::string_view hint = {}) const {
        const std::string actual = found(at_);
        throw error_at(text_, at_,
                       "expected " + std::string(expected) + ", found " + actual +
                           std::string(hint))
            .expected(expected)
            .actual(actual);
    }

    // Spaces and comments; line ends only where a rule cannot end.
    void skip_space(bool lines) noexcept {
        while (!at_end()) {
            const char c = text_[at_];
            if (c == '#') {
                while (!at_end() && text_[at_] != '\n' && text_[at_] != '\r') {
                    ++at_;
                }
            } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
                ++at_;
            } else {
                return;
            }
        }
    }

    // --- rules ---

    std::string_view name() {
        const std::size_t begin = at_;
        while (!at_end() && is_name_character(text_[at_])) {
            ++at_;
        }
        return text_.substr(begin, at_ - begin);
    }

    Index rule_number(std::string_view name, std::size_t offset) {
        const auto [entry, is_new] =
            syntax_.rule_numbers.try_emplace(std::string(name), syntax_.rules.size());
        if (is_new) {
            syntax_.rules.push_back({entry->first, static_cast<std::uint32_t>(offset), no_index});
        }
        return entry->second;
    }

    void rule() {
        const std::size_t begin = at_;
        const std::string_view rule_name = name();
        if (rule_name.empty()) {
            unexpected("the name of a rule",
                       next_is('|') || next_is(')')
                           ? "; a rule ends with its line, unless that ends with \"|\" or inside "
                             "parentheses"
                           : "");
        }
        skip_space(false);
        if (!starts_with("::=")) {
            unexpected("\"::=\" after the rule's name", next_is('_') ? name_hint : "");
        }
        at_ += 3;
        const Index number = rule_number(rule_name, begin);
        if (syntax_.rules[number].body != no_index) {
            const auto first = base::text_position(text_, syntax_.rules[number].offset);
            throw error_at(text_, begin,
                           "rule \"" + std::string(rule_name) +
                               "\" is defined twice, first in line " + std::to_string(first.line))
                .expected("one definition of each rule")
                .actual("a second definition of \"" + std::string(rule_name) + '"');
        }
        skip_space(true);
        const Index body = alternatives();
        syntax_.rules[number].body = body;
        syntax_.rules[number].offset = static_cast<std::uint32_t>(begin);
        if (!at_end() && !next_is('\n') && !next_is('\r')) {
            unexpected("an item of the rule, or the end of the line",
                       next_is('_') ? name_hint : "");
        }
        skip_space(true);
    }

    void require_definitions() const {
        const Rule *first = nullptr;
        for (const Rule &candidate : syntax_.rules) {
            if (candidate.body == no_index &&
                (first == nullptr || candidate.offset < first->offset)) {
                first = &candidate;
            }
        }
        if (first != nullptr) {
            throw error_at(text_, first->offset, "rule \"" + first->name + "\" is not defined")
                .expected("a definition, \"" + first->name + " ::= ...\"")
                .actual("none");
        }
    }

    // --- expressions ---

    Index add(const Expression &expression) {
        syntax_.expressions.push_back(expression);
        return static_cast<Index>(syntax_.expressions.size() - 1);
    }

    void append_item(const Expression &expression) {
        const Index item = add(expression);
        syntax_.expressions[item].previous = groups_.back().last_item;
        groups_.back().last_item = item;
    }

    // The whole of parts that end with `last`; a part that is alone stands for it.
    Index whole(Kind kind, Index last) {
        if (last != no_index && syntax_.expressions[last].previous == no_index) {
            return last;
        }
        return add({.kind = kind, .part = last});
    }

    // The items since the last "|" become an alternative.
    void end_alternative() {
        Group &group = groups_.back();
        const Index alternative = whole(Kind::sequence, group.last_item);
        syntax_.expressions[alternative].previous = group.last_alternative;
        group.last_alternative = alternative;
        group.last_item = no_index;
    }

    Index end_group() {
        end_alternative();
        const Index group = whole(Kind::alternatives, groups_.back().last_alternative);
        groups_.pop_back();
        return group;
    }

    // A group in progress is an entry of groups_, not a call, so that nesting costs no stack.
    Index alternatives() {
        groups_.assign(1, Group{at_, no_index, no_index});
        for (;;) {
            const char c = peek();
            const bool nested = groups_.size() > 1;
            if (at_end()) {
                break;
            }
            if (c == '(') {
                groups_.push_back({at_, no_index, no_index});
                ++at_;
                skip_space(true);
            } else if (c == ')' && nested) {
                ++at_;
                const Index group = end_group();
                // It is an item now; what it was part of is complete.
                syntax_.expressions[group].previous = groups_.back().last_item;
                groups_.back().last_item = group;
                skip_space(groups_.size() > 1);
            } else if (c == '|') {
                end_alternative();
                ++at_;
                skip_space(true);
            } else if (!item(c)) {
                break;
            } else {
                skip_space(nested);
            }
        }
        if (groups_.size() > 1) {
            const auto open = base::text_position(text_, groups_.back().offset);
            unexpected("\")\"", "; the group was opened in line " + std::to_string(open.line) +
                                    ", column " + std::to_string(open.column));
        }
        return end_group();
    }

    // One item, or what repeats the last one; false where there is neither.
    bool item(char c) {
        switch (c) {
        case '"':
            literal();
            return true;
        case '[':
            set();
            return true;
        case '.':
            ++at_;
            append_item({.kind = Kind::set, .first = any_character()});
            return true;
        case '<':
        case '!':
            token();
            return true;
        case '*':
            ++at_;
            repeat(at_ - 1, 0, unlimited);
            return true;
        case '+':
            ++at_;
            repeat(at_ - 1, 1, unlimited);
            return true;
        case '?':
            ++at_;
            repeat(at_ - 1, 0, 1);
            return true;
        case '{':
            counted_repetition();
            return true;
        default:
            if (!is_name_character(c)) {
                return false;
            }
            const std::size_t begin = at_;
            const std::string_view referred = name();
            append_item({.kind = Kind::reference, .first = rule_number(referred, begin)});
            return true;
        }
    }

    void repeat(std::size_t offset, std::uint32_t min, std::uint32_t max) {
        const Index last = groups_.back().last_item;
        if (last == no_index) {
            at_ = offset;
            unexpected("an item in front of what repeats it");
        }
        const Index repetition =
            add({.kind = Kind::repetition, .part = last, .min = min, .max = max});
        syntax_.expressions[repetition].previous = syntax_.expressions[last].previous;
        syntax_.expressions[last].previous = no_index;
        groups_.back().last_item = repetition;
    }

    void counted_repetition() {
        const std::size_t begin = at_;
        const bool nested = groups_.size() > 1;
        ++at_;
        skip_space(nested);
        const std::uint32_t min = count();
        std::uint32_t max = min;
        skip_space(nested);
        if (next_is(',')) {
            ++at_;
            skip_space(nested);
            max = unlimited;
            if (!at_end() && is_digit(text_[at_])) {
                const std::size_t max_offset = at_;
                max = count();
                if (max < min) {
                    throw error_at(text_, max_offset,
                                   "a repetition of at least " + std::to_string(min) +
                                       " and at most " + std::to_string(max) + " times")
                        .expected("at least " + std::to_string(min))
                        .actual(max);
                }
                skip_space(nested);
            }
        }
        if (!next_is('}')) {
            unexpected(max == min ? "\",\" or \"}\"" : "\"}\"");
        }
        ++at_;
        repeat(begin, min, max);
    }

    std::uint32_t count() {
        if (at_end() || !is_digit(text_[at_])) {
            unexpected("a number of repetitions");
        }
        const std::size_t begin = at_;
        std::uint32_t value = 0;
        for (; !at_end() && is_digit(text_[at_]); ++at_) {
            if (value <= max_repetitions) {
                value = value * 10 + static_cast<std::uint32_t>(text_[at_] - '0');
            }
        }
        if (value > max_repetitions) {
            throw error_at(text_, begin, "too many repetitions")
                .expected("at most " + std::to_string(max_repetitions))
                .actual(text_.substr(begin, at_ - begin));
        }
        return value;
    }

    // --- characters ---

    // One character of a literal or a class, which is not at its end.
    std::uint32_t character() {
        if (text_[at_] != '\\') {
            return plain_character();
        }
        const std::size_t begin = at_;
        ++at_;
        const char c = peek();
        ++at_;
        switch (at_ > text_.size() ? '\0' : c) {
        case 'x':
            return hexadecimal(begin, 2);
        case 'u':
            return hexadecimal(begin, 4);
        case 'U':
            return hexadecimal(begin, 8);
        case 't':
            return '\t';
        case 'r':
            return '\r';
        case 'n':
            return '\n';
        case '\\':
        case '"':
        case '[':
        case ']':
        case '-':
            return static_cast<std::uint32_t>(c);
        default:
            at_ = begin + 1;
            unexpected("\\n, \\r, \\t, \\xXX, \\uXXXX, \\UXXXXXXXX, or one of \\ \" [ ] - after "
                       "the backslash");
        }
    }

    // The text is UTF-8.
    std::uint32_t plain_character() noexcept {
        const auto lead = static_cast<unsigned char>(text_[at_++]);
        if (lead < 0x80) {
            return lead;
        }
        const unsigned rest = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        std::uint32_t code_point = lead & (0x3FU >> rest);
        for (unsigned i = 0; i < rest; ++i) {
            code_point = (code_point << 6) | (static_cast<unsigned char>(text_[at_++]) & 0x3FU);
        }
        return code_point;
    }

    std::uint32_t hexadecimal(std::size_t begin, unsigned digits) {
        std::uint32_t value = 0;
        for (unsigned i = 0; i < digits; ++i, ++at_) {
            const int digit = at_end() ? -1 : hex_value(text_[at_]);
            if (digit < 0) {
                unexpected(std::to_string(digits) + " hexadecimal digits");
            }
            value = value * 16 + static_cast<std::uint32_t>(digit);
        }
        if (value > max_code_point) {
            throw error_at(text_, begin, "a character beyond the last one of Unicode")
                .expected("at most \\U0010FFFF")
                .actual(text_.substr(begin, at_ - begin));
        }
        return value;
    }

    void literal() {
        const std::size_t begin = at_++;
        const std::size_t first = syntax_.literals.size();
        while (!next_is('"')) {
            if (at_end()) {
                unterminated(begin, "literal", "'\"'");
            }
            const std::size_t offset = at_;
            const std::uint32_t code_point = character();
            if (is_surrogate(code_point)) {
                throw error_at(text_, offset, "a surrogate, which no text contains")
                    .expected("one escape for the whole character, \\UXXXXXXXX")
                    .actual(text_.substr(offset, at_ - offset));
            }
            append_utf8(syntax_.literals, code_point);
        }
        ++at_;
        append_item({.kind = Kind::literal,
                     .first = static_cast<std::uint32_t>(first),
                     .size = static_cast<std::uint32_t>(syntax_.literals.size() - first)});
    }

    [[noreturn]] void unterminated(std::size_t begin, std::string_view what,
                                   std::string_view expected) const {
        throw error_at(text_, begin,
                       "a " + std::string(what) + " that does not end: " + std::string(expected) +
                           " is missing")
            .expected(expected)
            .actual("the end of the grammar");
    }

    void set() {
        const std::size_t begin = at_++;
        const bool negated = next_is('^');
        at_ += negated ? 1 : 0;
        if (next_is(']')) {
            throw error_at(text_, begin, "a class without characters")
                .expected("characters; \\] for a bracket, \".\" for any character")
                .actual(negated ? "[^]" : "[]");
        }
        CodePointSet set;
        while (!next_is(']')) {
            if (at_end()) {
                unterminated(begin, "class", "\"]\"");
            }
            const std::size_t offset = at_;
            const std::uint32_t first = character();
            std::uint32_t last = first;
            if (next_is('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
                ++at_;
                last = character();
            }
            if (last < first) {
                throw error_at(text_, offset, "a range whose ends are in the wrong order")
                    .expected("the lower character first")
                    .actual(text_.substr(offset, at_ - offset));
            }
            set.add(first, last);
        }
        ++at_;
        if (negated) {
            set.complement();
        } else {
            set.normalize();
        }
        if (set.empty()) {
            throw error_at(text_, begin, "a class that matches no character")
                .expected("a class that matches at least one character")
                .actual(text_.substr(begin, at_ - begin));
        }
        syntax_.sets.push_back(std::move(set));
        append_item(
            {.kind = Kind::set, .first = static_cast<std::uint32_t>(syntax_.sets.size() - 1)});
    }

    std::uint32_t any_character() {
        if (any_ == no_index) {
            CodePointSet set;
            set.complement();
            any_ = static_cast<Index>(syntax_.sets.size());
            syntax_.sets.push_back(std::move(set));
        }
        return any_;
    }

    // --- tokens ---

    void token() {
        TokenElement element;
        element.offset = static_cast<std::uint32_t>(at_);
        element.negated = next_is('!');
        at_ += element.negated ? 1 : 0;
        if (!next_is('<')) {
            unexpected("a token, <[number]> or <text>, after \"!\"");
        }
        const std::size_t begin = at_++;
        if (next_is('[')) {
            ++at_;
            element.id = token_number();
            if (!starts_with("]>")) {
                unexpected("\"]>\" after the token's number");
            }
            at_ += 2;
        } else {
            const std::size_t end = text_.find('>', at_);
            if (end == std::string_view::npos) {
                unterminated(begin, "token", "\">\"");
            }
            at_ = end + 1;
            element.text = text_.substr(begin, at_ - begin);
        }
        syntax_.tokens.push_back(std::move(element));
        append_item(
            {.kind = Kind::token, .first = static_cast<std::uint32_t>(syntax_.tokens.size() - 1)});
    }

    std::uint32_t token_number() {
        if (at_end() || !is_digit(text_[at_])) {
            unexpected("the number of a token");
        }
        constexpr std::uint64_t most = std::numeric_limits<std::int32_t>::max();
        const std::size_t begin = at_;
        std::uint64_t value = 0;
        for (; !at_end() && is_digit(text_[at_]); ++at_) {
            if (value <= most) {
                value = value * 10 + static_cast<std::uint64_t>(text_[at_] - '0');
            }
        }
        if (value > most) {
            throw error_at(text_, begin, "the number of a token is too large")
                .expected("at most " + std::to_string(most))
                .actual(text_.substr(begin, at_ - begin));
        }
        return static_cast<std::uint32_t>(value);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    Syntax syntax_;
    std::vector<Group> groups_;
    Index any_ = no_index;
};

} // namespace

Error error_at(std::string_view text, std::size_t offset, std::string_view message) {
    const base::TextPosition position = base::text_position(text, offset);
    Error error(MULLAMA_ERROR_INVALID_ARGUMENT, "grammar, line " + std::to_string(position.line) +
                                                    ", column " + std::to_string(position.column) +
                                                    ": " + std::string(message));
    error.parameter("grammar")
        .offset(static_cast<std::int64_t>(offset))
        .at(position.line, position.column);
    return error;
}

Syntax parse(std::string_view text) {
    if (text.size() > max_text_size) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "the grammar is too long")
            .parameter("grammar")
            .expected("at most " + std::to_string(max_text_size) + " bytes")
            .actual(text.size());
    }
    base::require_utf8(text, "grammar");
    return Parser(text).parse();
}

} // namespace mullama::core::constraint::gbnf

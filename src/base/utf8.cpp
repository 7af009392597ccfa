#include "base/utf8.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cstring>

namespace mullama::base {
namespace {

enum class Kind {
    whole,      // a character
    ill_formed, // never one, whatever follows
    unfinished, // the bytes end inside what may still become one
};

struct Sequence {
    Kind kind;
    std::size_t size; // of the character, or of the maximal subpart
};

unsigned byte_at(std::string_view text, std::size_t index) noexcept {
    return static_cast<unsigned char>(text[index]);
}

bool is_continuation(unsigned byte) noexcept {
    return (byte & 0xC0u) == 0x80u;
}

// What a lead byte asks for. The range of the second byte is where overlong forms (E0, F0),
// surrogates (ED) and values above U+10FFFF (F4) are told apart; see table 3-7 of the Unicode
// Standard.
struct Lead {
    std::size_t size; // 0: no character starts with this byte
    unsigned second_min;
    unsigned second_max;
};

Lead lead_of(unsigned byte) noexcept {
    return byte < 0x80    ? Lead{1, 0, 0}
           : byte < 0xC2  ? Lead{0, 0, 0}
           : byte < 0xE0  ? Lead{2, 0x80, 0xBF}
           : byte == 0xE0 ? Lead{3, 0xA0, 0xBF}
           : byte == 0xED ? Lead{3, 0x80, 0x9F}
           : byte < 0xF0  ? Lead{3, 0x80, 0xBF}
           : byte == 0xF0 ? Lead{4, 0x90, 0xBF}
           : byte < 0xF4  ? Lead{4, 0x80, 0xBF}
           : byte == 0xF4 ? Lead{4, 0x80, 0x8F}
                          : Lead{0, 0, 0};
}

// The sequence at the start of `bytes`, which is not empty.
Sequence first_sequence(std::string_view bytes) noexcept {
    const Lead lead = lead_of(byte_at(bytes, 0));
    if (lead.size == 0)
        return {Kind::ill_formed, 1};
    for (std::size_t i = 1; i < lead.size; ++i) {
        if (i == bytes.size())
            return {Kind::unfinished, i};
        const unsigned byte = byte_at(bytes, i);
        const bool fits =
            i == 1 ? byte >= lead.second_min && byte <= lead.second_max : is_continuation(byte);
        if (!fits)
            return {Kind::ill_formed, i};
    }
    return {Kind::whole, lead.size};
}

// The offset of the first byte from `from` on that is not ASCII.
std::size_t skip_ascii(std::string_view text, std::size_t from) noexcept {
    constexpr std::uint64_t high_bits = 0x8080808080808080u;
    while (text.size() - from >= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + from, sizeof word);
        if ((word & high_bits) != 0)
            break;
        from += sizeof word;
    }
    while (from < text.size() && byte_at(text, from) < 0x80)
        ++from;
    return from;
}

} // namespace

std::size_t find_invalid_utf8(std::string_view text) noexcept {
    std::size_t at = skip_ascii(text, 0);
    while (at < text.size()) {
        const Sequence sequence = first_sequence(text.substr(at));
        if (sequence.kind != Kind::whole)
            return at;
        at += sequence.size;
        if (at < text.size() && byte_at(text, at) < 0x80)
            at = skip_ascii(text, at);
    }
    return std::string_view::npos;
}

void require_utf8(std::string_view text, std::string_view parameter) {
    const std::size_t at = find_invalid_utf8(text);
    if (at == std::string_view::npos)
        return;
    constexpr std::string_view digits = "0123456789ABCDEF";
    const unsigned byte = byte_at(text, at);
    std::string actual = "byte 0x";
    actual += digits[byte >> 4];
    actual += digits[byte & 15u];
    const bool unfinished = first_sequence(text.substr(at)).kind == Kind::unfinished;
    throw Error(MULLAMA_ERROR_INVALID_UTF8,
                std::string(parameter) + " is not UTF-8: " +
                    (unfinished ? "it ends inside the character that starts at offset "
                                : "no character is encoded like that at offset ") +
                    std::to_string(at))
        .parameter(parameter)
        .expected("UTF-8")
        .actual(actual)
        .offset(static_cast<std::int64_t>(at));
}

std::size_t complete_utf8_prefix(std::string_view bytes) noexcept {
    // An unfinished sequence has at most three bytes, and only its first is no continuation.
    const std::size_t reach = std::min<std::size_t>(bytes.size(), 3);
    for (std::size_t back = 1; back <= reach; ++back) {
        const std::size_t at = bytes.size() - back;
        if (is_continuation(byte_at(bytes, at)))
            continue;
        return first_sequence(bytes.substr(at)).kind == Kind::unfinished ? at : bytes.size();
    }
    return bytes.size();
}

std::string replace_invalid_utf8(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    Utf8Stream stream;
    stream.push(bytes, text);
    stream.finish(text);
    return text;
}

TextPosition text_position(std::string_view text, std::size_t offset) noexcept {
    offset = std::min(offset, text.size());
    // Inside a character: step back to its first byte.
    if (offset < text.size()) {
        for (int steps = 0; steps < 3 && offset > 0 && is_continuation(byte_at(text, offset));
             ++steps) {
            --offset;
        }
    }
    TextPosition position;
    std::size_t line_start = 0;
    for (std::size_t i = text.find('\n'); i < offset; i = text.find('\n', i + 1)) {
        ++position.line;
        line_start = i + 1;
    }
    for (std::size_t i = line_start; i < offset; ++i) {
        if (!is_continuation(byte_at(text, i)))
            ++position.column;
    }
    return position;
}

void Utf8Stream::push(std::string_view bytes, std::string &out) {
    while (held_size_ > 0 && !bytes.empty()) {
        held_[held_size_] = bytes.front();
        const Sequence sequence = first_sequence({held_.data(), held_size_ + 1});
        if (sequence.kind == Kind::ill_formed) {
            // The new byte doesn't continue what is held, and may start something itself.
            out += replacement_character;
            held_size_ = 0;
            break;
        }
        bytes.remove_prefix(1);
        ++held_size_;
        if (sequence.kind == Kind::whole) {
            out.append(held_.data(), held_size_);
            held_size_ = 0;
        }
    }
    while (!bytes.empty()) {
        const std::size_t good = std::min(find_invalid_utf8(bytes), bytes.size());
        out.append(bytes.substr(0, good));
        bytes.remove_prefix(good);
        if (bytes.empty())
            return;
        const Sequence sequence = first_sequence(bytes);
        if (sequence.kind == Kind::unfinished) {
            std::copy_n(bytes.data(), bytes.size(), held_.data());
            held_size_ = bytes.size();
            return;
        }
        out += replacement_character;
        bytes.remove_prefix(sequence.size);
    }
}

void Utf8Stream::finish(std::string &out) {
    if (held_size_ > 0)
        out += replacement_character;
    held_size_ = 0;
}

} // namespace mullama::base

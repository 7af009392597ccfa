// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
// Nothing here looks at the locale.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mullama::base {

// U+FFFD, what stands in for bytes that are no character.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

// The offset at which `text` stops being UTF-8: where its first ill-formed or unfinished sequence
// starts. std::string_view::npos when all of it is well-formed.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text) noexcept;

// Throws MULLAMA_ERROR_INVALID_UTF8 with the offset, the byte and the parameter's name, unless
// `text` is UTF-8.
void require_utf8(std::string_view text, std::string_view parameter);

// The length of `bytes` without an unfinished sequence at its end that more bytes could still
// complete. Ill-formed bytes count as finished: nothing that follows can mend them.
[[nodiscard]] std::size_t complete_utf8_prefix(std::string_view bytes) noexcept;

// A copy in which each maximal subpart of an ill-formed sequence (Unicode 3.9, "U+FFFD Substitution
// of Maximal Subparts") is one U+FFFD, as Python, Rust and web browsers do it.
[[nodiscard]] std::string replace_invalid_utf8(std::string_view bytes);

// Where a person finds an offset in an editor.
struct TextPosition {
    std::int64_t line = 1;   // from 1; lines end with "\n"
    std::int64_t column = 1; // from 1, in characters
};

// The position of the character that the byte at `offset` belongs to. An offset past the end means
// the end. The text up to the offset should be UTF-8; each of its bytes that starts no character
// counts as part of the one before it.
[[nodiscard]] TextPosition text_position(std::string_view text, std::size_t offset) noexcept;

// Turns bytes that arrive in arbitrary pieces into text that never ends inside a character. What
// comes out in all equals replace_invalid_utf8() of what went in, wherever it was cut.
class Utf8Stream {
public:
    // Appends to `out` what is decided so far: whole characters, and U+FFFD for what can no longer
    // become one. At most three bytes are held back.
    void push(std::string_view bytes, std::string &out);

    // The input ends here: what is held back becomes one U+FFFD. The stream is then as new.
    void finish(std::string &out);

    // Forgets what is held back.
    void clear() noexcept { held_size_ = 0; }

    // The bytes held back: the start of a character whose rest is still to come.
    [[nodiscard]] std::string_view held() const noexcept { return {held_.data(), held_size_}; }

private:
    std::array<char, 4> held_{};
    std::size_t held_size_ = 0;
};

} // namespace mullama::base

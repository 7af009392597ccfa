// Reads GBNF, llama.cpp's notation for grammars (its grammars/README.md). docs/grammars.md is what
// users are told, and has the few places where this parser is stricter.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "core/constraint/gbnf_syntax.hpp"

namespace mullama::core::constraint::gbnf {

inline constexpr std::size_t max_text_size = std::size_t{16} << 20;
inline constexpr std::uint32_t max_repetitions = 100'000;

// Every rule that is used is defined. Takes time and memory linear in the text, and no stack for
// nested groups.
//
// Throws MULLAMA_ERROR_INVALID_UTF8, or MULLAMA_ERROR_INVALID_ARGUMENT with the line and the
// column; the parameter is "grammar".
[[nodiscard]] Syntax parse(std::string_view text);

// An error of the grammar at an offset of its text.
[[nodiscard]] base::Error error_at(std::string_view text, std::size_t offset,
                                   std::string_view message);

} // namespace mullama::core::constraint::gbnf

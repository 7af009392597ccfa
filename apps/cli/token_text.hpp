// The bytes of one token, which need not be whole characters, for people and for programs.
#pragma once

#include <string>
#include <string_view>

#include "cli/json_writer.hpp"

namespace mullama::cli {

// "\n", "é", "\xE2\x82": a quoted string with what cannot be seen escaped.
[[nodiscard]] std::string quote_piece(std::string_view piece);

// A string, or an array of the bytes where they are no UTF-8.
void write_piece(JsonWriter &out, std::string_view piece);

} // namespace mullama::cli

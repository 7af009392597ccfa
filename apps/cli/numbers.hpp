// Numbers as a person types them; what is none throws UsageError, with the flag it was given to.
#pragma once

#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "cli/usage_error.hpp"

namespace mullama::cli {

template <class Integer>
[[nodiscard]] Integer parse_integer(std::string_view flag, std::string_view text) {
    Integer number{};
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size()) {
        throw UsageError(std::string(flag) + " must be a whole number from " +
                         std::to_string(std::numeric_limits<Integer>::min()) + " to " +
                         std::to_string(std::numeric_limits<Integer>::max()) + ", not '" +
                         std::string(text) + "'");
    }
    return number;
}

[[nodiscard]] double parse_real(std::string_view flag, std::string_view text);

// Numbers between commas.
[[nodiscard]] std::vector<float> parse_shares(std::string_view flag, std::string_view text);

// The parts between commas.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text);

} // namespace mullama::cli

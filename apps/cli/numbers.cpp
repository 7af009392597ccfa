#include "cli/numbers.hpp"

#include <cmath>

namespace mullama::cli {

double parse_real(std::string_view flag, std::string_view text) {
    double number{};
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size() ||
        std::isnan(number)) {
        throw UsageError(std::string(flag) + " must be a number, not '" + std::string(text) + "'");
    }
    return number;
}

std::vector<float> parse_shares(std::string_view flag, std::string_view text) {
    std::vector<float> shares;
    for (const std::string_view share : split_list(text)) {
        shares.push_back(static_cast<float>(parse_real(flag, share)));
    }
    return shares;
}

std::vector<std::string_view> split_list(std::string_view text) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t comma = text.find(',');
        parts.push_back(text.substr(0, comma));
        if (comma == text.npos) {
            return parts;
        }
        text.remove_prefix(comma + 1);
    }
}

} // namespace mullama::cli

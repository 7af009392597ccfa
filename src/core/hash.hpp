// A hash that tells things apart. It is no protection against somebody who wants two to look alike.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mullama::core {

// 128 bits of XXH3 over all texts and their lengths, as 32 hexadecimal digits.
[[nodiscard]] std::string hash_texts(std::span<const std::string> texts);

} // namespace mullama::core

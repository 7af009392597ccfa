// A hash that tells things apart. It is no protection against somebody who wants two to look alike.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace mullama::core {

// 128 bits of XXH3 over all texts and their lengths, as 32 hexadecimal digits.
[[nodiscard]] std::string hash_texts(std::span<const std::string> texts);

// 128 bits of XXH3 over the parts as if they were one, the most significant byte first.
[[nodiscard]] std::array<std::byte, 16>
hash_bytes(std::initializer_list<std::span<const std::byte>> parts);

} // namespace mullama::core

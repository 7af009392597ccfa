#include "core/hash.hpp"

#include <cstdint>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mullama::core {

std::string hash_texts(std::span<const std::string> texts) {
    XXH3_state_t state;
    XXH3_INITSTATE(&state);
    XXH3_128bits_reset(&state);
    for (const std::string &text : texts) {
        const std::uint64_t size = text.size();
        XXH3_128bits_update(&state, &size, sizeof size);
        XXH3_128bits_update(&state, text.data(), text.size());
    }
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const unsigned char byte : canonical.digest) {
        hex += digits[byte >> 4];
        hex += digits[byte & 15];
    }
    return hex;
}

std::array<std::byte, 16> hash_bytes(std::initializer_list<std::span<const std::byte>> parts) {
    XXH3_state_t state;
    XXH3_INITSTATE(&state);
    XXH3_128bits_reset(&state);
    for (const std::span<const std::byte> part : parts) {
        XXH3_128bits_update(&state, part.data(), part.size());
    }
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    std::array<std::byte, 16> digest{};
    static_assert(sizeof canonical.digest == sizeof digest);
    std::memcpy(digest.data(), canonical.digest, sizeof digest);
    return digest;
}

} // namespace mullama::core

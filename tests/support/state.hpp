// Saved states, as tests alter them.
#pragma once

#include <cstring>
#include <string>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mullama::test {

// Makes the checksum of a state right again: XXH3-128 of all but itself.
inline void mend(std::string &state) {
    constexpr std::size_t at = 24;
    constexpr std::size_t size = 16;
    if (state.size() < at + size)
        return;
    XXH3_state_t *const hash = XXH3_createState();
    XXH3_128bits_reset(hash);
    XXH3_128bits_update(hash, state.data(), at);
    XXH3_128bits_update(hash, state.data() + at + size, state.size() - at - size);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash));
    XXH3_freeState(hash);
    std::memcpy(state.data() + at, canonical.digest, size);
}

// The state with every `from` in it replaced by `to`, which is as long.
inline std::string forged(std::string state, const std::string &from, const std::string &to) {
    for (std::size_t at = state.find(from); at != std::string::npos;
         at = state.find(from, at + to.size()))
        state.replace(at, from.size(), to);
    mend(state);
    return state;
}

} // namespace mullama::test

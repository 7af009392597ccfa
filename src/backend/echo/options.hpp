// What the pretend model can be made to be, through metadata overrides:
//
//     echo.n_ctx_train=int:N             its context length; default 4096
//     echo.vocab_size=int:N              its tokens, 265 (the default) to 1048576
//     echo.fail_decode_at=int:N          the N-th decode of each context, counted from 1, fails
//     echo.microseconds_per_token=int:N  how long a decode takes at least; default 0
#pragma once

#include <cstdint>
#include <span>

#include "backend/echo/vocab.hpp"
#include "backend/port.hpp"

namespace mullama::backend::echo {

struct Options {
    std::int32_t n_ctx_train = 4096;
    std::int32_t vocab_size = smallest_vocabulary;
    // 0: none does.
    std::int64_t fail_decode_at = 0;
    std::int64_t microseconds_per_token = 0;
};

// Throws for a key that is not in the list, a type other than int, and a number out of its range.
[[nodiscard]] Options read_options(std::span<const MetadataOverride> overrides);

} // namespace mullama::backend::echo

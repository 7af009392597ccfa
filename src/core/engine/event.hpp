// What a reader of a stream is told.
#pragma once

#include "backend/port.hpp"
#include "base/error.hpp"
#include "mullama/stream.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mullama::core::engine {

// How one continuation went.
struct Outcome {
    mullama_stop_reason_t reason = MULLAMA_STOP_NONE;
    std::int32_t stop_index = -1;
    std::size_t prompt_tokens = 0;
    std::size_t cached_tokens = 0;
    std::size_t generated_tokens = 0;
    // From submission to admission, to the first token, to the end.
    std::uint64_t queue_ns = 0;
    std::uint64_t first_token_ns = 0;
    std::uint64_t total_ns = 0;
    // Of MULLAMA_STOP_ERROR.
    std::optional<base::Error> error;
};

struct Event {
    mullama_event_kind_t kind = MULLAMA_EVENT_NONE;
    std::uint32_t continuation = 0;
    backend::Token token = MULLAMA_TOKEN_NONE;
    // Its place among the generated tokens.
    std::size_t index = 0;
    std::string text;
    float logprob = 0.0F;
    std::vector<backend::Token> top_tokens;
    std::vector<float> top_logprobs;

    // Keeps the memory.
    void clear() noexcept {
        kind = MULLAMA_EVENT_NONE;
        continuation = 0;
        token = MULLAMA_TOKEN_NONE;
        index = 0;
        text.clear();
        logprob = 0.0F;
        top_tokens.clear();
        top_logprobs.clear();
    }
};

} // namespace mullama::core::engine

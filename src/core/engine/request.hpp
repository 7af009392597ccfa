// What is asked of an engine, as it is copied at submission.
#pragma once

#include "core/context.hpp"
#include "core/sampling/chain.hpp"
#include "mullama/request.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mullama::core::engine {

struct Request {
    // Text, tokenized by the engine's worker, or tokens.
    std::variant<std::string, std::vector<backend::Token>> prompt;
    // Without stages: the likeliest token each time.
    sampling::Chain chain;
    // Of continuation 0, the next for the next; absent: the chain's own, which several
    // continuations must not share.
    std::optional<std::int64_t> seed;
    // -1: no limit.
    std::int64_t max_tokens = -1;
    // None is empty.
    std::vector<std::string> stop;
    bool ignore_end = false;
    bool unparse_special = false;
    bool add_special = true;
    bool parse_special = false;
    // -1: no log-probabilities.
    std::int32_t top_logprobs = -1;
    std::uint32_t n = 1;
    std::int32_t priority = 0;
    // After submission; -1: none.
    std::int64_t deadline_ms = -1;
    // Prefixes are shared only among requests with the same key.
    std::string isolation_key;
    bool use_cache = true;
    mullama_overflow_t overflow = MULLAMA_OVERFLOW_STOP;
    // The first tokens of the prompt, which stay when others are dropped.
    std::size_t n_keep = 0;
    std::vector<AppliedAdapter> adapters;
    // Events that a continuation may be ahead of its reader.
    std::size_t queue_size = 256;

    [[nodiscard]] Request clone() const;
};

// Throws base::Error where a number lies outside its range or parts do not fit together.
void check(const Request &request);

} // namespace mullama::core::engine

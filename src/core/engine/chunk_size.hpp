// How many tokens of prompts an iteration may take, so that sequences which generate wait no longer
// than they were promised.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace mullama::core::engine {

// Learns what a token costs: an iteration of d sequences that generate and p tokens of prompts
// takes about a + b * p, where `a` is known from iterations without prompts.
class ChunkSize {
public:
    explicit ChunkSize(std::uint64_t max_iteration_ns) : budget_(double(max_iteration_ns)) {}

    // Tokens of prompts beside `n_decoding` sequences; at least `least`, so that every prompt
    // moves.
    [[nodiscard]] std::size_t next(std::size_t n_decoding, std::size_t most) const {
        // Nobody waits, or nothing is known yet.
        if (n_decoding == 0) {
            return most;
        }
        if (per_token_ == 0.0) {
            return std::min(most, first);
        }
        const double left = budget_ - decode_;
        const double fits = left / per_token_;
        if (fits <= double(least)) {
            return std::min(most, least);
        }
        return std::min(most, static_cast<std::size_t>(fits));
    }

    void note(std::size_t n_decoding, std::size_t n_prompt, std::uint64_t nanoseconds) {
        const auto took = double(nanoseconds);
        if (n_prompt == 0) {
            decode_ = decode_ == 0.0 ? took : decode_ + (took - decode_) * weight;
            return;
        }
        const double share = n_decoding == 0 ? took : std::max(took - decode_, took / 4);
        const double each = share / double(n_prompt);
        // Small chunks say little: much of what they take is the same for any number of tokens.
        if (n_prompt >= least || per_token_ == 0.0) {
            // Faster up than down: what is promised is a limit.
            const double step = each > per_token_ ? 2 * weight : weight;
            per_token_ = per_token_ == 0.0 ? each : per_token_ + (each - per_token_) * step;
        }
    }

private:
    static constexpr std::size_t first = 64;
    static constexpr std::size_t least = 16;
    static constexpr double weight = 0.2;

    double budget_;
    double decode_ = 0.0;
    double per_token_ = 0.0;
};

} // namespace mullama::core::engine

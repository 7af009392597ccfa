// A batch that a caller fills: the port's, with what can be checked without a context checked.
#pragma once

#include "backend/port.hpp"

#include <cstddef>
#include <span>

namespace mullama::core {

// Thread safety: one thread at a time.
class Batch {
public:
    // Throws MULLAMA_ERROR_OUT_OF_RANGE, for a sequence with its index as the offset. The batch is
    // as it was on any failure.
    void add(backend::Token token, backend::Position position,
             std::span<const backend::SequenceId> sequences, bool output);
    // In place of a token. Throws MULLAMA_ERROR_INVALID_STATE besides, where the batch holds
    // tokens.
    void add_embedding(std::span<const float> embedding, backend::Position position,
                       std::span<const backend::SequenceId> sequences, bool output);
    void clear() noexcept { tokens_.clear(); }

    [[nodiscard]] std::size_t size() const noexcept { return tokens_.size(); }
    [[nodiscard]] const backend::Batch &tokens() const noexcept { return tokens_; }

private:
    void append(backend::Token token, std::span<const float> embedding, backend::Position position,
                std::span<const backend::SequenceId> sequences, bool output);

    backend::Batch tokens_;
};

} // namespace mullama::core

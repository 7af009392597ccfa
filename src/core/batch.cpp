#include "core/batch.hpp"

#include "base/error.hpp"

#include <string>

namespace mullama::core {

using base::Error;

void Batch::add(backend::Token token, backend::Position position,
                std::span<const backend::SequenceId> sequences, bool output) {
    constexpr auto max_sequences = static_cast<backend::SequenceId>(backend::max_sequences);
    if (position < 0) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "a token's position is counted from 0")
            .parameter("position")
            .expected("at least 0")
            .actual(position);
    }
    if (sequences.empty() || sequences.size() > backend::max_sequences) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "a token belongs to at least one sequence")
            .parameter("sequences_count")
            .expected("1 to " + std::to_string(max_sequences))
            .actual(sequences.size());
    }
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        if (sequences[i] < 0 || sequences[i] >= max_sequences) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "no context has such a sequence")
                .parameter("sequences")
                .expected("0 to " + std::to_string(max_sequences - 1))
                .actual(sequences[i])
                .offset(static_cast<std::int64_t>(i));
        }
    }
    const std::size_t size = tokens_.size();
    const std::size_t ids = tokens_.sequence_ids.size();
    try {
        tokens_.add(token, position, sequences, output);
    } catch (...) {
        // Memory ran out between one of the parallel arrays and the next.
        tokens_.tokens.resize(size);
        tokens_.positions.resize(size);
        tokens_.sequence_begin.resize(size + 1);
        tokens_.sequence_ids.resize(ids);
        tokens_.outputs.resize(size);
        throw;
    }
}

} // namespace mullama::core

#include "core/batch.hpp"

#include "base/error.hpp"

#include <cmath>
#include <string>

namespace mullama::core {

using base::Error;

namespace {

void require_place(backend::Position position, std::span<const backend::SequenceId> sequences) {
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
}

void require_finite(std::span<const float> embedding) {
    for (std::size_t i = 0; i < embedding.size(); ++i) {
        if (!std::isfinite(embedding[i])) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "an embedding consists of finite numbers")
                .parameter("embedding")
                .expected("a finite number")
                .actual(std::to_string(embedding[i]))
                .offset(static_cast<std::int64_t>(i));
        }
    }
}

} // namespace

void Batch::add(backend::Token token, backend::Position position,
                std::span<const backend::SequenceId> sequences, bool output) {
    if (tokens_.n_embd != 0) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the batch holds embeddings: tokens need a batch of their own")
            .parameter("batch");
    }
    require_place(position, sequences);
    append(token, {}, position, sequences, output);
}

void Batch::add_embedding(std::span<const float> embedding, backend::Position position,
                          std::span<const backend::SequenceId> sequences, bool output) {
    if (tokens_.size() != 0 && tokens_.n_embd == 0) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the batch holds tokens: embeddings need a batch of their own")
            .parameter("batch");
    }
    const std::size_t n_embd = tokens_.n_embd;
    if (embedding.empty() || (n_embd != 0 && embedding.size() != n_embd)) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "the embeddings of a batch are as wide as the model's")
            .parameter("embedding_count")
            .expected(n_embd == 0 ? "at least 1" : std::to_string(n_embd))
            .actual(embedding.size());
    }
    require_finite(embedding);
    require_place(position, sequences);
    append(MULLAMA_TOKEN_NONE, embedding, position, sequences, output);
}

void Batch::append(backend::Token token, std::span<const float> embedding,
                   backend::Position position, std::span<const backend::SequenceId> sequences,
                   bool output) {
    const std::size_t size = tokens_.size();
    const std::size_t ids = tokens_.sequence_ids.size();
    const std::size_t numbers = tokens_.embeddings.size();
    try {
        tokens_.embeddings.insert(tokens_.embeddings.end(), embedding.begin(), embedding.end());
        tokens_.add(token, position, sequences, output);
        tokens_.n_embd = embedding.size();
    } catch (...) {
        // Memory ran out between one of the parallel arrays and the next.
        tokens_.embeddings.resize(numbers);
        tokens_.tokens.resize(size);
        tokens_.positions.resize(size);
        tokens_.sequence_begin.resize(size + 1);
        tokens_.sequence_ids.resize(ids);
        tokens_.outputs.resize(size);
        throw;
    }
}

} // namespace mullama::core

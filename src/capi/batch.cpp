#include "mullama/batch.h"

#include "capi/context.hpp"

using namespace mullama::capi;

mullama_error_t *mullama_batch_new(mullama_batch_t **out) {
    return guarded([&] {
        require(out, "out");
        *out = new mullama_batch;
    });
}

void mullama_batch_free(mullama_batch_t *batch) {
    delete batch;
}

mullama_error_t *mullama_batch_add(mullama_batch_t *batch, mullama_token_t token,
                                   mullama_pos_t position, const mullama_seq_id_t *sequences,
                                   size_t sequences_count, bool output) {
    return guarded([&] {
        require(batch, "batch");
        batch->impl.add(token, position, array(sequences, sequences_count, "sequences"), output);
    });
}

mullama_error_t *mullama_batch_add_embedding(mullama_batch_t *batch, const float *embedding,
                                             size_t embedding_count, mullama_pos_t position,
                                             const mullama_seq_id_t *sequences,
                                             size_t sequences_count, bool output) {
    return guarded([&] {
        require(batch, "batch");
        batch->impl.add_embedding(array(embedding, embedding_count, "embedding"), position,
                                  array(sequences, sequences_count, "sequences"), output);
    });
}

size_t mullama_batch_count(const mullama_batch_t *batch) {
    return batch == nullptr ? 0 : batch->impl.size();
}

void mullama_batch_clear(mullama_batch_t *batch) {
    if (batch != nullptr)
        batch->impl.clear();
}

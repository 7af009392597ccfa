#include "mullama/context.h"

#include "capi/context.hpp"
#include "capi/context_options.hpp"
#include "capi/options.hpp"
#include "core/context_options.hpp"
#include "core/logprobs.hpp"

#include <algorithm>
#include <string>

using namespace mullama::capi;
using mullama::base::Error;
namespace core = mullama::core;

void mullama_context_options_init(mullama_context_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, core::default_context_options());
}

mullama_error_t *mullama_context_new(mullama_model_t *model,
                                     const mullama_context_options_t *options,
                                     mullama_context_t **out) {
    return guarded([&] {
        const auto &shared = model_of(model);
        const mullama_context_options_t asked = read_context_options(options, "options");
        require(out, "out");
        *out = new mullama_context(shared, asked);
    });
}

void mullama_context_free(mullama_context_t *context) {
    // In a forked child the context's threads do not exist: waiting for them would take forever.
    // One that is in use, such as by a callback's caller, is left to whoever uses it.
    if (context == nullptr || context->fork.forked() || context->busy.load())
        return;
    delete context;
}

void mullama_context_info_init(mullama_context_info_t *info, size_t struct_size) {
    init_struct(info, struct_size, mullama_context_info_t{});
}

mullama_error_t *mullama_context_get_info(mullama_context_t *context,
                                          mullama_context_info_t *info) {
    return guarded([&] {
        const UsedContext used(context);
        check_struct(info, "info", "mullama_context_info_init");
        const core::ThreadChoice threads = used->threads();
        write_struct(info,
                     mullama_context_info_t{.struct_size = 0,
                                            .n_ctx = used->n_ctx(),
                                            .n_ctx_seq = used->n_ctx_seq(),
                                            .n_batch = used->n_batch(),
                                            .n_ubatch = used->n_ubatch(),
                                            .n_seq_max = used->n_seq_max(),
                                            .n_threads = threads.n_threads,
                                            .n_threads_batch = threads.n_threads_batch,
                                            .abilities = used->abilities(),
                                            .n_used = static_cast<std::uint32_t>(used->n_used()),
                                            .n_embd_sequence = used->n_embd_sequence(),
                                            .pooling = used->pooling(),
                                            .embeddings = used->embeddings(),
                                            .causal = used->causal()});
    });
}

mullama_error_t *mullama_context_warm_up(mullama_context_t *context) {
    return guarded([&] { UsedContext(context)->warm_up(); });
}

mullama_error_t *mullama_context_decode(mullama_context_t *context, const mullama_batch_t *batch) {
    return guarded([&] {
        const UsedContext used(context);
        used->decode(require(batch, "batch").impl.tokens());
    });
}

mullama_error_t *mullama_context_encode(mullama_context_t *context, const mullama_batch_t *batch) {
    return guarded([&] {
        const UsedContext used(context);
        used->encode(require(batch, "batch").impl.tokens());
    });
}

mullama_error_t *mullama_context_prefill(mullama_context_t *context, mullama_seq_id_t sequence,
                                         const mullama_token_t *tokens, size_t count,
                                         mullama_output_t output) {
    return guarded([&] {
        const UsedContext used(context);
        enumerator(output, MULLAMA_OUTPUT_NONE, MULLAMA_OUTPUT_ALL, "output");
        used->prefill(sequence, array(tokens, count, "tokens"), output);
    });
}

mullama_error_t *mullama_context_logits(mullama_context_t *context, int32_t index,
                                        const float **logits, size_t *count) {
    return guarded([&] {
        const UsedContext used(context);
        require(logits, "logits");
        require(count, "count");
        const std::span<const float> row = used->logits(index);
        *logits = row.data();
        *count = row.size();
    });
}

mullama_error_t *mullama_context_logprobs(mullama_context_t *context, int32_t index,
                                          float *logprobs, size_t count) {
    return guarded([&] {
        const UsedContext used(context);
        require(logprobs, "logprobs");
        const std::span<const float> row = used->logits(index);
        if (count != row.size()) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                        "log-probabilities are those of the whole vocabulary")
                .parameter("count")
                .expected(std::to_string(row.size()))
                .actual(count);
        }
        core::Logprobs reader;
        reader.read(row, 0);
        for (std::size_t token = 0; token < count; ++token) {
            logprobs[token] = reader.of(static_cast<mullama_token_t>(token));
        }
    });
}

mullama_error_t *mullama_context_top_logprobs(mullama_context_t *context, int32_t index,
                                              mullama_token_t *tokens, float *logprobs,
                                              size_t *count) {
    return guarded([&] {
        const UsedContext used(context);
        require(count, "count");
        require(tokens, "tokens");
        core::Logprobs reader;
        reader.read(used->logits(index), *count);
        std::ranges::copy(reader.top_tokens(), tokens);
        if (logprobs != nullptr)
            std::ranges::copy(reader.top_values(), logprobs);
        *count = reader.top_tokens().size();
    });
}

mullama_error_t *mullama_context_set_embeddings(mullama_context_t *context, bool embeddings) {
    return guarded([&] { UsedContext(context)->set_embeddings(embeddings); });
}

mullama_error_t *mullama_context_set_causal(mullama_context_t *context, bool causal) {
    return guarded([&] { UsedContext(context)->set_causal(causal); });
}

mullama_error_t *mullama_context_embedding(mullama_context_t *context, int32_t index,
                                           const float **embedding, size_t *count) {
    return guarded([&] {
        const UsedContext used(context);
        require(embedding, "embedding");
        require(count, "count");
        const std::span<const float> row = used->embedding(index);
        *embedding = row.data();
        *count = row.size();
    });
}

mullama_error_t *mullama_context_sequence_embedding(mullama_context_t *context,
                                                    mullama_seq_id_t sequence,
                                                    const float **embedding, size_t *count) {
    return guarded([&] {
        const UsedContext used(context);
        require(embedding, "embedding");
        require(count, "count");
        const std::span<const float> row = used->sequence_embedding(sequence);
        *embedding = row.data();
        *count = row.size();
    });
}

mullama_error_t *mullama_context_sequence_positions(mullama_context_t *context,
                                                    mullama_seq_id_t sequence, mullama_pos_t *first,
                                                    mullama_pos_t *last) {
    return guarded([&] {
        const UsedContext used(context);
        require(first, "first");
        require(last, "last");
        const core::Context::Positions held = used->sequence_positions(sequence);
        *first = held.first;
        *last = held.last;
    });
}

mullama_error_t *mullama_context_sequence_tokens(mullama_context_t *context,
                                                 mullama_seq_id_t sequence,
                                                 mullama_tokens_t **out) {
    return guarded([&] {
        const UsedContext used(context);
        require(out, "out");
        std::vector<mullama_token_t> tokens;
        for (const core::SequenceHistory::Entry &entry : used->sequence_entries(sequence)) {
            tokens.push_back(entry.token);
        }
        hand_over(std::move(tokens), out);
    });
}

mullama_error_t *mullama_context_sequence_copy(mullama_context_t *context, mullama_seq_id_t from,
                                               mullama_seq_id_t to, mullama_pos_t begin,
                                               mullama_pos_t end) {
    return guarded([&] { UsedContext(context)->copy(from, to, begin, end); });
}

mullama_error_t *mullama_context_sequence_remove(mullama_context_t *context,
                                                 mullama_seq_id_t sequence, mullama_pos_t begin,
                                                 mullama_pos_t end) {
    return guarded([&] { UsedContext(context)->remove(sequence, begin, end); });
}

mullama_error_t *mullama_context_sequence_keep(mullama_context_t *context,
                                               mullama_seq_id_t sequence) {
    return guarded([&] { UsedContext(context)->keep(sequence); });
}

mullama_error_t *mullama_context_sequence_shift(mullama_context_t *context,
                                                mullama_seq_id_t sequence, mullama_pos_t begin,
                                                mullama_pos_t end, mullama_pos_t delta) {
    return guarded([&] { UsedContext(context)->shift(sequence, begin, end, delta); });
}

mullama_error_t *mullama_context_sequence_divide(mullama_context_t *context,
                                                 mullama_seq_id_t sequence, mullama_pos_t begin,
                                                 mullama_pos_t end, int32_t divisor) {
    return guarded([&] { UsedContext(context)->divide(sequence, begin, end, divisor); });
}

mullama_error_t *mullama_context_abort(mullama_context_t *context) {
    // Another thread is using the context: that is what this is for.
    return guarded([&] {
        require(context, "context").fork.require_same_process("context");
        context->impl.abort();
    });
}

mullama_error_t *mullama_context_set_threads(mullama_context_t *context, int32_t n_threads,
                                             int32_t n_threads_batch) {
    return guarded([&] { UsedContext(context)->set_threads(n_threads, n_threads_batch); });
}

void mullama_context_counters_init(mullama_context_counters_t *counters, size_t struct_size) {
    init_struct(counters, struct_size, mullama_context_counters_t{});
}

mullama_error_t *mullama_context_get_counters(mullama_context_t *context,
                                              mullama_context_counters_t *counters) {
    return guarded([&] {
        const UsedContext used(context);
        check_struct(counters, "counters", "mullama_context_counters_init");
        const core::Context::Counters done = used->counters();
        write_struct(counters, mullama_context_counters_t{.struct_size = 0,
                                                          .single_calls = done.single_calls,
                                                          .single_ns = done.single_ns,
                                                          .batch_calls = done.batch_calls,
                                                          .batch_tokens = done.batch_tokens,
                                                          .batch_ns = done.batch_ns,
                                                          .graph_reuses = done.graph_reuses});
    });
}

mullama_error_t *mullama_context_reset_counters(mullama_context_t *context) {
    return guarded([&] { UsedContext(context)->reset_counters(); });
}

mullama_error_t *mullama_context_sequence_size(mullama_context_t *context,
                                               mullama_seq_id_t sequence, size_t *count) {
    return guarded([&] {
        const UsedContext used(context);
        require(count, "count");
        *count = used->sequence_size(sequence);
    });
}

mullama_error_t *mullama_context_clear(mullama_context_t *context) {
    return guarded([&] { UsedContext(context)->clear(); });
}

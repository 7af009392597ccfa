#include "mullama/context.h"

#include "capi/context.hpp"
#include "capi/context_options.hpp"
#include "capi/options.hpp"
#include "core/context_options.hpp"

using namespace mullama::capi;
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
        write_struct(info, mullama_context_info_t{.struct_size = 0,
                                                  .n_ctx = used->n_ctx(),
                                                  .n_ctx_seq = used->n_ctx_seq(),
                                                  .n_batch = used->n_batch(),
                                                  .n_ubatch = used->n_ubatch(),
                                                  .n_seq_max = used->n_seq_max(),
                                                  .n_threads = threads.n_threads,
                                                  .n_threads_batch = threads.n_threads_batch});
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

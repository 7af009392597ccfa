#include "mullama/perplexity.h"

#include "capi/context.hpp"
#include "capi/options.hpp"
#include "capi/text_list.hpp"
#include "core/perplexity.hpp"

#include <algorithm>

namespace {

using namespace mullama::capi;
namespace core = mullama::core;

core::PerplexityOptions read(const mullama_perplexity_options_t *options) {
    const mullama_perplexity_options_t asked = read_options(
        options, mullama_perplexity_options_t{}, "options", "mullama_perplexity_options_init");
    core::PerplexityOptions result;
    result.window = asked.window;
    result.stride = asked.stride;
    result.max_windows = asked.max_windows;
    if (asked.on_window != nullptr) {
        result.on_window = [on_window = asked.on_window, user_data = asked.user_data](
                               std::size_t index, std::size_t count, double perplexity) {
            const mullama_window_event_t event{.struct_size = sizeof event,
                                               .index = index,
                                               .count = count,
                                               .perplexity = perplexity};
            return on_window(&event, user_data);
        };
    }
    return result;
}

} // namespace

void mullama_perplexity_options_init(mullama_perplexity_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, mullama_perplexity_options_t{});
}

void mullama_perplexity_init(mullama_perplexity_t *perplexity, size_t struct_size) {
    init_struct(perplexity, struct_size, mullama_perplexity_t{});
}

mullama_error_t *mullama_context_prefill_logprobs(mullama_context_t *context,
                                                  mullama_seq_id_t sequence,
                                                  const mullama_token_t *tokens, size_t count,
                                                  size_t first, float *logprobs,
                                                  size_t logprobs_count) {
    return guarded([&] {
        const UsedContext used(context);
        const auto list = array(tokens, count, "tokens");
        core::require_first(first, count);
        require_room(logprobs, logprobs_count, count - first, "logprobs");
        std::ranges::copy(core::prefill_logprobs(*used, sequence, list, first), logprobs);
    });
}

mullama_error_t *mullama_context_perplexity(mullama_context_t *context,
                                            const mullama_token_t *tokens, size_t count,
                                            const mullama_perplexity_options_t *options,
                                            mullama_perplexity_t *out) {
    return guarded([&] {
        const UsedContext used(context);
        const auto list = array(tokens, count, "tokens");
        const core::PerplexityOptions how = read(options);
        check_struct(out, "out", "mullama_perplexity_init");
        const core::Perplexity result = core::perplexity(*used, list, how);
        write_struct(out, mullama_perplexity_t{.struct_size = 0,
                                               .perplexity = result.perplexity,
                                               .error = result.error,
                                               .mean_logprob = result.mean_logprob,
                                               .n_windows = result.n_windows,
                                               .n_scored = result.n_scored});
    });
}

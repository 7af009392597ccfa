#include "mullama/rerank.h"

#include "capi/context.hpp"
#include "capi/options.hpp"
#include "capi/text_list.hpp"
#include "core/rerank.hpp"

#include <algorithm>

namespace {

using namespace mullama::capi;
namespace core = mullama::core;

core::RerankOptions read(const mullama_rerank_options_t *options) {
    const mullama_rerank_options_t asked =
        read_options(options, mullama_rerank_options_t{}, "options", "mullama_rerank_options_init");
    core::RerankOptions result;
    result.truncate = asked.truncate;
    if (asked.progress != nullptr) {
        result.on_progress = [progress = asked.progress, user_data = asked.user_data](float done) {
            return progress(done, user_data);
        };
    }
    return result;
}

} // namespace

void mullama_rerank_options_init(mullama_rerank_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, mullama_rerank_options_t{});
}

mullama_error_t *mullama_context_rerank(mullama_context_t *context, const char *query,
                                        size_t query_size, const char *const *documents,
                                        const size_t *sizes, size_t count,
                                        const mullama_rerank_options_t *options, float *scores,
                                        size_t scores_count) {
    return guarded([&] {
        const UsedContext used(context);
        const std::string_view asked = text(query, query_size, "query");
        const std::vector<std::string_view> list = text_list(documents, sizes, count, "documents");
        const core::RerankOptions how = read(options);
        core::require_ranking(*used);
        require_room(scores, scores_count, count * static_cast<size_t>(used->n_embd_sequence()),
                     "scores");
        std::ranges::copy(core::rerank(*used, asked, list, how), scores);
    });
}

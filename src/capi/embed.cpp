#include "mullama/embed.h"

#include "capi/context.hpp"
#include "capi/options.hpp"
#include "capi/text_list.hpp"
#include "core/embed.hpp"

#include <algorithm>
#include <string>

namespace {

using namespace mullama::capi;
namespace core = mullama::core;
using TokenLists = std::vector<core::TokenList>;

mullama_embed_options_t default_options() noexcept {
    mullama_embed_options_t options{};
    options.normalize = true;
    options.add_special = true;
    return options;
}

core::EmbedOptions read(const mullama_embed_options_t *options) {
    const mullama_embed_options_t asked =
        read_options(options, default_options(), "options", "mullama_embed_options_init");
    core::EmbedOptions result;
    result.normalize = asked.normalize;
    result.truncate = asked.truncate;
    result.add_special = asked.add_special;
    result.parse_special = asked.parse_special;
    if (asked.progress != nullptr) {
        result.on_progress = [progress = asked.progress, user_data = asked.user_data](float done) {
            return progress(done, user_data);
        };
    }
    return result;
}

TokenLists token_lists(const mullama_token_t *const *texts, const size_t *sizes, size_t count) {
    static_cast<void>(array(texts, count, "texts"));
    static_cast<void>(array(sizes, count, "sizes"));
    TokenLists lists;
    lists.reserve(count);
    for (size_t i = 0; i < count; ++i)
        lists.push_back(array(texts[i], sizes[i], core::element_name("texts", i)));
    return lists;
}

} // namespace

void mullama_embed_options_init(mullama_embed_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, default_options());
}

mullama_error_t *mullama_context_embed(mullama_context_t *context, const char *const *texts,
                                       const size_t *sizes, size_t count,
                                       const mullama_embed_options_t *options, float *rows,
                                       size_t rows_count) {
    return guarded([&] {
        const UsedContext used(context);
        const std::vector<std::string_view> list = text_list(texts, sizes, count, "texts");
        const core::EmbedOptions how = read(options);
        core::require_pooled(*used);
        require_room(rows, rows_count, count * static_cast<size_t>(used->n_embd_sequence()),
                     "rows");
        std::ranges::copy(core::embed(*used, list, "texts", how), rows);
    });
}

mullama_error_t *mullama_context_embed_tokens(mullama_context_t *context,
                                              const mullama_token_t *const *texts,
                                              const size_t *sizes, size_t count,
                                              const mullama_embed_options_t *options, float *rows,
                                              size_t rows_count) {
    return guarded([&] {
        const UsedContext used(context);
        const TokenLists lists = token_lists(texts, sizes, count);
        const core::EmbedOptions how = read(options);
        core::require_pooled(*used);
        require_room(rows, rows_count, count * static_cast<size_t>(used->n_embd_sequence()),
                     "rows");
        std::ranges::copy(core::embed(*used, lists, "texts", how), rows);
    });
}

mullama_error_t *mullama_context_embed_each_token(mullama_context_t *context,
                                                  const mullama_token_t *const *texts,
                                                  const size_t *sizes, size_t count,
                                                  const mullama_embed_options_t *options,
                                                  float *rows, size_t rows_count) {
    return guarded([&] {
        const UsedContext used(context);
        const TokenLists lists = token_lists(texts, sizes, count);
        const core::EmbedOptions how = read(options);
        core::require_not_pooled(*used);
        size_t n_tokens = 0;
        for (const core::TokenList text : lists)
            n_tokens += text.size();
        require_room(rows, rows_count,
                     n_tokens * static_cast<size_t>(used->model().facts().n_embd_out), "rows");
        std::ranges::copy(core::embed_each_token(*used, lists, "texts", how), rows);
    });
}

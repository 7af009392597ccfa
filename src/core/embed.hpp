// Embeddings in one call: texts in, rows of numbers out.
#pragma once

#include "core/context.hpp"
#include "core/embed_batches.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace mullama::core {

struct EmbedOptions {
    bool normalize = true;
    bool truncate = false;
    bool add_special = true;
    bool parse_special = false;
    // 0 to 1; false stops. May be empty.
    std::function<bool(float)> on_progress;
};

// Whether the context gives such rows, or refuses: one for each text, one for each token.
void require_pooled(const Context &context);
void require_not_pooled(const Context &context);

// One row of n_embd_sequence() numbers for each text, pooled; errors name the text in `parameter`.
[[nodiscard]] std::vector<float> embed(Context &context, std::span<const std::string_view> texts,
                                       std::string_view parameter, const EmbedOptions &options);
[[nodiscard]] std::vector<float> embed(Context &context, std::span<const TokenList> texts,
                                       std::string_view parameter, const EmbedOptions &options);
// One row of n_embd_out numbers for each token of each text. What the context pools is refused.
[[nodiscard]] std::vector<float> embed_each_token(Context &context,
                                                  std::span<const TokenList> texts,
                                                  std::string_view parameter,
                                                  const EmbedOptions &options);

// How a fraction is told of what counts texts.
[[nodiscard]] EmbedBatches::OnProgress progress_of(const std::function<bool(float)> &on_progress,
                                                   std::size_t count);

} // namespace mullama::core

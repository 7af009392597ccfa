// How well documents answer a query, as a reranker scores them.
#pragma once

#include "core/context.hpp"

#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace mullama::core {

struct RerankOptions {
    bool truncate = false;
    // 0 to 1; false stops. May be empty.
    std::function<bool(float)> on_progress;
};

// Refuses a context that gives no scores.
void require_ranking(const Context &context);

// A row of n_embd_sequence() numbers for each document: one score, or one for each class.
[[nodiscard]] std::vector<float> rerank(Context &context, std::string_view query,
                                        std::span<const std::string_view> documents,
                                        const RerankOptions &options);

} // namespace mullama::core

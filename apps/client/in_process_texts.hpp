// Many texts for one call: contexts that are as large as they need, and no larger.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "client/client.hpp"
#include "mullama/mullama.hpp"

namespace mullama::client {

// What is asked to be embedded. The request outlives it.
class Texts {
public:
    Texts(const mullama::Model &model, const Embed &request);

    [[nodiscard]] ContextSettings context_settings() const;
    [[nodiscard]] Embeddings embed(Context &context, const OnProgress &on_progress) const;

private:
    const mullama::Model &model_;
    const Embed &request_;
    std::vector<std::vector<Token>> tokens_;
};

// What is asked to be scored. The request outlives it.
class Documents {
public:
    Documents(const mullama::Model &model, const Rerank &request);

    [[nodiscard]] ContextSettings context_settings() const;
    [[nodiscard]] Ranking rerank(Context &context, const OnProgress &on_progress) const;

private:
    const mullama::Model &model_;
    const Rerank &request_;
    // Estimates: with what is put around them.
    std::vector<std::size_t> n_tokens_;
};

// A context of one window, 512 tokens unless another size was asked for.
[[nodiscard]] ContextSettings window_settings(const mullama::Model &model,
                                              const Perplexity &request);

} // namespace mullama::client

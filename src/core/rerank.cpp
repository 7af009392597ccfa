#include "core/rerank.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "core/embed.hpp"
#include "core/embed_batches.hpp"
#include "core/rerank_prompt.hpp"
#include "retrieval/similarity.hpp"

#include <algorithm>
#include <string>

namespace mullama::core {

using backend::Token;
using base::Error;

namespace {

// Not within a character.
std::string_view prefix(std::string_view text, std::size_t size) {
    return text.substr(0, base::complete_utf8_prefix(text.substr(0, size)));
}

// The prompt of as much of the document's beginning as fits.
std::vector<Token> build_cut(const RerankPrompt &prompt, std::string_view query,
                             std::string_view document, std::size_t longest) {
    const auto build = [&](std::size_t size) {
        return prompt.build(query, prefix(document, size));
    };
    std::vector<Token> best = build(0);
    if (best.size() > longest) {
        return best;
    }
    // By the size of what fits, not of the whole document.
    std::size_t fits = 0;
    std::size_t too_long = longest;
    for (; too_long < document.size(); too_long *= 2) {
        std::vector<Token> tokens = build(too_long);
        if (tokens.size() > longest) {
            break;
        }
        fits = too_long;
        best = std::move(tokens);
    }
    too_long = std::min(too_long, document.size());
    while (too_long - fits > 1) {
        const std::size_t middle = fits + (too_long - fits) / 2;
        std::vector<Token> tokens = build(middle);
        if (tokens.size() > longest) {
            too_long = middle;
        } else {
            fits = middle;
            best = std::move(tokens);
        }
    }
    return best;
}

} // namespace

void require_ranking(const Context &context) {
    if (context.pooling() == MULLAMA_POOLING_RANK) {
        return;
    }
    const backend::ModelFacts &facts = context.model().facts();
    if (facts.n_cls_out == 0) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "a model of architecture \"" + facts.architecture +
                        "\" without a classifier gives no scores: reranking needs a reranker")
            .parameter("context");
    }
    throw Error(MULLAMA_ERROR_INVALID_STATE,
                "this context gives no scores: make it with pooling \"rank\"")
        .parameter("context");
}

std::vector<float> rerank(Context &context, std::string_view query,
                          std::span<const std::string_view> documents,
                          const RerankOptions &options) {
    require_ranking(context);
    EmbedBatches batches(context);
    const RerankPrompt prompt(context.model());
    std::vector<std::vector<Token>> tokens;
    std::vector<TokenList> lists;
    for (const std::string_view document : documents) {
        tokens.push_back(prompt.build(query, document));
        if (options.truncate && tokens.back().size() > batches.longest()) {
            tokens.back() = build_cut(prompt, query, document, batches.longest());
        }
    }
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        batches.require_fit(tokens[i], i, "documents");
        lists.emplace_back(tokens[i]);
    }
    const auto width = static_cast<std::size_t>(context.n_embd_sequence());
    std::vector<float> scores(documents.size() * width);
    batches.run(
        lists,
        [&](std::size_t index, backend::SequenceId sequence, std::int32_t) {
            const std::span<const float> row = context.sequence_embedding(sequence);
            if (retrieval::first_not_finite(row)) {
                const std::string name = element_name("documents", index);
                throw Error(MULLAMA_ERROR_ENGINE,
                            "the model's score of " + name + " is a NaN or infinity")
                    .parameter(name)
                    .offset(static_cast<std::int64_t>(index));
            }
            std::ranges::copy(row, scores.begin() + static_cast<std::ptrdiff_t>(index * width));
        },
        progress_of(options.on_progress, documents.size()));
    return scores;
}

} // namespace mullama::core

#include "core/embed.hpp"

#include "base/error.hpp"
#include "retrieval/similarity.hpp"

#include <algorithm>
#include <string>

namespace mullama::core {

using backend::Token;
using base::Error;

namespace {

// Whether the tokenizer put a token of its own behind the text.
bool has_added_end(const Vocab &vocab, TokenList tokens, std::string_view text,
                   const EmbedOptions &options) {
    if (!options.add_special) {
        return false;
    }
    std::vector<Token> plain;
    vocab.tokenize(text, false, options.parse_special, plain);
    return plain.size() < tokens.size() && !std::ranges::equal(plain, tokens.last(plain.size()));
}

// Writes a row, scaled if that is wanted.
void take(std::span<const float> row, bool normalize, std::size_t text, std::string_view parameter,
          float *to) {
    if (retrieval::first_not_finite(row)) {
        const std::string name = element_name(parameter, text);
        throw Error(MULLAMA_ERROR_ENGINE,
                    "the model's embedding of " + name + " has a NaN or infinity in it")
            .parameter(name)
            .offset(static_cast<std::int64_t>(text));
    }
    if (normalize) {
        retrieval::normalize(row, retrieval::length(row), {to, row.size()});
    } else {
        std::ranges::copy(row, to);
    }
}

// The rows of texts that are short enough by now.
std::vector<float> embed_whole(Context &context, EmbedBatches &batches,
                               std::span<const TokenList> texts, std::string_view parameter,
                               const EmbedOptions &options) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
        batches.require_fit(texts[i], i, parameter);
    }
    const auto width = static_cast<std::size_t>(context.n_embd_sequence());
    std::vector<float> rows(texts.size() * width);
    batches.run(
        texts,
        [&](std::size_t index, backend::SequenceId sequence, std::int32_t) {
            take(context.sequence_embedding(sequence), options.normalize, index, parameter,
                 rows.data() + index * width);
        },
        progress_of(options.on_progress, texts.size()));
    return rows;
}

TokenList cut(TokenList text, std::size_t longest, const EmbedOptions &options) {
    return options.truncate && text.size() > longest ? text.first(longest) : text;
}

} // namespace

void require_pooled(const Context &context) {
    const backend::ModelFacts &facts = context.model().facts();
    switch (context.pooling()) {
    case MULLAMA_POOLING_NONE:
        if (facts.has_encoder && facts.has_decoder) {
            throw Error(MULLAMA_ERROR_UNSUPPORTED,
                        "llama.cpp does not pool the embeddings of an encoder-decoder model; "
                        "mullama_context_embed_each_token() gives those of its tokens")
                .parameter("context");
        }
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "this context does not make one embedding out of those of a text's tokens: "
                    "make it with a pooling (mean, cls or last, whichever the model was trained "
                    "for), or ask for each token's with mullama_context_embed_each_token()")
            .parameter("context");
    case MULLAMA_POOLING_RANK:
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "this context gives scores, not embeddings: call mullama_context_rerank(), or "
                    "make it with another pooling")
            .parameter("context");
    default:
        break;
    }
}

void require_not_pooled(const Context &context) {
    if (context.pooling() != MULLAMA_POOLING_NONE) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the embeddings of this context are pooled: make it with pooling \"none\", or "
                    "ask for one of each text with mullama_context_embed()")
            .parameter("context");
    }
}

EmbedBatches::OnProgress progress_of(const std::function<bool(float)> &on_progress,
                                     std::size_t count) {
    if (!on_progress) {
        return nullptr;
    }
    return [&on_progress, count](std::size_t done) {
        return on_progress(static_cast<float>(done) / static_cast<float>(count));
    };
}

std::vector<float> embed(Context &context, std::span<const TokenList> texts,
                         std::string_view parameter, const EmbedOptions &options) {
    require_pooled(context);
    EmbedBatches batches(context);
    std::vector<TokenList> lists;
    for (const TokenList text : texts) {
        lists.push_back(cut(text, batches.longest(), options));
    }
    return embed_whole(context, batches, lists, parameter, options);
}

std::vector<float> embed(Context &context, std::span<const std::string_view> texts,
                         std::string_view parameter, const EmbedOptions &options) {
    require_pooled(context);
    EmbedBatches batches(context);
    const std::size_t longest = batches.longest();
    const Vocab &vocab = context.model().vocab();
    std::vector<std::vector<Token>> tokens(texts.size());
    std::vector<TokenList> lists;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        vocab.tokenize(texts[i], options.add_special, options.parse_special, tokens[i]);
        if (options.truncate && tokens[i].size() > longest &&
            has_added_end(vocab, tokens[i], texts[i], options)) {
            // The end that the model was trained to see stays.
            tokens[i][longest - 1] = tokens[i].back();
        }
        lists.push_back(cut(tokens[i], longest, options));
    }
    return embed_whole(context, batches, lists, parameter, options);
}

std::vector<float> embed_each_token(Context &context, std::span<const TokenList> texts,
                                    std::string_view parameter, const EmbedOptions &options) {
    require_not_pooled(context);
    EmbedBatches batches(context);
    std::vector<std::size_t> begin(texts.size());
    std::size_t n_tokens = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        batches.require_fit(texts[i], i, parameter);
        begin[i] = n_tokens;
        n_tokens += texts[i].size();
    }
    const auto width = static_cast<std::size_t>(context.model().facts().n_embd_out);
    std::vector<float> rows(n_tokens * width);
    batches.run(
        texts,
        [&](std::size_t index, backend::SequenceId, std::int32_t first) {
            for (std::size_t k = 0; k < texts[index].size(); ++k) {
                take(context.embedding(first + static_cast<std::int32_t>(k)), options.normalize,
                     index, parameter, rows.data() + (begin[index] + k) * width);
            }
        },
        progress_of(options.on_progress, texts.size()));
    return rows;
}

} // namespace mullama::core

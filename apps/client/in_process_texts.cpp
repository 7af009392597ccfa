#include "client/in_process_texts.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace mullama::client {
namespace {

// Beyond this, computing more at a time gains nothing.
constexpr std::size_t enough_tokens = 512;
constexpr std::size_t enough_texts = 32;

std::size_t trained_length(const mullama_model_info_t &info) {
    // A model that does not say is given what contexts have by default.
    return info.n_ctx_train > 0 ? static_cast<std::size_t>(info.n_ctx_train) : 4096;
}

constexpr std::size_t round_up(std::size_t number, std::size_t to) {
    return (number + to - 1) / to * to;
}

// What the caller leaves open is chosen for texts of so many tokens.
ContextSettings fit(ContextSettings settings, const mullama::Model &model,
                    const std::vector<std::size_t> &n_tokens) {
    const mullama_model_info_t info = model.info();
    const std::size_t all = std::accumulate(n_tokens.begin(), n_tokens.end(), std::size_t{0});
    const std::size_t longest =
        n_tokens.empty() ? 1 : std::max<std::size_t>(1, *std::ranges::max_element(n_tokens));
    const std::size_t wanted =
        std::min(std::max(longest, std::min(all, enough_tokens)), trained_length(info));
    if (!settings.n_seq_max) {
        // Layers with a state are computed one sequence at a time.
        constexpr std::uint64_t one_by_one =
            MULLAMA_CAPABILITY_RECURRENT | MULLAMA_CAPABILITY_HYBRID;
        const bool sized = settings.n_ctx || settings.n_batch || settings.n_ubatch;
        const bool one = sized || (info.capabilities & one_by_one) != 0;
        const std::size_t most = std::min({n_tokens.size(), wanted, one ? 1 : enough_texts});
        // The engine computes a multiple of it at once: powers of two divide what is usual.
        const std::size_t many = std::bit_floor(std::max<std::size_t>(most, 1));
        const bool fits = round_up(wanted, many) <= trained_length(info);
        settings.n_seq_max = static_cast<std::uint32_t>(fits ? many : 1);
    }
    if (!settings.n_ctx) {
        settings.n_ctx = static_cast<std::uint32_t>(round_up(wanted, *settings.n_seq_max));
    }
    if (!settings.n_batch) {
        settings.n_batch = settings.n_ctx;
    }
    if (!settings.n_ubatch) {
        settings.n_ubatch = settings.n_batch;
    }
    return settings;
}

std::vector<std::string_view> views_of(const std::vector<std::string> &texts) {
    return {texts.begin(), texts.end()};
}

template <class To, class From>
void set_if(To &to, const std::optional<From> &from) {
    if (from) {
        to = *from;
    }
}

} // namespace

Texts::Texts(const mullama::Model &model, const Embed &request) : model_(model), request_(request) {
    auto how = options<mullama_tokenize_options_t>();
    set_if(how.add_special, request.add_special);
    set_if(how.parse_special, request.parse_special);
    for (std::size_t i = 0; i < request.texts.size(); ++i) {
        tokens_.push_back(model.tokenize(request.texts[i], how));
    }
}

ContextSettings Texts::context_settings() const {
    std::vector<std::size_t> n_tokens;
    n_tokens.reserve(tokens_.size());
    for (const std::vector<Token> &text : tokens_) {
        n_tokens.push_back(text.size());
    }
    return fit(request_.context, model_, n_tokens);
}

Embeddings Texts::embed(Context &context, const OnProgress &on_progress) const {
    auto how = options<mullama_embed_options_t>();
    set_if(how.normalize, request_.normalize);
    set_if(how.truncate, request_.truncate);
    set_if(how.add_special, request_.add_special);
    set_if(how.parse_special, request_.parse_special);
    Embeddings result{};
    for (const std::vector<Token> &text : tokens_) {
        result.n_tokens.push_back(text.size());
    }
    result.context = context.info();
    if (result.context.pooling == MULLAMA_POOLING_NONE) {
        result.width = static_cast<std::size_t>(model_.info().n_embd_out);
        result.rows = context.embed_each_token(tokens_, result.width, how, on_progress);
    } else {
        result.width = static_cast<std::size_t>(result.context.n_embd_sequence);
        result.rows = context.embed(views_of(request_.texts), how, on_progress);
    }
    return result;
}

Documents::Documents(const mullama::Model &model, const Rerank &request)
    : model_(model), request_(request) {
    // What a template, or tokens between the two, add at most.
    constexpr std::size_t separators = 8;
    const auto around = model.chat_template("rerank");
    const std::size_t fixed = model.tokenize(request.query).size() + separators +
                              (around ? model.tokenize(*around).size() : 0);
    for (const std::string &document : request.documents) {
        n_tokens_.push_back(model.tokenize(document).size() + fixed);
    }
}

ContextSettings Documents::context_settings() const {
    return fit(request_.context, model_, n_tokens_);
}

Ranking Documents::rerank(Context &context, const OnProgress &on_progress) const {
    auto how = options<mullama_rerank_options_t>();
    set_if(how.truncate, request_.truncate);
    Ranking result{};
    result.context = context.info();
    result.scores = context.rerank(request_.query, views_of(request_.documents), how, on_progress);
    result.width = static_cast<std::size_t>(result.context.n_embd_sequence);
    return result;
}

ContextSettings window_settings(const mullama::Model &model, const Perplexity &request) {
    ContextSettings settings = request.context;
    if (!settings.n_ctx || *settings.n_ctx == 0) {
        settings.n_ctx =
            static_cast<std::uint32_t>(std::min(enough_tokens, trained_length(model.info())));
    }
    return settings;
}

} // namespace mullama::client

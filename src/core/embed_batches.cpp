#include "core/embed_batches.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace mullama::core {

using backend::Position;
using backend::SequenceId;
using base::Error;

namespace {

// Whether texts in one batch leave each other's embeddings alone. Layers that keep a state, and
// memories of their own for each sequence, have llama.cpp cut sequences of different lengths into
// pieces, and what is pooled is pooled over the last piece only.
bool computes_together(const Context &context) {
    const std::uint64_t abilities = context.abilities();
    return (abilities & MULLAMA_CONTEXT_CAN_REMEMBER) == 0 ||
           (abilities & MULLAMA_CONTEXT_CAN_SHARE) != 0;
}

} // namespace

std::string element_name(std::string_view parameter, std::size_t index) {
    return std::string(parameter) + "[" + std::to_string(index) + "]";
}

EmbedBatches::EmbedBatches(Context &context)
    : context_(context), had_embeddings_(context.embeddings()) {
    const backend::ModelFacts &facts = context.model().facts();
    encodes_ = facts.has_encoder && facts.has_decoder;
    for (std::uint32_t i = 0; i < context.n_seq_max(); ++i) {
        const auto sequence = static_cast<SequenceId>(i);
        if (context.sequence_size(sequence) == 0) {
            sequences_.push_back(sequence);
        }
    }
    if (sequences_.empty()) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "every sequence of the context holds tokens, and texts are embedded in empty "
                    "ones: clear one, or make a context with a larger n_seq_max");
    }
    if (!computes_together(context)) {
        sequences_.resize(1);
    }
    // Pooled, or looking ahead, a text has to be computed at once.
    const bool at_once = encodes_ || !context.causal() || context.pooling() != MULLAMA_POOLING_NONE;
    n_tokens_max_ = at_once ? context.n_ubatch() : context.n_batch();
    limit_ = at_once ? "n_ubatch" : "n_batch";
    longest_ = std::min<std::size_t>(n_tokens_max_, context.n_ctx_seq());
    if (longest_ < n_tokens_max_) {
        const auto n_positions = static_cast<std::size_t>(facts.n_positions);
        limit_ = longest_ == n_positions ? "" : "n_ctx";
    }
    if ((context.abilities() & MULLAMA_CONTEXT_CAN_REMEMBER) != 0 && !encodes_) {
        const std::size_t free =
            context.n_ctx() - std::min<std::size_t>(context.n_used(), context.n_ctx());
        n_tokens_max_ = std::min(n_tokens_max_, free);
        if (free == 0) {
            throw Error(MULLAMA_ERROR_NO_SPACE,
                        "the context's sequences fill all of it: clear one, or make a context with "
                        "a larger n_ctx")
                .expected("at least 1 free cell")
                .actual(0);
        }
        if (free < longest_) {
            longest_ = free;
            limit_ = "n_ctx";
        }
    }
    if (!had_embeddings_) {
        context_.set_embeddings(true);
    }
}

EmbedBatches::~EmbedBatches() {
    empty_sequences();
    if (!had_embeddings_) {
        try {
            context_.set_embeddings(false);
        } catch (const Error &) { // NOLINT(bugprone-empty-catch)
            // It was off before: only a model that gives nothing else refuses.
        }
    }
}

void EmbedBatches::empty_sequences() noexcept {
    for (const SequenceId sequence : sequences_) {
        try {
            context_.remove(sequence, 0, MULLAMA_POSITION_END);
        } catch (...) { // NOLINT(bugprone-empty-catch)
            // Emptying a whole sequence fails for lack of memory for an error's words at most.
        }
    }
}

void EmbedBatches::require_fit(TokenList text, std::size_t index,
                               std::string_view parameter) const {
    const std::string name = element_name(parameter, index);
    const auto at = static_cast<std::int64_t>(index);
    if (text.empty()) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    name + " has no tokens: it is empty, and the model adds none of its own")
            .parameter(name)
            .expected("at least 1 token")
            .actual(0)
            .offset(at);
    }
    if (text.size() > longest_) {
        throw Error(
            MULLAMA_ERROR_NO_SPACE,
            name + " has " + std::to_string(text.size()) +
                " tokens, and this context computes at most " + std::to_string(longest_) +
                " of a text (" +
                (limit_.empty() ? "the positions that the model was trained with" : limit_) +
                "): shorten it, or have it truncated" +
                (limit_.empty() ? "" : ", or make a context with a larger " + limit_))
            .parameter(name)
            .expected("at most " + std::to_string(longest_) + " tokens")
            .actual(text.size())
            .offset(at);
    }
    context_.model().vocab().require(text, name);
}

void EmbedBatches::run(std::span<const TokenList> texts, const OnText &on_text,
                       const OnProgress &on_progress) {
    for (std::size_t first = 0; first < texts.size();) {
        std::size_t n_tokens = texts[first].size();
        std::size_t end = first + 1;
        while (end < texts.size() && end - first < sequences_.size() &&
               n_tokens + texts[end].size() <= n_tokens_max_) {
            n_tokens += texts[end].size();
            ++end;
        }
        compute(texts.subspan(first, end - first), first, on_text);
        first = end;
        if (on_progress && !on_progress(first)) {
            throw Error(MULLAMA_ERROR_CANCELLED, "stopped by its callback after " +
                                                     std::to_string(first) + " of " +
                                                     std::to_string(texts.size()) + " texts");
        }
    }
}

void EmbedBatches::compute(std::span<const TokenList> texts, std::size_t first,
                           const OnText &on_text) {
    batch_.clear();
    for (std::size_t i = 0; i < texts.size(); ++i) {
        for (std::size_t k = 0; k < texts[i].size(); ++k) {
            batch_.add(texts[i][k], static_cast<Position>(k), std::span(&sequences_[i], 1), true);
        }
    }
    if (encodes_) {
        context_.encode(batch_);
    } else {
        context_.decode(batch_);
    }
    std::int32_t first_token = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        on_text(first + i, sequences_[i], first_token);
        first_token += static_cast<std::int32_t>(texts[i].size());
    }
    empty_sequences();
}

} // namespace mullama::core

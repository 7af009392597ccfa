#include "core/model.hpp"

#include <utility>

namespace mullama::core {
namespace {

std::uint64_t capabilities_of(const Model::Parts &parts) {
    const backend::ModelFacts &facts = parts.engine->facts();
    std::uint64_t bits = 0;
    const auto add = [&bits](mullama_capability_t capability, bool present) {
        if (present)
            bits |= static_cast<std::uint64_t>(capability);
    };
    const bool scores = facts.pooling == MULLAMA_POOLING_RANK;
    // A file that pools "none" on purpose says so: made for embeddings, one for each token.
    const bool names_pooling =
        parts.metadata.find(facts.architecture + ".pooling_type").has_value();
    add(MULLAMA_CAPABILITY_DECODER, facts.has_decoder);
    add(MULLAMA_CAPABILITY_ENCODER, facts.has_encoder);
    add(MULLAMA_CAPABILITY_EMBEDDING, names_pooling && !scores);
    add(MULLAMA_CAPABILITY_RERANK, scores);
    add(MULLAMA_CAPABILITY_RECURRENT, facts.is_recurrent);
    add(MULLAMA_CAPABILITY_HYBRID, facts.is_hybrid);
    add(MULLAMA_CAPABILITY_SLIDING_WINDOW, facts.n_swa > 0);
    add(MULLAMA_CAPABILITY_CHAT_TEMPLATE, parts.engine->chat_template("").has_value());
    add(MULLAMA_CAPABILITY_EXPERTS, facts.n_expert > 0);
    add(MULLAMA_CAPABILITY_DIFFUSION, facts.is_diffusion);
    return bits;
}

} // namespace

Model::Model(Parts parts)
    : parts_(std::move(parts)), vocab_(parts_.engine->vocab()),
      capabilities_(capabilities_of(parts_)) {}

std::optional<std::string_view> Model::chat_template(std::string_view name) const {
    return parts_.engine->chat_template(std::string(name));
}

} // namespace mullama::core

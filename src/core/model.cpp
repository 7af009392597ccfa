#include "core/model.hpp"

#include <utility>

namespace mullama::core {
namespace {

// An engine tells the heads of the first layer, which may have none.
std::int32_t first_heads(std::int32_t known, const Model::Parts &parts, std::string_view key) {
    const auto index =
        parts.metadata.find(parts.engine->facts().architecture + ".attention." + std::string(key));
    if (known != 0 || !index)
        return known;
    const gguf::Value &value = parts.metadata.at(*index).value;
    for (std::uint64_t i = 0; value.is_integer() && i < value.count(); ++i) {
        if (const std::int64_t heads = value.as_int(i); heads > 0)
            return static_cast<std::int32_t>(heads);
    }
    return known;
}

backend::ModelFacts facts_of(const Model::Parts &parts) {
    backend::ModelFacts facts = parts.engine->facts();
    facts.n_head = first_heads(facts.n_head, parts, "head_count");
    facts.n_head_kv = first_heads(facts.n_head_kv, parts, "head_count_kv");
    return facts;
}

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
    : parts_(std::move(parts)), facts_(facts_of(parts_)), vocab_(parts_.engine->vocab()),
      capabilities_(capabilities_of(parts_)) {
}

std::optional<std::string_view> Model::chat_template(std::string_view name) const {
    return parts_.engine->chat_template(std::string(name));
}

} // namespace mullama::core

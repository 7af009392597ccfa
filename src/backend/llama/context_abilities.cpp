#include "backend/llama/context_abilities.hpp"

namespace mullama::backend::llama {

ContextAbilities::ContextAbilities(const llama_model &model, const ModelFacts &facts,
                                   const ContextParams &params, llama_memory_t memory)
    : architecture_(facts.architecture), keeps_state_(facts.is_recurrent || facts.is_hybrid),
      window_only_(facts.n_swa > 0 && !params.swa_full), unified_(params.kv_unified),
      remembers_(memory != nullptr),
      // Where positions are not rotated into the keys, they are learned or work by distance, and
      // llama.cpp leaves the keys as they are.
      rotary_(llama_model_rope_type(&model) != LLAMA_ROPE_TYPE_NONE) {
    if (facts.has_decoder) {
        bits_ |= MULLAMA_CONTEXT_CAN_PREDICT;
    }
    if (!remembers_) {
        return;
    }
    bits_ |= MULLAMA_CONTEXT_CAN_REMEMBER | MULLAMA_CONTEXT_CAN_COPY;
    if (keeps_state_) {
        return;
    }
    bits_ |= MULLAMA_CONTEXT_CAN_TRUNCATE;
    if (window_only_) {
        return;
    }
    bits_ |= MULLAMA_CONTEXT_CAN_REMOVE;
    if (unified_) {
        bits_ |= MULLAMA_CONTEXT_CAN_SHARE;
    }
    if (rotary_ && llama_memory_can_shift(memory)) {
        bits_ |= MULLAMA_CONTEXT_CAN_SHIFT;
    }
}

std::string ContextAbilities::why_not(mullama_context_ability_t ability) const {
    const std::string model = "a model of architecture \"" + architecture_ + "\" ";
    if (ability == MULLAMA_CONTEXT_CAN_PREDICT) {
        return model + "is an encoder and predicts no tokens";
    }
    if (!remembers_) {
        return model + "keeps nothing from one decode to the next";
    }
    if (keeps_state_) {
        return model + "has recurrent layers, which keep one state for all of a sequence: it can "
                       "only be copied or emptied whole";
    }
    if (window_only_) {
        return "without swa_full the context keeps only the sliding window of a sequence";
    }
    if (ability == MULLAMA_CONTEXT_CAN_SHARE) {
        return "sequences share tokens only in a context with kv_unified";
    }
    return rotary_ ? model + "rotates its keys in a way that llama.cpp cannot change afterwards"
                   : model + "does not mark positions by rotation (RoPE), so they cannot be moved "
                             "afterwards";
}

} // namespace mullama::backend::llama

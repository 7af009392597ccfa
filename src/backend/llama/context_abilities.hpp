// What llama.cpp can do with the sequences of one context, and why it cannot do the rest.
#pragma once

#include <cstdint>
#include <string>

#include <llama.h>

#include "backend/port.hpp"

namespace mullama::backend::llama {

class ContextAbilities {
public:
    ContextAbilities(const llama_model &model, const ModelFacts &facts, const ContextParams &params,
                     llama_memory_t memory);

    // MULLAMA_CONTEXT_CAN_* bits.
    [[nodiscard]] std::uint64_t bits() const noexcept { return bits_; }
    // Why one of them is missing.
    [[nodiscard]] std::string why_not(mullama_context_ability_t ability) const;

private:
    std::uint64_t bits_ = 0;
    std::string architecture_;
    bool keeps_state_ = false;
    bool window_only_ = false;
    bool unified_ = true;
    bool remembers_ = false;
    bool rotary_ = true;
};

} // namespace mullama::backend::llama

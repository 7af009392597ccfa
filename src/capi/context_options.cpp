#include "capi/context_options.hpp"

#include "capi/guard.hpp"
#include "capi/options.hpp"
#include "core/context_options.hpp"

namespace mullama::capi {

mullama_context_options_t read_context_options(const mullama_context_options_t *options,
                                               std::string_view parameter) {
    const auto asked = read_options(options, core::default_context_options(), parameter,
                                    "mullama_context_options_init");
    enumerator(asked.flash_attention, MULLAMA_SWITCH_AUTO, MULLAMA_SWITCH_ON, "flash_attention");
    enumerator(asked.type_k, MULLAMA_CACHE_TYPE_F16, MULLAMA_CACHE_TYPE_IQ4_NL, "type_k");
    enumerator(asked.type_v, MULLAMA_CACHE_TYPE_F16, MULLAMA_CACHE_TYPE_IQ4_NL, "type_v");
    enumerator(asked.embeddings, MULLAMA_SWITCH_AUTO, MULLAMA_SWITCH_ON, "embeddings");
    enumerator(asked.pooling, MULLAMA_POOLING_DEFAULT, MULLAMA_POOLING_RANK, "pooling");
    enumerator(asked.attention, MULLAMA_ATTENTION_DEFAULT, MULLAMA_ATTENTION_NON_CAUSAL,
               "attention");
    enumerator(asked.rope_scaling, MULLAMA_ROPE_SCALING_DEFAULT, MULLAMA_ROPE_SCALING_LONGROPE,
               "rope_scaling");
    return asked;
}

} // namespace mullama::capi

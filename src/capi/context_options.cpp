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
    return asked;
}

} // namespace mullama::capi

// Fields that accept a value which their type would not say, or answer with another error, wherever
// the struct goes in.
#include "sweep/recipe.hpp"

namespace mullama::sweep {

void add_struct_deviations() {
    const auto accepts = [](std::string_view structure, std::string_view field,
                            std::string_view label, std::string_view reason) {
        add_struct_deviation(
            structure, {std::string(field), std::string(label), std::nullopt, std::string(reason)});
    };
    constexpr std::string_view context = "mullama_context_options_t";
    accepts(context, "n_batch", "max", "more than n_ctx counts as n_ctx");
    accepts(context, "n_ubatch", "max", "more than n_batch counts as n_batch");
    for (const char *const yarn :
         {"yarn_ext_factor", "yarn_attn_factor", "yarn_beta_fast", "yarn_beta_slow"})
        accepts(context, yarn, "-inf", "negative: the model's");
    constexpr std::string_view model = "mullama_model_options_t";
    accepts(model, "n_gpu_layers", "-1", "all of them");
    accepts(model, "n_gpu_layers", "max", "more than there are is all of them");
    accepts(model, "main_gpu", "max", "is looked at with MULLAMA_SPLIT_MODE_NONE only");
    accepts("mullama_runtime_options_t", "max_memory", "max", "more than there is limits nothing");
    constexpr std::string_view generate = "mullama_generate_options_t";
    accepts(generate, "max_tokens", "-1", "until something else stops it");
    accepts(generate, "max_tokens", "max", "until something else stops it");
    accepts(generate, "top_logprobs", "-1", "none");
    constexpr std::string_view request = "mullama_request_options_t";
    accepts(request, "max_tokens", "-1", "until something else stops it");
    accepts(request, "max_tokens", "max", "until something else stops it");
    accepts(request, "top_logprobs", "-1", "none");
    accepts(request, "seed", "-1", "the sampler's own");
    accepts(request, "deadline_ms", "-1", "none");
    accepts(request, "isolation_key", "not UTF-8", "a key is bytes");
    accepts(request, "n_keep", "max", "half of the room at most is kept");
    for (const char *const priority : {"min", "-1", "max"})
        accepts(request, "priority", priority, "any number");
}

} // namespace mullama::sweep

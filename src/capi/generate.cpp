#include "mullama/generate.h"

#include "capi/context.hpp"
#include "capi/options.hpp"
#include "capi/text_list.hpp"
#include "core/generate.hpp"

#include <optional>
#include <string>

namespace {

using namespace mullama::capi;
namespace core = mullama::core;

mullama_generate_options_t default_options() noexcept {
    mullama_generate_options_t options{};
    options.max_tokens = -1;
    options.add_special = true;
    options.top_logprobs = -1;
    return options;
}

core::GenerateOptions read(const mullama_generate_options_t *options) {
    const mullama_generate_options_t asked =
        read_options(options, default_options(), "options", "mullama_generate_options_init");
    core::GenerateOptions result;
    result.sequence = asked.sequence;
    result.max_tokens = asked.max_tokens;
    for (const std::string_view stop :
         full_text_list(asked.stop, asked.stop_sizes, asked.stop_count, "stop"))
        result.stop.emplace_back(stop);
    result.ignore_end = asked.ignore_end;
    result.unparse_special = asked.unparse_special;
    result.add_special = asked.add_special;
    result.parse_special = asked.parse_special;
    result.top_logprobs = asked.top_logprobs;
    result.on_token = asked.on_token;
    result.on_prefill = asked.on_prefill;
    result.user_data = asked.user_data;
    return result;
}

mullama_generate_stats_t stats_of(const core::GenerateResult &result) noexcept {
    return {.struct_size = 0,
            .stop_reason = result.stop_reason,
            .stop_index = result.stop_index,
            .prompt_tokens = result.prompt_tokens,
            .generated_tokens = result.generated_tokens,
            .tokenize_ns = result.tokenize_ns,
            .prefill_ns = result.prefill_ns,
            .generate_ns = result.generate_ns};
}

// `prompt`: makes what core::generate() takes.
template <class Prompt>
mullama_error_t *run(mullama_context_t *context, mullama_sampler_t *sampler, const Prompt &prompt,
                     const mullama_generate_options_t *options, mullama_generate_stats_t *stats,
                     mullama_text_t **out) {
    return guarded([&] {
        const UsedContext used(context);
        std::optional<UsedSampler> chain;
        if (sampler != nullptr)
            chain.emplace(sampler);
        const core::GenerateOptions how = read(options);
        if (stats != nullptr)
            check_struct(stats, "stats", "mullama_generate_stats_init");
        core::GenerateResult result =
            core::generate(*used, chain ? &**chain : nullptr, prompt(), how);
        if (out != nullptr)
            hand_over(std::move(result.text), out);
        if (stats != nullptr)
            write_struct(stats, stats_of(result));
    });
}

} // namespace

void mullama_generate_options_init(mullama_generate_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, default_options());
}

void mullama_generate_stats_init(mullama_generate_stats_t *stats, size_t struct_size) {
    mullama_generate_stats_t nothing{};
    nothing.stop_index = -1;
    init_struct(stats, struct_size, nothing);
}

mullama_error_t *mullama_context_generate(mullama_context_t *context, mullama_sampler_t *sampler,
                                          const char *prompt, size_t prompt_size,
                                          const mullama_generate_options_t *options,
                                          mullama_generate_stats_t *stats, mullama_text_t **out) {
    return run(
        context, sampler, [&] { return text(prompt, prompt_size, "prompt"); }, options, stats, out);
}

mullama_error_t *mullama_context_generate_tokens(mullama_context_t *context,
                                                 mullama_sampler_t *sampler,
                                                 const mullama_token_t *prompt, size_t prompt_count,
                                                 const mullama_generate_options_t *options,
                                                 mullama_generate_stats_t *stats,
                                                 mullama_text_t **out) {
    return run(
        context, sampler, [&] { return array(prompt, prompt_count, "prompt"); }, options, stats,
        out);
}

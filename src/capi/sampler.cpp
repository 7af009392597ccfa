#include "mullama/sampler.h"

#include "capi/candidates.hpp"
#include "capi/context.hpp"
#include "core/sampling/presets.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

namespace {

using namespace mullama::capi;
using mullama::base::Error;
namespace sampling = mullama::core::sampling;

void hand_over_chain(sampling::Chain &&chain, mullama_sampler_t **out) {
    auto sampler = std::make_unique<mullama_sampler>();
    sampler->impl = std::move(chain);
    *out = sampler.release();
}

} // namespace

mullama_error_t *mullama_sampler_new(mullama_sampler_t **out) {
    return guarded([&] {
        require(out, "out");
        *out = new mullama_sampler;
    });
}

mullama_error_t *mullama_sampler_new_default(mullama_sampler_t **out) {
    return guarded([&] {
        require(out, "out");
        hand_over_chain(sampling::Chain::usual(), out);
    });
}

mullama_error_t *mullama_sampler_new_preset(const char *name, size_t name_size,
                                            const mullama_model_t *model, mullama_sampler_t **out) {
    return guarded([&] {
        const std::string_view wanted = bytes(name, name_size, "name");
        require(out, "out");
        hand_over_chain(
            sampling::preset_chain(wanted, model == nullptr ? nullptr : model_of(model)), out);
    });
}

mullama_error_t *mullama_sampler_clone(mullama_sampler_t *sampler, mullama_sampler_t **out) {
    return guarded([&] {
        const UsedSampler used(sampler);
        require(out, "out");
        hand_over_chain(used->clone(), out);
    });
}

void mullama_sampler_free(mullama_sampler_t *sampler) {
    // One that is in use, such as by a callback's caller, is left to whoever uses it.
    if (sampler != nullptr && !sampler->busy.load())
        delete sampler;
}

mullama_error_t *mullama_sampler_add(mullama_sampler_t *sampler, const char *name, size_t name_size,
                                     size_t *stage) {
    return guarded([&] {
        const UsedSampler used(sampler);
        const std::size_t added = used->add(bytes(name, name_size, "name"));
        if (stage != nullptr)
            *stage = added;
    });
}

mullama_error_t *mullama_sampler_insert(mullama_sampler_t *sampler, size_t index, const char *name,
                                        size_t name_size) {
    return guarded([&] {
        const UsedSampler used(sampler);
        used->insert(index, bytes(name, name_size, "name"));
    });
}

mullama_error_t *mullama_sampler_ensure(mullama_sampler_t *sampler, const char *name,
                                        size_t name_size, size_t *stage) {
    return guarded([&] {
        const UsedSampler used(sampler);
        const std::size_t found = used->ensure(bytes(name, name_size, "name"));
        if (stage != nullptr)
            *stage = found;
    });
}

mullama_error_t *mullama_sampler_remove(mullama_sampler_t *sampler, size_t stage) {
    return guarded([&] { UsedSampler(sampler)->remove(stage); });
}

mullama_error_t *mullama_sampler_set_model(mullama_sampler_t *sampler,
                                           const mullama_model_t *model) {
    return guarded([&] {
        const UsedSampler used(sampler);
        used->set_model(model == nullptr ? nullptr : model_of(model));
    });
}

size_t mullama_sampler_count(const mullama_sampler_t *sampler) {
    return sampler == nullptr ? 0 : sampler->impl.size();
}

const char *mullama_sampler_stage_name(const mullama_sampler_t *sampler, size_t stage) {
    return sampler == nullptr ? nullptr : sampler->impl.stage_name(stage);
}

mullama_error_t *mullama_sampler_sample(mullama_sampler_t *sampler, const float *logits,
                                        size_t count, mullama_token_t *token) {
    return guarded([&] {
        const UsedSampler used(sampler);
        constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
        if (count == 0 || count > most) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "that is no number of logits")
                .parameter("count")
                .expected("1 to " + std::to_string(most))
                .actual(count);
        }
        const std::span<const float> row = array(logits, count, "logits");
        require(token, "token");
        *token = used->sample(row);
    });
}

mullama_error_t *mullama_sampler_sample_context(mullama_sampler_t *sampler,
                                                mullama_context_t *context, int32_t index,
                                                mullama_token_t *token) {
    return guarded([&] {
        const UsedSampler used(sampler);
        const UsedContext source(context);
        require(token, "token");
        used->adopt_model(source->shared_model());
        *token = used->sample(source->logits(index));
    });
}

mullama_error_t *mullama_sampler_apply(mullama_sampler_t *sampler,
                                       mullama_candidates_t *candidates) {
    return guarded([&] {
        const UsedSampler used(sampler);
        const UsedCandidates list(candidates);
        used->apply(*list);
    });
}

mullama_error_t *mullama_sampler_accept(mullama_sampler_t *sampler, mullama_token_t token) {
    return guarded([&] {
        const UsedSampler used(sampler);
        if (token < 0) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "a token is never negative")
                .parameter("token")
                .expected("at least 0")
                .actual(token);
        }
        used->accept(token);
    });
}

mullama_error_t *mullama_sampler_accept_prompt(mullama_sampler_t *sampler,
                                               const mullama_token_t *tokens, size_t count) {
    return guarded([&] {
        const UsedSampler used(sampler);
        const std::span<const mullama_token_t> prompt = array(tokens, count, "tokens");
        const auto bad = std::find_if(prompt.begin(), prompt.end(),
                                      [](mullama_token_t token) { return token < 0; });
        if (bad != prompt.end()) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "a token is never negative")
                .parameter("tokens")
                .expected("at least 0")
                .actual(*bad)
                .offset(bad - prompt.begin());
        }
        for (const mullama_token_t token : prompt)
            used->accept_prompt(token);
    });
}

mullama_error_t *mullama_sampler_reset(mullama_sampler_t *sampler) {
    return guarded([&] { UsedSampler(sampler)->reset(); });
}

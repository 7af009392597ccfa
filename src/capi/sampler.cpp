#include "mullama/sampler.h"

#include "capi/context.hpp"
#include "capi/options.hpp"
#include "core/sampling/stages.hpp"

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

template <class Value>
mullama_error_t *set(mullama_sampler_t *sampler, size_t stage, const char *parameter,
                     size_t parameter_size, Value value) {
    return guarded([&] {
        const UsedSampler used(sampler);
        used->set(stage, bytes(parameter, parameter_size, "parameter"), value);
    });
}

template <class Row>
const Row &row_of(std::span<const Row> table, size_t index, const char *parameter) {
    if (index >= table.size()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "there is no such " + std::string(parameter) + " in the table of stages")
            .parameter(parameter)
            .expected(table.empty() ? "none" : "0 to " + std::to_string(table.size() - 1))
            .actual(index);
    }
    return table[index];
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

mullama_error_t *mullama_sampler_set_int(mullama_sampler_t *sampler, size_t stage,
                                         const char *parameter, size_t parameter_size,
                                         int64_t value) {
    return set<std::int64_t>(sampler, stage, parameter, parameter_size, value);
}

mullama_error_t *mullama_sampler_set_float(mullama_sampler_t *sampler, size_t stage,
                                           const char *parameter, size_t parameter_size,
                                           double value) {
    return set<double>(sampler, stage, parameter, parameter_size, value);
}

mullama_error_t *mullama_sampler_set_bool(mullama_sampler_t *sampler, size_t stage,
                                          const char *parameter, size_t parameter_size,
                                          bool value) {
    return set<bool>(sampler, stage, parameter, parameter_size, value);
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
        *token = used->sample(source->logits(index));
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

mullama_error_t *mullama_sampler_reset(mullama_sampler_t *sampler) {
    return guarded([&] { UsedSampler(sampler)->reset(); });
}

size_t mullama_sampler_stage_count(void) {
    return sampling::stages().size();
}

void mullama_stage_info_init(mullama_stage_info_t *info, size_t struct_size) {
    init_struct(info, struct_size, mullama_stage_info_t{});
}

mullama_error_t *mullama_sampler_get_stage(size_t row, mullama_stage_info_t *info) {
    return guarded([&] {
        check_struct(info, "info", "mullama_stage_info_init");
        const sampling::StageKind &kind = row_of(sampling::stages(), row, "row");
        write_struct(info, mullama_stage_info_t{.struct_size = 0,
                                                .name = kind.name,
                                                .description = kind.description,
                                                .parameter_count = kind.parameters.size(),
                                                .selects = kind.selects});
    });
}

void mullama_parameter_info_init(mullama_parameter_info_t *info, size_t struct_size) {
    init_struct(info, struct_size, mullama_parameter_info_t{});
}

mullama_error_t *mullama_sampler_get_parameter(size_t row, size_t parameter,
                                               mullama_parameter_info_t *info) {
    return guarded([&] {
        check_struct(info, "info", "mullama_parameter_info_init");
        const sampling::StageKind &kind = row_of(sampling::stages(), row, "row");
        const sampling::StageParameter &found = row_of(kind.parameters, parameter, "parameter");
        write_struct(info, mullama_parameter_info_t{.struct_size = 0,
                                                    .name = found.name,
                                                    .description = found.description,
                                                    .type = found.type,
                                                    .default_value = found.default_value,
                                                    .min_value = found.min_value,
                                                    .max_value = found.max_value,
                                                    .setting = found.setting});
    });
}

#include "mullama/sampler.h"

#include "capi/context.hpp"
#include "capi/text_list.hpp"

#include <string>
#include <vector>

namespace {

using namespace mullama::capi;
namespace sampling = mullama::core::sampling;

template <class Value>
mullama_error_t *set(mullama_sampler_t *sampler, size_t stage, const char *parameter,
                     size_t parameter_size, Value value) {
    return guarded([&] {
        const UsedSampler used(sampler);
        used->set(stage, bytes(parameter, parameter_size, "parameter"), value);
    });
}

// Reads one value of a parameter.
template <class Read>
mullama_error_t *get(mullama_sampler_t *sampler, const char *parameter, size_t parameter_size,
                     Read &&read) {
    return guarded([&] {
        const UsedSampler used(sampler);
        read(*used, bytes(parameter, parameter_size, "parameter"));
    });
}

} // namespace

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

mullama_error_t *mullama_sampler_set_text(mullama_sampler_t *sampler, size_t stage,
                                          const char *parameter, size_t parameter_size,
                                          const char *text, size_t text_size) {
    return guarded([&] {
        const UsedSampler used(sampler);
        const std::string_view name = bytes(parameter, parameter_size, "parameter");
        used->set(stage, name, std::string(mullama::capi::text(text, text_size, "text")));
    });
}

mullama_error_t *mullama_sampler_set_texts(mullama_sampler_t *sampler, size_t stage,
                                           const char *parameter, size_t parameter_size,
                                           const char *const *texts, const size_t *text_sizes,
                                           size_t count) {
    return guarded([&] {
        const UsedSampler used(sampler);
        const std::string_view name = bytes(parameter, parameter_size, "parameter");
        const std::vector<std::string_view> list =
            full_text_list(texts, text_sizes, count, "texts");
        used->set(stage, name, std::vector<std::string>(list.begin(), list.end()));
    });
}

mullama_error_t *mullama_sampler_set_biases(mullama_sampler_t *sampler, size_t stage,
                                            const char *parameter, size_t parameter_size,
                                            const mullama_token_t *tokens, const float *biases,
                                            size_t count) {
    return guarded([&] {
        const UsedSampler used(sampler);
        const std::string_view name = bytes(parameter, parameter_size, "parameter");
        const std::span<const mullama_token_t> ids = array(tokens, count, "tokens");
        const std::span<const float> values = array(biases, count, "biases");
        std::vector<sampling::Bias> list;
        list.reserve(count);
        for (std::size_t i = 0; i < count; ++i)
            list.push_back({ids[i], values[i]});
        used->set(stage, name, std::move(list));
    });
}

mullama_error_t *mullama_sampler_get_number(mullama_sampler_t *sampler, size_t stage,
                                            const char *parameter, size_t parameter_size,
                                            double *value) {
    return get(sampler, parameter, parameter_size,
               [&](const sampling::Chain &chain, std::string_view name) {
                   require(value, "value");
                   *value = chain.number(stage, name);
               });
}

mullama_error_t *mullama_sampler_get_text(mullama_sampler_t *sampler, size_t stage,
                                          const char *parameter, size_t parameter_size,
                                          size_t index, const char **text, size_t *text_size) {
    return get(sampler, parameter, parameter_size,
               [&](const sampling::Chain &chain, std::string_view name) {
                   require(text, "text");
                   const std::string &found = chain.text(stage, name, index);
                   *text = found.c_str();
                   if (text_size != nullptr)
                       *text_size = found.size();
               });
}

mullama_error_t *mullama_sampler_get_bias(mullama_sampler_t *sampler, size_t stage,
                                          const char *parameter, size_t parameter_size,
                                          size_t index, mullama_token_t *token, float *bias) {
    return get(sampler, parameter, parameter_size,
               [&](const sampling::Chain &chain, std::string_view name) {
                   require(token, "token");
                   require(bias, "bias");
                   const sampling::Bias found = chain.bias(stage, name, index);
                   *token = found.token;
                   *bias = found.value;
               });
}

mullama_error_t *mullama_sampler_value_count(mullama_sampler_t *sampler, size_t stage,
                                             const char *parameter, size_t parameter_size,
                                             size_t *count) {
    return get(sampler, parameter, parameter_size,
               [&](const sampling::Chain &chain, std::string_view name) {
                   require(count, "count");
                   *count = chain.value_count(stage, name);
               });
}

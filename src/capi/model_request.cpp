#include "capi/model_request.hpp"

#include "capi/handles.hpp"
#include "capi/options.hpp"
#include "core/metadata.hpp"

#include <cmath>
#include <string>

namespace mullama::capi {
namespace {

using base::Error;

std::vector<std::string> c_texts(const char *const *texts, std::size_t count,
                                 std::string_view parameter) {
    std::vector<std::string> list;
    const auto given = array(texts, count, parameter);
    for (std::size_t i = 0; i < given.size(); ++i) {
        const std::string element = std::string(parameter) + "[" + std::to_string(i) + "]";
        list.emplace_back(c_text(given[i], element));
    }
    return list;
}

void require_at_least(std::int32_t value, std::int32_t least, std::string_view parameter) {
    if (value < least) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, std::string(parameter) + " is too small")
            .parameter(parameter)
            .expected("at least " + std::to_string(least))
            .actual(value);
    }
}

std::vector<float> tensor_split(const float *shares, std::size_t count) {
    const auto given = array(shares, count, "tensor_split");
    double sum = 0;
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (!std::isfinite(given[i]) || given[i] < 0) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                        "tensor_split[" + std::to_string(i) + "] is no share of a model")
                .parameter("tensor_split")
                .expected("a number, at least 0")
                .actual(given[i])
                .offset(static_cast<std::int64_t>(i));
        }
        sum += static_cast<double>(given[i]);
    }
    if (!given.empty() && sum <= 0) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "tensor_split leaves no GPU any share")
            .parameter("tensor_split")
            .expected("a sum above 0")
            .actual("0");
    }
    return {given.begin(), given.end()};
}

} // namespace

mullama_model_options_t default_model_options() noexcept {
    mullama_model_options_t options{};
    options.n_gpu_layers = -1;
    options.split_mode = MULLAMA_SPLIT_MODE_LAYER;
    options.load_mode = MULLAMA_LOAD_MODE_AUTO;
    options.repack = true;
    return options;
}

core::ModelRequest model_request(const mullama_model_options_t *options,
                                 std::string_view parameter) {
    const auto asked =
        read_options(options, default_model_options(), parameter, "mullama_model_options_init");
    core::ModelRequest request;
    request.runtime = runtime_of(asked.runtime);
    request.backend =
        &core::engine_named(asked.backend == nullptr ? "llama" : c_text(asked.backend, "backend"));

    backend::ModelParams &params = request.params;
    require_at_least(asked.n_gpu_layers, -1, "n_gpu_layers");
    require_at_least(asked.main_gpu, 0, "main_gpu");
    params.n_gpu_layers = asked.n_gpu_layers;
    params.main_gpu = asked.main_gpu;
    params.split_mode = enumerator(asked.split_mode, MULLAMA_SPLIT_MODE_NONE,
                                   MULLAMA_SPLIT_MODE_TENSOR, "split_mode");
    params.load_mode =
        enumerator(asked.load_mode, MULLAMA_LOAD_MODE_AUTO, MULLAMA_LOAD_MODE_DIRECT, "load_mode");
    params.tensor_split = tensor_split(asked.tensor_split, asked.tensor_split_count);
    // No list means all devices, and a list without entries none: the pointer tells which.
    if (asked.devices != nullptr || asked.devices_count != 0)
        params.devices = c_texts(asked.devices, asked.devices_count, "devices");
    params.vocab_only = asked.vocab_only;
    params.check_tensors = asked.check_tensors;
    params.repack = asked.repack;
    for (const std::string &text :
         c_texts(asked.metadata_overrides, asked.metadata_overrides_count, "metadata_overrides")) {
        params.overrides.push_back(core::parse_metadata_override(text, "metadata_overrides"));
    }
    if (asked.probe_program != nullptr) {
        request.probe_program =
            path(asked.probe_program, std::strlen(asked.probe_program), "probe_program");
    }
    if (asked.progress != nullptr) {
        params.progress = [call = asked.progress, user_data = asked.progress_user_data](
                              float progress) { return call(progress, user_data); };
    }
    return request;
}

} // namespace mullama::capi

#include "client/in_process_sampling.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "client/in_process_failure.hpp"

namespace mullama::client {
namespace {

// A place in the table.
struct Owner {
    const SamplingStage *stage;
    const SamplingParameter *parameter;
};

std::vector<Owner> owners_of(const std::vector<SamplingStage> &table, std::string_view setting) {
    std::vector<Owner> result;
    for (const SamplingStage &stage : table) {
        for (const SamplingParameter &parameter : stage.parameters) {
            if (parameter.setting == setting) {
                result.push_back({&stage, &parameter});
            }
        }
    }
    if (result.empty()) {
        throw Failure({.code = MULLAMA_ERROR_NOT_FOUND,
                       .message = "no sampling stage has a setting of this name",
                       .parameter = std::string(setting)});
    }
    return result;
}

std::optional<std::size_t> find_stage(const Sampler &sampler, const std::string &name) {
    for (std::size_t i = 0; i < sampler.size(); ++i) {
        if (sampler.stage_name(i) == name) {
            return i;
        }
    }
    return std::nullopt;
}

// The name comes from Sampling::stages, and that is where the caller has to look.
std::size_t add(Sampler &sampler, const std::string &name) {
    try {
        return sampler.add(name);
    } catch (const Error &error) {
        throw failure_of(error, "stages");
    }
}

// One value of a setting, as the contract takes it.
struct Setter {
    Sampler &sampler;
    std::size_t stage;
    const std::string &parameter;

    void operator()(std::int64_t value) const { sampler.set_int(stage, parameter, value); }
    void operator()(double value) const { sampler.set_float(stage, parameter, value); }
    void operator()(bool value) const { sampler.set_bool(stage, parameter, value); }
    void operator()(const std::string &text) const { sampler.set_text(stage, parameter, text); }
    void operator()(const std::vector<std::string> &texts) const {
        sampler.set_texts(stage, parameter, texts);
    }
    void operator()(const LogitBiases &biases) const {
        std::vector<Bias> list;
        for (const auto &[token, value] : biases) {
            list.push_back({token, value});
        }
        sampler.set_biases(stage, parameter, list);
    }
};

// What is wrong with a value is said of the setting, which is what the caller gave.
void set(Sampler &sampler, std::size_t stage, const std::string &parameter,
         const std::string &setting, const SettingValue &value) {
    try {
        std::visit(Setter{sampler, stage, parameter}, value);
    } catch (const Error &error) {
        throw failure_of(error, setting);
    }
}

// The chain that the settings begin with.
Sampler first_chain(const Sampling &sampling, const mullama::Model &model) {
    if (!sampling.stages.empty()) {
        Sampler sampler;
        for (const std::string &name : sampling.stages) {
            add(sampler, name);
        }
        return sampler;
    }
    if (sampling.preset.empty()) {
        return Sampler::defaults();
    }
    try {
        return Sampler::preset(sampling.preset, &model);
    } catch (const Error &error) {
        if (error.parameter() == "name" || error.parameter() == "model") {
            throw failure_of(error, "preset");
        }
        throw;
    }
}

} // namespace

std::vector<SamplingStage> read_sampling_table() {
    std::vector<SamplingStage> result;
    const std::vector<mullama_stage_info_t> rows = Sampler::table();
    for (std::size_t row = 0; row < rows.size(); ++row) {
        SamplingStage stage{.name = rows[row].name,
                            .description = rows[row].description,
                            .selects = rows[row].selects,
                            .parameters = {}};
        for (const mullama_parameter_info_t &info : Sampler::parameters(row)) {
            stage.parameters.push_back({.name = info.name,
                                        .description = info.description,
                                        .setting = info.setting == nullptr ? "" : info.setting,
                                        .type = info.type,
                                        .default_value = info.default_value,
                                        .min_value = info.min_value,
                                        .max_value = info.max_value});
        }
        result.push_back(std::move(stage));
    }
    return result;
}

std::vector<SamplingPreset> read_sampling_presets() {
    std::vector<SamplingPreset> result;
    for (const mullama_preset_info_t &preset : Sampler::presets()) {
        result.push_back({.name = preset.name, .description = preset.description});
    }
    return result;
}

Sampler make_sampler(const Sampling &sampling, const mullama::Model &model) {
    const std::vector<SamplingStage> table = read_sampling_table();
    Sampler sampler = first_chain(sampling, model);
    for (const auto &[setting, value] : sampling.settings) {
        const std::vector<Owner> owners = owners_of(table, setting);
        if (std::any_of(owners.begin(), owners.end(), [&](const Owner &owner) {
                return find_stage(sampler, owner.stage->name).has_value();
            })) {
            continue;
        }
        if (!sampling.stages.empty()) {
            throw Failure({.code = MULLAMA_ERROR_INVALID_ARGUMENT,
                           .message = "this setting belongs to the sampling stage '" +
                                      owners.front().stage->name +
                                      "', which is not among those that were asked for",
                           .parameter = setting});
        }
        sampler.ensure(owners.front().stage->name);
    }
    for (const auto &[setting, value] : sampling.settings) {
        for (const Owner &owner : owners_of(table, setting)) {
            if (const auto stage = find_stage(sampler, owner.stage->name)) {
                set(sampler, *stage, owner.parameter->name, setting, value);
            }
        }
    }
    return sampler;
}

} // namespace mullama::client

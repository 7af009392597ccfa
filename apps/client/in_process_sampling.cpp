#include "client/in_process_sampling.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "client/failure.hpp"

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

bool contains(const std::vector<std::string> &names, const std::string &name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool selects(const std::vector<SamplingStage> &table, const std::string &name) {
    return std::any_of(table.begin(), table.end(), [&](const SamplingStage &stage) {
        return stage.selects && stage.name == name;
    });
}

std::vector<std::string> usual_stages() {
    const Sampler usual = Sampler::defaults();
    std::vector<std::string> names;
    names.reserve(usual.size());
    for (std::size_t i = 0; i < usual.size(); ++i) {
        names.emplace_back(usual.stage_name(i));
    }
    return names;
}

std::size_t row_of(const std::vector<SamplingStage> &table, const std::string &name) {
    return static_cast<std::size_t>(
        std::find_if(table.begin(), table.end(),
                     [&](const SamplingStage &stage) { return stage.name == name; }) -
        table.begin());
}

// Puts a stage that a setting asks for where the table has it among the others; one that selects in
// place of the one that did.
void add_stage(const std::vector<SamplingStage> &table, const SamplingStage &stage,
               std::vector<std::string> &names) {
    const bool ends = !names.empty() && selects(table, names.back());
    if (stage.selects && ends) {
        names.back() = stage.name;
        return;
    }
    const auto next = std::find_if(names.begin(), names.end(), [&](const std::string &name) {
        return row_of(table, name) > row_of(table, stage.name);
    });
    names.insert(next, stage.name);
}

// The name comes from Sampling::stages, and that is where the caller has to look.
std::size_t add(Sampler &sampler, const std::string &name) {
    try {
        return sampler.add(name);
    } catch (const Error &error) {
        throw Failure(
            {.code = error.code(), .message = std::string(error.message()), .parameter = "stages"});
    }
}

void set(Sampler &sampler, std::size_t stage, const std::string &parameter,
         const SettingValue &value) {
    if (const auto *number = std::get_if<std::int64_t>(&value)) {
        sampler.set_int(stage, parameter, *number);
    } else if (const auto *real = std::get_if<double>(&value)) {
        sampler.set_float(stage, parameter, *real);
    } else {
        sampler.set_bool(stage, parameter, std::get<bool>(value));
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

Sampler make_sampler(const Sampling &sampling) {
    const std::vector<SamplingStage> table = read_sampling_table();
    const bool chosen = !sampling.stages.empty();
    std::vector<std::string> names = chosen ? sampling.stages : usual_stages();

    for (const auto &[setting, value] : sampling.settings) {
        const std::vector<Owner> owners = owners_of(table, setting);
        if (std::any_of(owners.begin(), owners.end(),
                        [&](const Owner &owner) { return contains(names, owner.stage->name); })) {
            continue;
        }
        if (chosen) {
            throw Failure({.code = MULLAMA_ERROR_INVALID_ARGUMENT,
                           .message = "this setting belongs to the sampling stage '" +
                                      owners.front().stage->name +
                                      "', which is not among those that were asked for",
                           .parameter = setting});
        }
        add_stage(table, *owners.front().stage, names);
    }

    Sampler sampler;
    for (const std::string &name : names) {
        const std::size_t index = add(sampler, name);
        for (const auto &[setting, value] : sampling.settings) {
            for (const Owner &owner : owners_of(table, setting)) {
                if (owner.stage->name == name) {
                    set(sampler, index, owner.parameter->name, value);
                }
            }
        }
    }
    return sampler;
}

} // namespace mullama::client

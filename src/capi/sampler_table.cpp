#include "mullama/sampler.h"

#include "capi/guard.hpp"
#include "capi/options.hpp"
#include "core/sampling/presets.hpp"
#include "core/sampling/stages.hpp"

#include <span>
#include <string>

namespace {

using namespace mullama::capi;
using mullama::base::Error;
namespace sampling = mullama::core::sampling;

template <class Row>
const Row &row_of(std::span<const Row> table, size_t index, const char *parameter) {
    if (index >= table.size()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "there is no such " + std::string(parameter) + " in the table")
            .parameter(parameter)
            .expected(table.empty() ? "none" : "0 to " + std::to_string(table.size() - 1))
            .actual(index);
    }
    return table[index];
}

} // namespace

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
                                                .selects = kind.selects,
                                                .needs_model = kind.needs_model});
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

size_t mullama_sampler_preset_count(void) {
    return sampling::presets().size();
}

void mullama_preset_info_init(mullama_preset_info_t *info, size_t struct_size) {
    init_struct(info, struct_size, mullama_preset_info_t{});
}

mullama_error_t *mullama_sampler_get_preset(size_t row, mullama_preset_info_t *info) {
    return guarded([&] {
        check_struct(info, "info", "mullama_preset_info_init");
        const sampling::Preset &preset = row_of(sampling::presets(), row, "row");
        write_struct(info, mullama_preset_info_t{.struct_size = 0,
                                                 .name = preset.name,
                                                 .description = preset.description,
                                                 .needs_model = preset.needs_model});
    });
}

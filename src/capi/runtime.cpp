#include "mullama/runtime.h"

#include "capi/handles.hpp"
#include "capi/options.hpp"

namespace {

using mullama::base::Error;
using mullama::capi::check_struct;
using mullama::capi::enumerator;
using mullama::capi::guarded;
using mullama::capi::init_struct;
using mullama::capi::read_options;
using mullama::capi::require;
using mullama::capi::runtime_of;
using mullama::capi::write_struct;
namespace core = mullama::core;

// ggml computes with no more threads than this.
constexpr std::int32_t max_threads = 512;
constexpr std::size_t max_ring_size = 65536;

mullama_runtime_options_t default_options() noexcept {
    mullama_runtime_options_t options{};
    options.log_level = MULLAMA_LOG_WARN;
    return options;
}

void require_ring_size(std::size_t size, std::string_view parameter) {
    if (size > max_ring_size) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    std::string(parameter) + " is larger than a log ring can be")
            .parameter(parameter)
            .expected("0 to " + std::to_string(max_ring_size))
            .actual(size);
    }
}

mullama_log_level_t require_level(const mullama_log_level_t &level, std::string_view parameter) {
    return enumerator(level, MULLAMA_LOG_NONE, MULLAMA_LOG_DEBUG, parameter);
}

} // namespace

void mullama_runtime_options_init(mullama_runtime_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, default_options());
}

mullama_error_t *mullama_runtime_new(const mullama_runtime_options_t *options,
                                     mullama_runtime_t **out) {
    return guarded([&] {
        require(out, "out");
        const auto asked =
            read_options(options, default_options(), "options", "mullama_runtime_options_init");
        if (asked.max_threads < 0 || asked.max_threads > max_threads) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "max_threads is out of range")
                .parameter("max_threads")
                .expected("0 to " + std::to_string(max_threads))
                .actual(asked.max_threads);
        }
        const mullama_log_level_t level = require_level(asked.log_level, "log_level");
        require_ring_size(asked.log_ring_size, "log_ring_size");

        auto runtime = std::make_unique<mullama_runtime>();
        runtime->impl = core::Runtime::create(asked.max_threads, asked.max_memory);
        runtime->impl->log().set_sink(level, asked.log, asked.log_user_data);
        runtime->impl->log().set_ring(level, asked.log_ring_size);
        *out = runtime.release();
    });
}

void mullama_runtime_free(mullama_runtime_t *runtime) {
    delete runtime;
}

mullama_error_t *mullama_runtime_set_log(mullama_runtime_t *runtime, mullama_log_level_t level,
                                         mullama_log_fn log, void *user_data) {
    return guarded([&] {
        const mullama_log_level_t loudest = require_level(level, "level");
        runtime_of(runtime)->log().set_sink(loudest, log, user_data);
    });
}

mullama_error_t *mullama_runtime_set_log_ring(mullama_runtime_t *runtime, mullama_log_level_t level,
                                              size_t size) {
    return guarded([&] {
        const mullama_log_level_t loudest = require_level(level, "level");
        require_ring_size(size, "size");
        runtime_of(runtime)->log().set_ring(loudest, size);
    });
}

mullama_error_t *mullama_runtime_next_log(mullama_runtime_t *runtime, mullama_log_level_t *level,
                                          mullama_text_t **line, size_t *lost) {
    return guarded([&] {
        require(line, "line");
        // Made first: a line that is taken out must reach the caller.
        auto text = std::make_unique<mullama_text>();
        core::Log::Taken taken = runtime_of(runtime)->log().take();
        if (lost != nullptr)
            *lost = taken.lost;
        if (!taken.line) {
            *line = nullptr;
            return;
        }
        if (level != nullptr)
            *level = taken.line->level;
        text->bytes = std::move(taken.line->text);
        *line = text.release();
    });
}

mullama_error_t *mullama_runtime_device_count(mullama_runtime_t *runtime, size_t *count) {
    return guarded([&] {
        require(count, "count");
        *count = core::with_log(runtime_of(runtime)->log(), [] { return core::devices().size(); });
    });
}

void mullama_device_info_init(mullama_device_info_t *info, size_t struct_size) {
    mullama_device_info_t nothing{};
    nothing.name = nothing.description = nothing.backend = "";
    nothing.features = nothing.reason = "";
    init_struct(info, struct_size, nothing);
}

mullama_error_t *mullama_runtime_get_device(mullama_runtime_t *runtime, size_t index,
                                            mullama_device_info_t *info) {
    return guarded([&] {
        check_struct(info, "info", "mullama_device_info_init");
        core::with_log(runtime_of(runtime)->log(), [&] {
            const core::DeviceNow device = core::device_now(index);
            const mullama::backend::Device &known = device.known;
            write_struct(info, mullama_device_info_t{.struct_size = 0,
                                                     .type = known.type,
                                                     .available = known.available,
                                                     .name = known.name.c_str(),
                                                     .description = known.description.c_str(),
                                                     .backend = known.backend.c_str(),
                                                     .features = known.features.c_str(),
                                                     .reason = known.reason.c_str(),
                                                     .memory_total = known.memory_total,
                                                     .memory_free = device.memory_free});
        });
    });
}

#include "mullama/state.h"

#include "capi/context.hpp"
#include "capi/options.hpp"
#include "core/state.hpp"
#include "core/state_file.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

using namespace mullama::capi;
namespace core = mullama::core;

struct mullama_state {
    core::StateHeader header;
    std::uint64_t size;
};

namespace {

std::span<const std::byte> state_bytes(const char *data, std::size_t size) {
    return std::as_bytes(std::span(bytes(data, size, "data")));
}

void inspect(std::span<const std::byte> state, mullama_state_t **out) {
    *out = new mullama_state{core::read_state(state).header, state.size()};
}

// A field's text, which is NUL-terminated where it is kept.
const char *text_of(const core::StateFields &fields, std::string_view name) {
    const std::string_view value = core::field(fields, name);
    return value.empty() ? "" : value.data();
}

mullama_state_info_t describe(const mullama_state &state) {
    const core::StateHeader &header = state.header;
    mullama_state_info_t info{};
    info.format_version = core::state_format_version;
    info.library_version = text_of(header.origin, "library");
    info.engine_version = text_of(header.identity, "engine");
    info.architecture = text_of(header.identity, "architecture");
    info.fingerprint = text_of(header.identity, "model");
    info.adapters = text_of(header.identity, "adapters");
    info.type_k = text_of(header.identity, "type_k");
    info.type_v = text_of(header.identity, "type_v");
    info.whole = header.whole;
    info.has_logits = !header.sequences.empty();
    info.n_ctx = header.n_ctx;
    info.n_seq_max = header.n_seq;
    info.n_sequences = static_cast<std::uint32_t>(header.sequences.size());
    for (const core::StateSequence &its : header.sequences) {
        info.has_logits = info.has_logits && !its.logits.empty();
        info.n_tokens += its.entries.empty() ? static_cast<std::uint64_t>(its.last - its.first) + 1
                                             : its.entries.size();
    }
    info.size = state.size;
    return info;
}

} // namespace

mullama_error_t *mullama_context_save_state(mullama_context_t *context, mullama_seq_id_t sequence,
                                            mullama_text_t **out) {
    return guarded([&] {
        const UsedContext used(context);
        require(out, "out");
        hand_over(used->save_state(sequence), out);
    });
}

mullama_error_t *mullama_context_save_state_file(mullama_context_t *context,
                                                 mullama_seq_id_t sequence, const char *path,
                                                 size_t path_size) {
    return guarded([&] {
        const UsedContext used(context);
        const std::string_view to = mullama::capi::path(path, path_size, "path");
        core::write_state_file(to, used->save_state(sequence));
    });
}

mullama_error_t *mullama_context_load_state(mullama_context_t *context, mullama_seq_id_t sequence,
                                            const char *data, size_t size) {
    return guarded([&] {
        const UsedContext used(context);
        used->load_state(sequence, state_bytes(data, size));
    });
}

mullama_error_t *mullama_context_load_state_file(mullama_context_t *context,
                                                 mullama_seq_id_t sequence, const char *path,
                                                 size_t path_size) {
    return guarded([&] {
        const UsedContext used(context);
        core::with_state_file(
            mullama::capi::path(path, path_size, "path"),
            [&](std::span<const std::byte> state) { used->load_state(sequence, state); });
    });
}

mullama_error_t *mullama_state_inspect(const char *data, size_t size, mullama_state_t **out) {
    return guarded([&] {
        require(out, "out");
        inspect(state_bytes(data, size), out);
    });
}

mullama_error_t *mullama_state_inspect_file(const char *path, size_t path_size,
                                            mullama_state_t **out) {
    return guarded([&] {
        require(out, "out");
        core::with_state_file(mullama::capi::path(path, path_size, "path"),
                              [&](std::span<const std::byte> state) { inspect(state, out); });
    });
}

void mullama_state_free(mullama_state_t *state) {
    delete state;
}

void mullama_state_info_init(mullama_state_info_t *info, size_t struct_size) {
    init_struct(info, struct_size, mullama_state_info_t{});
}

mullama_error_t *mullama_state_get_info(const mullama_state_t *state, mullama_state_info_t *info) {
    return guarded([&] {
        require(state, "state");
        check_struct(info, "info", "mullama_state_info_init");
        write_struct(info, describe(*state));
    });
}

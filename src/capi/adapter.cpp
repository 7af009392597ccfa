#include "capi/adapter.hpp"

#include "capi/context.hpp"
#include "capi/metadata.hpp"
#include "capi/options.hpp"

using namespace mullama::capi;
using mullama::base::Error;
namespace core = mullama::core;

namespace {

// Text that lives as long as the adapter; "" for NULL.
const char *borrow(const mullama_adapter_t *adapter, size_t *size,
                   const std::string &(core::Adapter::*get)() const noexcept) noexcept {
    if (adapter == nullptr) {
        if (size != nullptr)
            *size = 0;
        return "";
    }
    const std::string &text = ((*adapter->impl).*get)();
    if (size != nullptr)
        *size = text.size();
    return text.c_str();
}

const core::Metadata &metadata_of(const mullama_adapter_t *adapter) {
    return adapter_of(adapter)->metadata();
}

void require_element(const mullama_adapter_t *adapter, std::size_t index) {
    if (adapter != nullptr)
        return;
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                "adapters[" + std::to_string(index) + "] must not be NULL")
        .parameter("adapters")
        .expected("a pointer")
        .actual("NULL")
        .offset(static_cast<std::int64_t>(index));
}

} // namespace

namespace mullama::capi {

std::vector<core::AppliedAdapter> applied_adapters(mullama_adapter_t *const *adapters,
                                                   const float *scales, std::size_t count) {
    const auto given = array(adapters, count, "adapters");
    const auto factors = array(scales, count, "scales");
    std::vector<core::AppliedAdapter> applied;
    for (std::size_t i = 0; i < given.size(); ++i) {
        require_element(given[i], i);
        applied.push_back({adapter_of(given[i]), factors[i]});
    }
    return applied;
}

} // namespace mullama::capi

void mullama_adapter_options_init(mullama_adapter_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, mullama_adapter_options_t{});
}

mullama_error_t *mullama_adapter_load(mullama_model_t *model, const char *path, size_t path_size,
                                      const mullama_adapter_options_t *options,
                                      mullama_adapter_t **out) {
    return guarded([&] {
        const auto &shared = model_of(model);
        const std::string file(mullama::capi::path(path, path_size, "path"));
        const auto asked = read_options(options, mullama_adapter_options_t{}, "options",
                                        "mullama_adapter_options_init");
        require(out, "out");
        core::AdapterRequest request;
        request.layer_first = asked.layer_first;
        request.layer_last = asked.layer_last;
        request.check_tensors = asked.check_tensors;
        // A failed call leaves nothing behind: the handle is made before the adapter is loaded.
        auto adapter = std::make_unique<mullama_adapter>();
        adapter->impl = std::make_shared<const core::Adapter>(shared, file, request);
        *out = adapter.release();
    });
}

mullama_adapter_t *mullama_adapter_retain(mullama_adapter_t *adapter) {
    if (adapter != nullptr)
        adapter->references.fetch_add(1, std::memory_order_relaxed);
    return adapter;
}

void mullama_adapter_free(mullama_adapter_t *adapter) {
    // In a forked child a lock that freeing takes may be held by a thread that does not exist.
    if (adapter == nullptr || adapter->fork.forked())
        return;
    if (adapter->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
        delete adapter;
}

void mullama_adapter_info_init(mullama_adapter_info_t *info, size_t struct_size) {
    init_struct(info, struct_size, mullama_adapter_info_t{});
}

mullama_error_t *mullama_adapter_get_info(const mullama_adapter_t *adapter,
                                          mullama_adapter_info_t *info) {
    return guarded([&] {
        const core::Adapter &impl = *adapter_of(adapter);
        check_struct(info, "info", "mullama_adapter_info_init");
        write_struct(info, mullama_adapter_info_t{.struct_size = 0,
                                                  .kind = impl.kind(),
                                                  .alpha = impl.alpha(),
                                                  .rank = impl.rank(),
                                                  .layer_first = impl.layer_first(),
                                                  .layer_last = impl.layer_last(),
                                                  .n_tensors = impl.n_tensors(),
                                                  .size_bytes = impl.size_bytes()});
    });
}

const char *mullama_adapter_name(const mullama_adapter_t *adapter, size_t *size) {
    return borrow(adapter, size, &core::Adapter::name);
}

const char *mullama_adapter_description(const mullama_adapter_t *adapter, size_t *size) {
    return borrow(adapter, size, &core::Adapter::description);
}

const char *mullama_adapter_fingerprint(const mullama_adapter_t *adapter, size_t *size) {
    return borrow(adapter, size, &core::Adapter::fingerprint);
}

const mullama_token_t *mullama_adapter_invocation_tokens(const mullama_adapter_t *adapter,
                                                         size_t *count) {
    const auto tokens = adapter == nullptr ? std::span<const mullama_token_t>()
                                           : adapter->impl->invocation_tokens();
    if (count != nullptr)
        *count = tokens.size();
    return tokens.empty() ? nullptr : tokens.data();
}

size_t mullama_adapter_metadata_count(const mullama_adapter_t *adapter) {
    return adapter == nullptr ? 0 : adapter->impl->metadata().size();
}

mullama_error_t *mullama_adapter_get_metadata(const mullama_adapter_t *adapter, size_t index,
                                              mullama_metadata_entry_t *entry) {
    return guarded([&] { get_metadata(metadata_of(adapter), index, entry); });
}

mullama_error_t *mullama_adapter_find_metadata(const mullama_adapter_t *adapter, const char *key,
                                               size_t key_size, size_t *index) {
    return guarded([&] { find_metadata(metadata_of(adapter), key, key_size, index); });
}

mullama_error_t *mullama_adapter_metadata_int(const mullama_adapter_t *adapter, size_t index,
                                              size_t element, int64_t *value) {
    return guarded([&] { metadata_int(metadata_of(adapter), index, element, value); });
}

mullama_error_t *mullama_adapter_metadata_float(const mullama_adapter_t *adapter, size_t index,
                                                size_t element, double *value) {
    return guarded([&] { metadata_float(metadata_of(adapter), index, element, value); });
}

mullama_error_t *mullama_adapter_metadata_bool(const mullama_adapter_t *adapter, size_t index,
                                               size_t element, bool *value) {
    return guarded([&] { metadata_bool(metadata_of(adapter), index, element, value); });
}

mullama_error_t *mullama_adapter_metadata_string(const mullama_adapter_t *adapter, size_t index,
                                                 size_t element, const char **text, size_t *size) {
    return guarded([&] { metadata_string(metadata_of(adapter), index, element, text, size); });
}

mullama_error_t *mullama_adapter_metadata_format(const mullama_adapter_t *adapter, size_t index,
                                                 size_t max_elements, mullama_text_t **out) {
    return guarded([&] { metadata_format(metadata_of(adapter), index, max_elements, out); });
}

mullama_error_t *mullama_context_set_adapters(mullama_context_t *context,
                                              mullama_adapter_t *const *adapters,
                                              const float *scales, size_t count) {
    return guarded([&] {
        const UsedContext used(context);
        std::vector<core::AppliedAdapter> applied = applied_adapters(adapters, scales, count);
        std::vector<SetAdapter> shown;
        for (std::size_t i = 0; i < count; ++i) {
            shown.emplace_back().scale = scales[i];
            shown.back().adapter.reset(mullama_adapter_retain(adapters[i]));
        }
        used->set_adapters(std::move(applied));
        used.adapters() = std::move(shown);
    });
}

mullama_error_t *mullama_context_adapter_count(mullama_context_t *context, size_t *count) {
    return guarded([&] {
        const UsedContext used(context);
        require(count, "count") = used.adapters().size();
    });
}

mullama_error_t *mullama_context_get_adapter(mullama_context_t *context, size_t index,
                                             mullama_adapter_t **adapter, float *scale) {
    return guarded([&] {
        const UsedContext used(context);
        require(adapter, "adapter");
        require(scale, "scale");
        const std::vector<SetAdapter> &all = used.adapters();
        if (index >= all.size()) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the context has no adapter " +
                                                        std::to_string(index) + ": it has " +
                                                        std::to_string(all.size()))
                .parameter("index")
                .expected("less than " + std::to_string(all.size()))
                .actual(index);
        }
        *adapter = all[index].adapter.get();
        *scale = all[index].scale;
    });
}

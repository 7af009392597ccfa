#include "mullama/model.h"

#include "capi/context_options.hpp"
#include "capi/handles.hpp"
#include "capi/metadata.hpp"
#include "capi/model_request.hpp"
#include "capi/options.hpp"
#include "core/estimate.hpp"

namespace {

using mullama::base::Error;
using mullama::capi::array;
using mullama::capi::bytes;
using mullama::capi::check_struct;
using mullama::capi::default_model_options;
using mullama::capi::find_metadata;
using mullama::capi::get_metadata;
using mullama::capi::guarded;
using mullama::capi::init_struct;
using mullama::capi::metadata_bool;
using mullama::capi::metadata_float;
using mullama::capi::metadata_format;
using mullama::capi::metadata_int;
using mullama::capi::metadata_string;
using mullama::capi::model_of;
using mullama::capi::model_request;
using mullama::capi::read_context_options;
using mullama::capi::require;
using mullama::capi::write_struct;
namespace core = mullama::core;

// A failed call leaves nothing behind: the handle is made before the model is loaded.
template <class Load>
void load_into(mullama_model_t **out, Load &&load) {
    require(out, "out");
    auto model = std::make_unique<mullama_model>();
    model->impl = load();
    *out = model.release();
}

// Text that lives as long as the model; "" for NULL.
const char *borrow(const mullama_model_t *model, size_t *size,
                   const std::string &(*get)(const core::Model &)) noexcept {
    if (model == nullptr) {
        if (size != nullptr)
            *size = 0;
        return "";
    }
    const std::string &text = get(*model->impl);
    if (size != nullptr)
        *size = text.size();
    return text.c_str();
}

// An engine that reads no files has no use for a path, and refuses one itself.
std::vector<std::string> path_for(const mullama::backend::Backend &engine, const char *path,
                                  size_t path_size) {
    if (path_size == 0 && !engine.reads_files())
        return {};
    return {std::string(mullama::capi::path(path, path_size, "path"))};
}

const core::Metadata &metadata_of(const mullama_model_t *model) {
    return model_of(model)->metadata();
}

} // namespace

void mullama_model_options_init(mullama_model_options_t *options, size_t struct_size) {
    init_struct(options, struct_size, default_model_options());
}

mullama_error_t *mullama_model_load(const char *path, size_t path_size,
                                    const mullama_model_options_t *options, mullama_model_t **out) {
    return guarded([&] {
        const core::ModelRequest request = model_request(options, "options");
        const std::vector<std::string> paths = path_for(*request.backend, path, path_size);
        load_into(out, [&] { return core::load_model(paths, request); });
    });
}

mullama_error_t *mullama_model_load_parts(const char *const *paths, size_t paths_count,
                                          const mullama_model_options_t *options,
                                          mullama_model_t **out) {
    return guarded([&] {
        const core::ModelRequest request = model_request(options, "options");
        const auto given = array(paths, paths_count, "paths");
        if (given.empty()) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "paths is empty: a model has one part at least")
                .parameter("paths_count")
                .expected("at least 1")
                .actual("0");
        }
        std::vector<std::string> list;
        for (std::size_t i = 0; i < given.size(); ++i) {
            const std::string element = "paths[" + std::to_string(i) + "]";
            require(given[i], element);
            list.emplace_back(mullama::capi::path(given[i], std::strlen(given[i]), element));
        }
        load_into(out, [&] { return core::load_model(list, request); });
    });
}

mullama_error_t *mullama_model_load_memory(const void *data, size_t size,
                                           const mullama_model_options_t *options,
                                           mullama_model_t **out) {
    return guarded([&] {
        const core::ModelRequest request = model_request(options, "options");
        require(data, "data");
        const auto bytes = array(static_cast<const std::byte *>(data), size, "data");
        load_into(out, [&] { return core::load_model_from_memory(bytes, request); });
    });
}

mullama_model_t *mullama_model_retain(mullama_model_t *model) {
    if (model != nullptr)
        model->references.fetch_add(1, std::memory_order_relaxed);
    return model;
}

void mullama_model_free(mullama_model_t *model) {
    if (model != nullptr && model->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
        delete model;
}

void mullama_model_info_init(mullama_model_info_t *info, size_t struct_size) {
    init_struct(info, struct_size, mullama_model_info_t{});
}

mullama_error_t *mullama_model_get_info(const mullama_model_t *model, mullama_model_info_t *info) {
    return guarded([&] {
        const core::Model &impl = *model_of(model);
        check_struct(info, "info", "mullama_model_info_init");
        const mullama::backend::ModelFacts &facts = impl.facts();
        write_struct(info, mullama_model_info_t{.struct_size = 0,
                                                .n_params = facts.n_params,
                                                .size_bytes = facts.size_bytes,
                                                .capabilities = impl.capabilities(),
                                                .vocab_type = impl.vocab().type(),
                                                .pooling = facts.pooling,
                                                .load_mode = facts.load_mode,
                                                .n_vocab = impl.vocab().size(),
                                                .n_ctx_train = facts.n_ctx_train,
                                                .n_embd = facts.n_embd,
                                                .n_embd_out = facts.n_embd_out,
                                                .n_layer = facts.n_layer,
                                                .n_head = facts.n_head,
                                                .n_head_kv = facts.n_head_kv,
                                                .n_expert = facts.n_expert,
                                                .n_swa = facts.n_swa,
                                                .n_cls_out = facts.n_cls_out,
                                                .n_gpu_layers = facts.n_gpu_layers,
                                                .n_embd_inp = facts.n_embd_inp});
    });
}

const char *mullama_model_architecture(const mullama_model_t *model, size_t *size) {
    return borrow(model, size, [](const core::Model &impl) -> const std::string & {
        return impl.facts().architecture;
    });
}

const char *mullama_model_description(const mullama_model_t *model, size_t *size) {
    return borrow(model, size, [](const core::Model &impl) -> const std::string & {
        return impl.facts().description;
    });
}

const char *mullama_model_quantization(const mullama_model_t *model, size_t *size) {
    return borrow(model, size, [](const core::Model &impl) -> const std::string & {
        return impl.facts().quantization;
    });
}

const char *mullama_model_fingerprint(const mullama_model_t *model, size_t *size) {
    return borrow(model, size, [](const core::Model &impl) -> const std::string & {
        return impl.fingerprint();
    });
}

const char *mullama_model_chat_template(const mullama_model_t *model, const char *name,
                                        size_t name_size, size_t *size) {
    const char *found = nullptr;
    if (size != nullptr)
        *size = 0;
    // There is nothing to report an error with, and none but a lack of memory: no template then.
    mullama_error_free(guarded([&] {
        if (model == nullptr)
            return;
        const auto text = model->impl->chat_template(bytes(name, name_size, "name"));
        if (!text)
            return;
        if (size != nullptr)
            *size = text->size();
        found = text->data();
    }));
    return found;
}

size_t mullama_model_metadata_count(const mullama_model_t *model) {
    return model == nullptr ? 0 : model->impl->metadata().size();
}

void mullama_metadata_entry_init(mullama_metadata_entry_t *entry, size_t struct_size) {
    mullama_metadata_entry_t nothing{};
    nothing.key = "";
    init_struct(entry, struct_size, nothing);
}

mullama_error_t *mullama_model_get_metadata(const mullama_model_t *model, size_t index,
                                            mullama_metadata_entry_t *entry) {
    return guarded([&] { get_metadata(metadata_of(model), index, entry); });
}

mullama_error_t *mullama_model_find_metadata(const mullama_model_t *model, const char *key,
                                             size_t key_size, size_t *index) {
    return guarded([&] { find_metadata(metadata_of(model), key, key_size, index); });
}

mullama_error_t *mullama_model_metadata_int(const mullama_model_t *model, size_t index,
                                            size_t element, int64_t *value) {
    return guarded([&] { metadata_int(metadata_of(model), index, element, value); });
}

mullama_error_t *mullama_model_metadata_float(const mullama_model_t *model, size_t index,
                                              size_t element, double *value) {
    return guarded([&] { metadata_float(metadata_of(model), index, element, value); });
}

mullama_error_t *mullama_model_metadata_bool(const mullama_model_t *model, size_t index,
                                             size_t element, bool *value) {
    return guarded([&] { metadata_bool(metadata_of(model), index, element, value); });
}

mullama_error_t *mullama_model_metadata_string(const mullama_model_t *model, size_t index,
                                               size_t element, const char **text, size_t *size) {
    return guarded([&] { metadata_string(metadata_of(model), index, element, text, size); });
}

mullama_error_t *mullama_model_metadata_format(const mullama_model_t *model, size_t index,
                                               size_t max_elements, mullama_text_t **out) {
    return guarded([&] { metadata_format(metadata_of(model), index, max_elements, out); });
}

void mullama_memory_estimate_init(mullama_memory_estimate_t *estimate, size_t struct_size) {
    init_struct(estimate, struct_size, mullama_memory_estimate_t{});
}

mullama_error_t *mullama_model_estimate(const char *path, size_t path_size,
                                        const mullama_model_options_t *model_options,
                                        const mullama_context_options_t *context_options,
                                        mullama_memory_estimate_t *estimate) {
    return guarded([&] {
        const core::ModelRequest request = model_request(model_options, "model_options");
        const mullama_context_options_t context =
            read_context_options(context_options, "context_options");
        const std::vector<std::string> paths = path_for(*request.backend, path, path_size);
        check_struct(estimate, "estimate", "mullama_memory_estimate_init");
        const mullama::backend::MemoryEstimate found =
            core::estimate_memory(paths, request, context);
        write_struct(estimate,
                     mullama_memory_estimate_t{.struct_size = 0,
                                               .host_weights = found.host_weights,
                                               .host_context = found.host_context,
                                               .host_compute = found.host_compute,
                                               .device_weights = found.device_weights,
                                               .device_context = found.device_context,
                                               .device_compute = found.device_compute,
                                               .total = found.host_weights + found.host_context +
                                                        found.host_compute + found.device_weights +
                                                        found.device_context + found.device_compute,
                                               .n_ctx = found.n_ctx});
    });
}

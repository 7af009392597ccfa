#include "backend/llama/load.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "backend/llama/devices.hpp"
#include "backend/llama/failure.hpp"
#include "backend/llama/process.hpp"
#include "backend/llama/tensor_check.hpp"

namespace mullama::backend::llama {

using base::Error;

namespace {

llama_split_mode split_mode_of(mullama_split_mode_t mode) {
    switch (mode) {
    case MULLAMA_SPLIT_MODE_NONE:
        return LLAMA_SPLIT_MODE_NONE;
    case MULLAMA_SPLIT_MODE_LAYER:
        return LLAMA_SPLIT_MODE_LAYER;
    case MULLAMA_SPLIT_MODE_ROW:
        return LLAMA_SPLIT_MODE_ROW;
    case MULLAMA_SPLIT_MODE_TENSOR:
        return LLAMA_SPLIT_MODE_TENSOR;
    }
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "unknown split mode")
        .parameter("split_mode")
        .actual(static_cast<int>(mode));
}

llama_load_mode load_mode_of(mullama_load_mode_t mode) {
    switch (mode) {
    case MULLAMA_LOAD_MODE_AUTO:
        return LLAMA_LOAD_MODE_AUTO;
    case MULLAMA_LOAD_MODE_READ:
        return LLAMA_LOAD_MODE_NONE;
    case MULLAMA_LOAD_MODE_MMAP:
        return LLAMA_LOAD_MODE_MMAP;
    case MULLAMA_LOAD_MODE_MLOCK:
        return LLAMA_LOAD_MODE_MLOCK;
    case MULLAMA_LOAD_MODE_MMAP_MLOCK:
        return LLAMA_LOAD_MODE_MMAP_MLOCK;
    case MULLAMA_LOAD_MODE_DIRECT:
        return LLAMA_LOAD_MODE_DIRECT_IO;
    }
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "unknown load mode")
        .parameter("load_mode")
        .actual(static_cast<int>(mode));
}

void require_supported(mullama_load_mode_t mode) {
    const bool maps = mode == MULLAMA_LOAD_MODE_MMAP || mode == MULLAMA_LOAD_MODE_MMAP_MLOCK;
    const bool locks = mode == MULLAMA_LOAD_MODE_MLOCK || mode == MULLAMA_LOAD_MODE_MMAP_MLOCK;
    if ((maps && !llama_supports_mmap()) || (locks && !llama_supports_mlock())) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    std::string("this system cannot ") + (maps ? "map" : "lock") + " weights")
            .parameter("load_mode");
    }
}

std::string devices_in_use(std::size_t count) {
    return std::to_string(count) + (count == 1 ? " GPU is in use" : " GPUs are in use");
}

void copy_text(char (&to)[128], std::string_view from, const char *what) {
    if (from.size() >= sizeof to || from.find('\0') != std::string_view::npos) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    std::string("the ") + what +
                        " of a metadata override is too long, or has a NUL")
            .parameter("metadata_overrides")
            .expected("at most 127 bytes")
            .actual(from);
    }
    std::memcpy(to, from.data(), from.size());
    to[from.size()] = '\0';
}

// What llama.cpp's own words mean. It has no codes: a new pin's tests find out when they change.
struct Meaning {
    std::string_view words;
    base::ErrorCode code;
};

constexpr std::array meanings{
    Meaning{"unknown model architecture", MULLAMA_ERROR_UNKNOWN_MODEL},
    Meaning{"unknown pre-tokenizer type", MULLAMA_ERROR_UNKNOWN_MODEL},
    Meaning{"unknown tokenizer", MULLAMA_ERROR_UNKNOWN_MODEL},
    Meaning{"cannot be used as main model", MULLAMA_ERROR_UNSUPPORTED},
    Meaning{"not implemented for architecture", MULLAMA_ERROR_UNSUPPORTED},
    Meaning{"unable to allocate", MULLAMA_ERROR_OUT_OF_MEMORY},
    Meaning{"failed to allocate", MULLAMA_ERROR_OUT_OF_MEMORY},
    Meaning{"bad allocation", MULLAMA_ERROR_OUT_OF_MEMORY},
    Meaning{"std::bad_alloc", MULLAMA_ERROR_OUT_OF_MEMORY},
    Meaning{"read error", MULLAMA_ERROR_IO},
    Meaning{"failed to open", MULLAMA_ERROR_IO},
    Meaning{"mmap failed", MULLAMA_ERROR_IO},
    Meaning{"failed to load model from", MULLAMA_ERROR_BAD_FILE},
    Meaning{"failed to load GGUF split", MULLAMA_ERROR_BAD_FILE},
    Meaning{"is not within the file bounds", MULLAMA_ERROR_BAD_FILE},
    Meaning{"error loading model hyperparameters", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"error loading model vocabulary", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"invalid split", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"illegal split", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"corrupted model", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"invalid model", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"has invalid data", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"wrong number of tensors", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"wrong shape", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"missing tensor", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"key not found", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"key ", MULLAMA_ERROR_BAD_MODEL},
    Meaning{"tensor ", MULLAMA_ERROR_BAD_MODEL},
};

Error load_error(const std::string &path, const LogCapture &capture) {
    std::string_view why = capture.after("error loading model: ");
    base::ErrorCode code = MULLAMA_ERROR_ENGINE;
    for (const Meaning &meaning : meanings) {
        if (why.find(meaning.words) != std::string_view::npos) {
            code = meaning.code;
            break;
        }
    }
    if (why.empty()) {
        why = "it gave no reason";
    }
    return Error(code, "llama.cpp cannot load '" + path + "': " + std::string(why))
        .log(capture.text());
}

} // namespace

LoadPlan::LoadPlan(const ModelParams &params)
    : params_(llama_model_default_params()), devices_(choose_devices(params.devices)),
      progress_(params.progress), load_mode_(params.load_mode) {
    if (params.n_gpu_layers < -1) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the number of layers on GPUs cannot be negative")
            .parameter("n_gpu_layers")
            .expected("-1 for all, or 0 and more")
            .actual(params.n_gpu_layers);
    }
    require_supported(params.load_mode);
    params_.n_gpu_layers = params.n_gpu_layers;
    params_.load_mode = load_mode_of(params.load_mode);
    params_.vocab_only = params.vocab_only;
    check_tensors_ = params.check_tensors && !params.vocab_only;
    params_.use_extra_bufts = params.repack;
    set_split(params);

    overrides_.reserve(params.overrides.size() + 1);
    for (const MetadataOverride &override : params.overrides) {
        add_override(override);
    }
    overrides_.emplace_back();
    params_.kv_overrides = overrides_.data();

    devices_.push_back(nullptr);
    params_.devices = devices_.data();
    params_.progress_callback = on_progress;
    params_.progress_callback_user_data = this;
}

void LoadPlan::set_split(const ModelParams &params) {
    params_.split_mode = split_mode_of(params.split_mode);
    const std::size_t n_devices = devices_.size();
    if (params.split_mode == MULLAMA_SPLIT_MODE_TENSOR && n_devices == 0) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "tensors can be split over GPUs only, and none is in use")
            .parameter("split_mode");
    }
    // Without a GPU there is no main one, which the default, 0, must not be refused for.
    if (params.main_gpu < 0 ||
        (params.split_mode == MULLAMA_SPLIT_MODE_NONE && params.main_gpu > 0 &&
         static_cast<std::size_t>(params.main_gpu) >= n_devices)) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "there is no such main GPU: " + devices_in_use(n_devices))
            .parameter("main_gpu")
            .expected(n_devices > 1 ? "0 to " + std::to_string(n_devices - 1) : "0")
            .actual(params.main_gpu);
    }
    params_.main_gpu = params.main_gpu;

    const std::vector<float> &shares = params.tensor_split;
    if (shares.empty()) {
        return;
    }
    if (shares.size() > std::min(n_devices, tensor_split_.size())) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "tensor_split has " +
                                                    std::to_string(shares.size()) +
                                                    " shares, but " + devices_in_use(n_devices))
            .parameter("tensor_split")
            .expected("at most " + std::to_string(std::min(n_devices, tensor_split_.size())))
            .actual(shares.size());
    }
    float sum = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        if (!std::isfinite(shares[i]) || shares[i] < 0) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "a share of tensor_split is not a share")
                .parameter("tensor_split")
                .expected("0 and more")
                .actual(shares[i])
                .offset(static_cast<std::int64_t>(i));
        }
        sum += shares[i];
    }
    if (!(sum > 0) || !std::isfinite(sum)) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "the shares of tensor_split must have a sum above 0")
            .parameter("tensor_split")
            .actual(sum);
    }
    std::ranges::copy(shares, tensor_split_.begin());
    params_.tensor_split = tensor_split_.data();
}

void LoadPlan::add_override(const MetadataOverride &override) {
    if (override.key.empty()) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "a metadata override has no key")
            .parameter("metadata_overrides");
    }
    llama_model_kv_override entry{};
    copy_text(entry.key, override.key, "key");
    if (const auto *number = std::get_if<std::int64_t>(&override.value)) {
        entry.tag = LLAMA_KV_OVERRIDE_TYPE_INT;
        entry.val_i64 = *number;
    } else if (const auto *fraction = std::get_if<double>(&override.value)) {
        entry.tag = LLAMA_KV_OVERRIDE_TYPE_FLOAT;
        entry.val_f64 = *fraction;
    } else if (const auto *truth = std::get_if<bool>(&override.value)) {
        entry.tag = LLAMA_KV_OVERRIDE_TYPE_BOOL;
        entry.val_bool = *truth;
    } else {
        entry.tag = LLAMA_KV_OVERRIDE_TYPE_STR;
        copy_text(entry.val_str, std::get<std::string>(override.value), "value");
    }
    overrides_.push_back(entry);
}

void LoadPlan::only_measure() noexcept {
    params_.no_alloc = true;
    check_tensors_ = false;
    // llama.cpp asserts when it is to map what it does not allocate.
    params_.load_mode = LLAMA_LOAD_MODE_NONE;
    params_.lazy_mode = LLAMA_LAZY_MODE_OFF;
}

ModelHandle LoadPlan::load(const std::vector<std::string> &paths) {
    if (paths.empty()) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "a model of the llama engine needs a path")
            .parameter("path");
    }
    start();
    if (check_tensors_) {
        check_tensors(paths, [this] { return !progress_ || progress_(0); });
    }
    const LogCapture capture;
    std::vector<const char *> names;
    names.reserve(paths.size());
    for (const std::string &path : paths) {
        names.push_back(path.c_str());
    }
    ModelHandle model(guarded("load '" + paths.front() + "'", capture, [&] {
        return llama_model_load_from_splits(names.data(), names.size(), params_);
    }));
    if (progress_failure_) {
        std::rethrow_exception(progress_failure_);
    }
    if (cancelled_) {
        throw Error(MULLAMA_ERROR_CANCELLED, "loading was cancelled by the progress callback");
    }
    // It goes on without an override whose type is not that of the key.
    if (capture.mentions("Bad metadata override type")) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    "a metadata override has the wrong type: " +
                        std::string(capture.after("Bad metadata override type for ")))
            .parameter("metadata_overrides")
            .log(capture.text());
    }
    if (!model) {
        throw load_error(paths.front(), capture);
    }
    load_mode_ = mode_in_effect(capture);
    return model;
}

mullama_load_mode_t LoadPlan::mode_in_effect(const LogCapture &capture) const {
    if (params_.vocab_only || params_.no_alloc) {
        return MULLAMA_LOAD_MODE_READ;
    }
    const bool not_locked =
        capture.mentions("failed to mlock") || capture.mentions("failed to VirtualLock");
    switch (params_.load_mode) {
    case LLAMA_LOAD_MODE_AUTO: {
        // As llama_model_base::load_tensors() decides.
        const bool mapped =
            llama_supports_mmap() &&
            std::all_of(devices_.begin(), devices_.end() - 1, [](ggml_backend_dev_t device) {
                ggml_backend_dev_props props{};
                ggml_backend_dev_get_props(device, &props);
                return props.caps.mmap_support;
            });
        return mapped ? MULLAMA_LOAD_MODE_MMAP : MULLAMA_LOAD_MODE_READ;
    }
    case LLAMA_LOAD_MODE_MMAP:
        return MULLAMA_LOAD_MODE_MMAP;
    case LLAMA_LOAD_MODE_MLOCK:
        return not_locked ? MULLAMA_LOAD_MODE_READ : MULLAMA_LOAD_MODE_MLOCK;
    case LLAMA_LOAD_MODE_MMAP_MLOCK:
        return not_locked ? MULLAMA_LOAD_MODE_MMAP : MULLAMA_LOAD_MODE_MMAP_MLOCK;
    case LLAMA_LOAD_MODE_DIRECT_IO:
        return capture.mentions("Falling back to buffered I/O") ? MULLAMA_LOAD_MODE_READ
                                                                : MULLAMA_LOAD_MODE_DIRECT;
    default:
        return MULLAMA_LOAD_MODE_READ;
    }
}

bool LoadPlan::on_progress(float progress, void *self) noexcept {
    auto &plan = *static_cast<LoadPlan *>(self);
    try {
        plan.cancelled_ = plan.progress_ && !plan.progress_(progress);
        return !plan.cancelled_;
    } catch (...) {
        plan.progress_failure_ = std::current_exception();
        return false;
    }
}

} // namespace mullama::backend::llama

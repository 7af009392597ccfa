// From files and ModelParams to a llama_model, or to an error that says what was wrong.
#pragma once

#include <array>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <llama.h>

#include "backend/llama/log.hpp"
#include "backend/port.hpp"

namespace mullama::backend::llama {

struct FreeModel {
    void operator()(llama_model *model) const noexcept { llama_model_free(model); }
};
using ModelHandle = std::unique_ptr<llama_model, FreeModel>;

// llama.cpp's parameters, and what they point into.
class LoadPlan {
public:
    // Throws for whatever does not fit: numbers out of range, devices that are not there, a split
    // over more devices than are used.
    explicit LoadPlan(const ModelParams &params);
    LoadPlan(const LoadPlan &) = delete;
    LoadPlan &operator=(const LoadPlan &) = delete;

    // Reads the metadata and pretends to allocate: for an estimate.
    void only_measure() noexcept;

    // The progress callback's own exceptions come out of here.
    [[nodiscard]] ModelHandle load(const std::vector<std::string> &paths);

    // How the weights of the model came into memory in the end.
    [[nodiscard]] mullama_load_mode_t load_mode() const noexcept { return load_mode_; }
    // Whether any device other than the processor is used.
    [[nodiscard]] bool uses_gpu() const noexcept { return devices_.size() > 1; }

private:
    void set_split(const ModelParams &params);
    void add_override(const MetadataOverride &override);
    [[nodiscard]] mullama_load_mode_t mode_in_effect(const LogCapture &capture) const;
    static bool on_progress(float progress, void *self) noexcept;

    llama_model_params params_;
    // NULL-terminated.
    std::vector<ggml_backend_dev_t> devices_;
    std::array<float, 16> tensor_split_{};
    // Ended by an empty key.
    std::vector<llama_model_kv_override> overrides_;
    std::function<bool(float)> progress_;
    std::exception_ptr progress_failure_;
    bool check_tensors_ = false;
    bool cancelled_ = false;
    mullama_load_mode_t load_mode_ = MULLAMA_LOAD_MODE_READ;
};

} // namespace mullama::backend::llama

#include "backend/echo/backend.hpp"

#include <atomic>

#include "backend/echo/model.hpp"

namespace mullama::backend::echo {

using base::Error;

namespace {

constexpr std::string_view device_name = "ECHO";

class EchoBackend final : public Backend {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "echo"; }
    [[nodiscard]] const std::string &version() const noexcept override { return version_; }
    [[nodiscard]] bool reads_files() const noexcept override { return false; }
    [[nodiscard]] bool knows_architecture(std::string_view name) const override {
        return name == "echo";
    }
    [[nodiscard]] std::vector<Device> devices() const override;
    void set_log_sink(LogSink sink) const noexcept override {
        sink_.store(sink, std::memory_order_release);
    }
    [[nodiscard]] std::unique_ptr<Model> load(const std::vector<std::string> &paths,
                                              const ModelParams &params) const override;
    [[nodiscard]] MemoryEstimate estimate(const std::vector<std::string> &paths,
                                          const ModelParams &model_params,
                                          const ContextParams &context_params) const override;

private:
    void log(mullama_log_level_t level, std::string_view line) const;

    std::string version_ = "echo 1";
    mutable std::atomic<LogSink> sink_{nullptr};
};

// Everything that load() and estimate() refuse.
Options check(const std::vector<std::string> &paths, const ModelParams &params) {
    if (!paths.empty()) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    "the echo engine has no weights and takes no path, but was given one")
            .parameter("path")
            .actual(paths.front());
    }
    if (params.devices) {
        for (const std::string &wanted : *params.devices) {
            if (wanted != device_name) {
                throw Error(MULLAMA_ERROR_NOT_FOUND,
                            "the echo engine has no device '" + wanted + "'")
                    .parameter("devices")
                    .expected(device_name)
                    .actual(wanted);
            }
        }
    }
    return read_options(params.overrides);
}

std::vector<Device> EchoBackend::devices() const {
    Device device;
    device.type = MULLAMA_DEVICE_CPU;
    device.available = true;
    device.name = device_name;
    device.description = "pretends to compute";
    device.backend = "echo";
    return {device};
}

std::unique_ptr<Model> EchoBackend::load(const std::vector<std::string> &paths,
                                         const ModelParams &params) const {
    const Options options = check(paths, params);
    log(MULLAMA_LOG_INFO, "echo: loading a model without weights");
    constexpr int steps = 4;
    for (int step = 0; params.progress && step <= steps; ++step) {
        if (!params.progress(static_cast<float>(step) / steps)) {
            throw Error(MULLAMA_ERROR_CANCELLED, "loading was cancelled by the progress callback");
        }
    }
    return std::make_unique<EchoModel>(options, params.vocab_only);
}

MemoryEstimate EchoBackend::estimate(const std::vector<std::string> &paths,
                                     const ModelParams &model_params,
                                     const ContextParams &context_params) const {
    const auto model = load(paths, model_params);
    const auto context = model->new_context(context_params);
    MemoryEstimate estimate;
    estimate.n_ctx = context->n_ctx();
    estimate.host_context = std::uint64_t{context->n_ctx()} * sizeof(Entry);
    estimate.host_compute = std::uint64_t{context->n_batch()} *
                            static_cast<std::uint64_t>(model->vocab().size()) * sizeof(float);
    return estimate;
}

void EchoBackend::log(mullama_log_level_t level, std::string_view line) const {
    if (LogSink sink = sink_.load(std::memory_order_acquire)) {
        sink(level, line);
    }
}

} // namespace

const Backend &backend() {
    static const EchoBackend instance;
    return instance;
}

} // namespace mullama::backend::echo

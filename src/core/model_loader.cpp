#include "core/model_loader.hpp"

#include "core/hash.hpp"
#include "core/model_files.hpp"
#include "core/probe.hpp"
#include "platform/memory_file.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace mullama::core {
namespace {

using base::Error;

// What the caller's callback hears: 0, then the engine's numbers as long as they rise, then 1.
class Progress {
public:
    explicit Progress(const std::function<bool(float)> &callback) : callback_(callback) {}

    void begin() { require(report(0.0F)); }
    void end() {
        if (last_ < 1.0F)
            require(report(1.0F));
    }

    // Lets the callback cancel during what is no progress yet.
    void ask() { require(report(last_)); }

    // What the engine is given; empty when nobody listens.
    [[nodiscard]] std::function<bool(float)> for_engine() {
        if (!callback_)
            return {};
        return [this](float progress) {
            const float now = std::clamp(progress, last_, 1.0F);
            return now == last_ ? !cancelled_ : report(now);
        };
    }

    // Whether the callback wants no more, whatever the engine made of that.
    [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }

    [[noreturn]] static void refuse() {
        throw Error(MULLAMA_ERROR_CANCELLED, "the progress callback cancelled loading the model")
            .parameter("progress");
    }

private:
    static void require(bool wanted) {
        if (!wanted)
            refuse();
    }

    bool report(float progress) {
        last_ = progress;
        if (callback_ && !callback_(progress))
            cancelled_ = true;
        return !cancelled_;
    }

    const std::function<bool(float)> &callback_;
    float last_ = 0.0F;
    bool cancelled_ = false;
};

void check(const ModelFiles &files, const ModelRequest &request, Progress &progress) {
    files.check(*request.backend, request.params);
    if (request.params.check_tensors && !request.params.vocab_only)
        files.check_values([&] { progress.ask(); });
}

// What can stand in for a mode that maps.
mullama_load_mode_t without_mapping(mullama_load_mode_t mode) noexcept {
    switch (mode) {
    case MULLAMA_LOAD_MODE_AUTO:
    case MULLAMA_LOAD_MODE_MMAP:
        return MULLAMA_LOAD_MODE_READ;
    case MULLAMA_LOAD_MODE_MMAP_MLOCK:
        return MULLAMA_LOAD_MODE_MLOCK;
    default:
        return mode;
    }
}

// Loads with the engine; the parts beside it are complete.
std::shared_ptr<const Model> finish(Model::Parts parts, const std::vector<std::string> &paths,
                                    const ModelRequest &request, bool mappable,
                                    Progress &progress) {
    backend::ModelParams params = request.params;
    if (!mappable)
        params.load_mode = without_mapping(params.load_mode);
    params.progress = progress.for_engine();
    params.check_tensors = false; // has been done
    try {
        parts.engine =
            with_log(request.runtime->log(), [&] { return request.backend->load(paths, params); });
    } catch (const Error &) {
        if (progress.cancelled())
            Progress::refuse();
        throw;
    }
    auto model = std::make_shared<const Model>(std::move(parts));
    progress.end();
    return model;
}

Model::Parts parts_for(const ModelRequest &request) {
    Model::Parts parts;
    parts.runtime = request.runtime;
    parts.backend = request.backend;
    parts.vocab_only = request.params.vocab_only;
    return parts;
}

Model::Parts parts_for(const ModelRequest &request, const ModelFiles &files) {
    Model::Parts parts = parts_for(request);
    parts.metadata = files.metadata(request.params.overrides);
    parts.fingerprint = files.fingerprint(request.params.overrides);
    if (!request.params.vocab_only) {
        parts.tensors = files.tensors();
        parts.memory = request.runtime->reserve(files.tensor_bytes(), "the model");
    }
    return parts;
}

// A model of an engine that reads no files is what its engine and the overrides make it.
Model::Parts parts_without_files(const ModelRequest &request) {
    Model::Parts parts = parts_for(request);
    std::vector<std::string> texts{std::string(request.backend->name())};
    for (const backend::MetadataOverride &override : request.params.overrides) {
        parts.metadata.override_with(override);
        texts.push_back(to_text(override));
    }
    parts.fingerprint = hash_texts(texts);
    return parts;
}

} // namespace

std::shared_ptr<const Model> load_model(const std::vector<std::string> &paths,
                                        const ModelRequest &request) {
    Progress progress(request.params.progress);
    progress.begin();
    if (!request.backend->reads_files())
        return finish(parts_without_files(request), paths, request, true, progress);

    const ModelFiles files = ModelFiles::open(paths);
    check(files, request, progress);
    if (!request.probe_program.empty()) {
        probe_model(request.probe_program, files.paths(), request.backend->name(), request.params);
    }
    return finish(parts_for(request, files), files.paths(), request, files.mappable(), progress);
}

std::shared_ptr<const Model> load_model_from_memory(std::span<const std::byte> bytes,
                                                    const ModelRequest &request) {
    if (!request.backend->reads_files()) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    "the engine '" + std::string(request.backend->name()) +
                        "' reads no files: load its models without a path")
            .parameter("backend");
    }
    if (!request.probe_program.empty()) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "a child process cannot see a model in this one's memory: write it to a file "
                    "to have it probed")
            .parameter("probe_program");
    }
    Progress progress(request.params.progress);
    progress.begin();
    const ModelFiles files = ModelFiles::from_memory(bytes);
    check(files, request, progress);

    const platform::MemoryFile file(bytes, "mullama-model");
    const std::optional<std::string> path = file.path();
    if (!path) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "this system has no path to a file in memory (on Linux: /proc is missing): "
                    "write the model to a file and load that")
            .parameter("data");
    }
    return finish(parts_for(request, files), {*path}, request, files.mappable(), progress);
}

} // namespace mullama::core

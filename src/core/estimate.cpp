#include "core/estimate.hpp"

#include "core/context_options.hpp"
#include "core/model_files.hpp"
#include "core/probe.hpp"

#include <memory>

namespace mullama::core {

backend::MemoryEstimate estimate_memory(const std::vector<std::string> &paths,
                                        const ModelRequest &request,
                                        const mullama_context_options_t &context_options) {
    const backend::Backend &engine = *request.backend;
    std::vector<std::string> all = paths;
    if (engine.reads_files()) {
        const ModelFiles files = ModelFiles::open(paths);
        files.check(engine, request.params);
        all = files.paths();
        if (!request.probe_program.empty())
            probe_model(request.probe_program, all, engine.name(), request.params);
    }
    return with_log(request.runtime->log(), [&] {
        backend::ModelParams params = request.params;
        params.progress = nullptr;
        params.vocab_only = true;
        // What a context's defaults depend on, such as the length that the model was trained for.
        const backend::ModelFacts facts = engine.load(all, params)->facts();
        params.vocab_only = false;
        return engine.estimate(all, params,
                               resolve(context_options, facts, request.runtime->max_threads()));
    });
}

} // namespace mullama::core

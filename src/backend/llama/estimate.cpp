#include "backend/llama/estimate.hpp"

#include "backend/llama/context.hpp"
#include "backend/llama/context_params.hpp"
#include "backend/llama/facts.hpp"
#include "backend/llama/load.hpp"
#include "backend/llama/log.hpp"
#include "backend/llama/unstable.hpp"

namespace mullama::backend::llama {

MemoryEstimate estimate(const std::vector<std::string> &paths, const ModelParams &model_params,
                        const ContextParams &params) {
    // What it says it allocates, it doesn't.
    const LogCapture capture(LogCapture::Also::keep_quiet);
    LoadPlan plan(model_params);
    plan.only_measure();
    const ModelHandle model = plan.load(paths);
    const ModelFacts facts = read_facts(*model, model_params);
    if (model_params.vocab_only) {
        MemoryEstimate nothing;
        nothing.n_ctx = params.n_ctx;
        return nothing;
    }
    const ContextHandle context = make_context(*model, context_params(*model, facts, params));
    return memory_of(*context);
}

} // namespace mullama::backend::llama

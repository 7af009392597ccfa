// The opaque types of the low road, which several sources deal with.
#pragma once

#include "capi/adapter.hpp"
#include "capi/handles.hpp"
#include "core/batch.hpp"
#include "core/context.hpp"
#include "core/sampling/chain.hpp"
#include "mullama/context.h"
#include "mullama/sampler.h"

#include <utility>
#include <vector>

struct mullama_batch {
    mullama::core::Batch impl;
};

struct mullama_context {
    template <class... Arguments>
    explicit mullama_context(Arguments &&...arguments)
        : impl(std::forward<Arguments>(arguments)...) {}

    mullama::core::Context impl;
    mullama::capi::BusyFlag busy{false};
    mullama::capi::ForkStamp fork;
    // What the caller set, to be shown; `impl` keeps its own alive.
    std::vector<mullama::capi::SetAdapter> adapters;
};

struct mullama_sampler {
    mullama::core::sampling::Chain impl;
    mullama::capi::BusyFlag busy{false};
};

namespace mullama::capi {

// Uses a context for one call.
class UsedContext {
public:
    explicit UsedContext(mullama_context_t *context)
        : context_(same_process(context)), exclusive_(context_.busy, "context") {}

    core::Context *operator->() const noexcept { return &context_.impl; }
    core::Context &operator*() const noexcept { return context_.impl; }
    [[nodiscard]] std::vector<SetAdapter> &adapters() const noexcept { return context_.adapters; }

private:
    static mullama_context_t &same_process(mullama_context_t *context) {
        require(context, "context").fork.require_same_process("context");
        return *context;
    }

    mullama_context_t &context_;
    Exclusive exclusive_;
};

// Uses a sampler for one call.
class UsedSampler {
public:
    explicit UsedSampler(mullama_sampler_t *sampler)
        : sampler_(require(sampler, "sampler")), exclusive_(sampler_.busy, "sampler") {}

    core::sampling::Chain *operator->() const noexcept { return &sampler_.impl; }
    core::sampling::Chain &operator*() const noexcept { return sampler_.impl; }

private:
    mullama_sampler_t &sampler_;
    Exclusive exclusive_;
};

} // namespace mullama::capi

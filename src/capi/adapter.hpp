// The opaque type of adapters.
#pragma once

#include "capi/handles.hpp"
#include "core/adapter.hpp"
#include "core/context.hpp"
#include "mullama/adapter.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

struct mullama_adapter {
    std::shared_ptr<const mullama::core::Adapter> impl;
    std::atomic<std::uint32_t> references{1};
    mullama::capi::ForkStamp fork;
};

namespace mullama::capi {

struct FreeAdapter {
    void operator()(mullama_adapter *adapter) const noexcept { mullama_adapter_free(adapter); }
};

// A reference of a context's.
struct SetAdapter {
    std::unique_ptr<mullama_adapter, FreeAdapter> adapter;
    float scale = 0.0F;
};

// The adapter behind a required parameter.
[[nodiscard]] inline const std::shared_ptr<const core::Adapter> &
adapter_of(const mullama_adapter_t *adapter) {
    require(adapter, "adapter").fork.require_same_process("adapter");
    return adapter->impl;
}

// Adapters with their scales, as lists of the caller's.
[[nodiscard]] std::vector<core::AppliedAdapter>
applied_adapters(mullama_adapter_t *const *adapters, const float *scales, std::size_t count);

} // namespace mullama::capi

#include "core/context.hpp"

#include "base/error.hpp"
#include "core/log.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace mullama::core {
namespace {

using base::Error;

// What llama.cpp makes of a LoRA's scale must be a number, too.
bool is_usable(const AppliedAdapter &applied) {
    const Adapter &adapter = *applied.adapter;
    if (adapter.kind() != MULLAMA_ADAPTER_LORA || adapter.alpha() == 0.0F)
        return std::isfinite(applied.scale);
    return std::isfinite(applied.scale * adapter.alpha());
}

// Large ones may add up to what is no number any more.
void check_sum(const backend::ControlVector &sum) {
    for (const float number : sum.directions) {
        if (!std::isfinite(number)) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                        "the control vectors, times their scales, are too large")
                .parameter("scales");
        }
    }
}

} // namespace

void check_adapters(const std::vector<AppliedAdapter> &adapters, const Model &model) {
    for (std::size_t i = 0; i < adapters.size(); ++i) {
        const auto refuse = [i](std::string_view what, std::string_view expected) {
            return Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                         "adapters[" + std::to_string(i) + "] " + std::string(what))
                .parameter("adapters")
                .expected(expected)
                .offset(static_cast<std::int64_t>(i));
        };
        if (&adapters[i].adapter->model() != &model)
            throw refuse("was loaded for another model", "an adapter of the context's model");
        for (std::size_t j = 0; j < i; ++j) {
            if (adapters[j].adapter == adapters[i].adapter)
                throw refuse("is in the list twice", "each adapter once");
        }
        if (!is_usable(adapters[i])) {
            throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                        "scales[" + std::to_string(i) +
                            "] is no finite number, or too large for this adapter")
                .parameter("scales")
                .expected("a finite number")
                .actual(adapters[i].scale)
                .offset(static_cast<std::int64_t>(i));
        }
    }
}

void Context::set_adapters(std::vector<AppliedAdapter> adapters) {
    check_adapters(adapters, *model_);
    std::vector<backend::ScaledAdapter> loras;
    backend::ControlVector vector;
    for (const AppliedAdapter &applied : adapters) {
        if (applied.scale == 0.0F)
            continue;
        if (applied.adapter->kind() == MULLAMA_ADAPTER_LORA)
            loras.push_back({applied.adapter->engine(), applied.scale});
        else
            applied.adapter->add_to(vector, applied.scale);
    }
    check_sum(vector);
    attempted_.insert(attempted_.end(), adapters.begin(), adapters.end());
    with_log(model_->runtime()->log(),
             [&] { engine_->set_adapters(loras, vector.directions.empty() ? nullptr : &vector); });
    adapters_ = std::move(adapters);
    attempted_.clear();
}

} // namespace mullama::core

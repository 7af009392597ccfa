// Presets: chains for a purpose, by name.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "core/sampling/chain.hpp"

namespace mullama::core::sampling {

// Text is static and NUL-terminated.
struct Preset {
    const char *name;
    const char *description;
    bool needs_model;
};

[[nodiscard]] std::span<const Preset> presets() noexcept;

// The chain of a preset; `model`: nullptr for those that need none.
[[nodiscard]] Chain preset_chain(std::string_view name, const std::shared_ptr<const Model> &model);

} // namespace mullama::core::sampling

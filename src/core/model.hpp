// A loaded model: an engine's own, and what the core knows about it.
#pragma once

#include "backend/port.hpp"
#include "core/gguf/file.hpp"
#include "core/metadata.hpp"
#include "core/runtime.hpp"
#include "core/vocab.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::core {

// Immutable. Thread safety: all of it.
class Model {
public:
    struct Parts {
        std::shared_ptr<Runtime> runtime;
        const backend::Backend *backend = nullptr;
        std::unique_ptr<backend::Model> engine;
        Metadata metadata;
        std::string fingerprint;
        // By name; none for a model without weights.
        std::vector<gguf::TensorInfo> tensors;
        bool vocab_only = false;
        MemoryReservation memory;
    };

    explicit Model(Parts parts);
    Model(const Model &) = delete;
    Model &operator=(const Model &) = delete;

    [[nodiscard]] const std::shared_ptr<Runtime> &runtime() const noexcept {
        return parts_.runtime;
    }
    [[nodiscard]] const backend::Backend &backend() const noexcept { return *parts_.backend; }
    // For making contexts; they must not outlive this object.
    [[nodiscard]] backend::Model &engine() const noexcept { return *parts_.engine; }

    [[nodiscard]] const backend::ModelFacts &facts() const noexcept { return facts_; }
    [[nodiscard]] const Vocab &vocab() const noexcept { return vocab_; }
    [[nodiscard]] const Metadata &metadata() const noexcept { return parts_.metadata; }
    // 32 hexadecimal digits.
    [[nodiscard]] const std::string &fingerprint() const noexcept { return parts_.fingerprint; }
    // Those of its files, by name: what adapters are held against.
    [[nodiscard]] std::span<const gguf::TensorInfo> tensors() const noexcept {
        return parts_.tensors;
    }
    // No weights: it makes no contexts.
    [[nodiscard]] bool vocab_only() const noexcept { return parts_.vocab_only; }
    // MULLAMA_CAPABILITY_* bits.
    [[nodiscard]] std::uint64_t capabilities() const noexcept { return capabilities_; }
    [[nodiscard]] bool can(mullama_capability_t capability) const noexcept {
        return (capabilities_ & static_cast<std::uint64_t>(capability)) != 0;
    }
    // The Jinja text, NUL-terminated; the default template for an empty name.
    [[nodiscard]] std::optional<std::string_view> chat_template(std::string_view name) const;

private:
    Parts parts_;
    backend::ModelFacts facts_;
    Vocab vocab_;
    std::uint64_t capabilities_;
};

} // namespace mullama::core

// A LoRA or a control vector: read, checked against its model, and loaded.
#pragma once

#include "backend/port.hpp"
#include "core/metadata.hpp"
#include "core/model.hpp"
#include "core/runtime.hpp"
#include "mullama/adapter.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::core {

struct AdapterRequest {
    // Of a control vector; 0: as the file has them.
    std::int32_t layer_first = 0;
    std::int32_t layer_last = 0;
    bool check_tensors = false;
};

// Immutable. Thread safety: all of it.
class Adapter {
public:
    // Throws what loading a model throws.
    Adapter(std::shared_ptr<const Model> model, const std::string &path,
            const AdapterRequest &request);
    Adapter(const Adapter &) = delete;
    Adapter &operator=(const Adapter &) = delete;

    [[nodiscard]] const Model &model() const noexcept { return *model_; }
    [[nodiscard]] const Metadata &metadata() const noexcept { return metadata_; }
    [[nodiscard]] mullama_adapter_kind_t kind() const noexcept { return kind_; }
    [[nodiscard]] const std::string &name() const noexcept { return name_; }
    [[nodiscard]] const std::string &description() const noexcept { return description_; }
    // 32 hexadecimal digits.
    [[nodiscard]] const std::string &fingerprint() const noexcept { return fingerprint_; }
    [[nodiscard]] float alpha() const noexcept { return alpha_; }
    [[nodiscard]] std::uint32_t rank() const noexcept { return rank_; }
    // -1 where no layer is changed.
    [[nodiscard]] std::int32_t layer_first() const noexcept { return layer_first_; }
    [[nodiscard]] std::int32_t layer_last() const noexcept { return layer_last_; }
    [[nodiscard]] std::size_t n_tensors() const noexcept { return n_tensors_; }
    [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
    [[nodiscard]] std::span<const backend::Token> invocation_tokens() const noexcept {
        return invocation_tokens_;
    }

    // The engine's, of a LoRA; nullptr otherwise.
    [[nodiscard]] backend::Adapter *engine() const noexcept { return engine_.get(); }
    // Of a control vector: adds its directions, times `scale`, to those of others.
    void add_to(backend::ControlVector &sum, float scale) const;

private:
    class Loader;

    std::shared_ptr<const Model> model_;
    Metadata metadata_;
    mullama_adapter_kind_t kind_ = MULLAMA_ADAPTER_LORA;
    std::string name_;
    std::string description_;
    std::string fingerprint_;
    float alpha_ = 0.0F;
    std::uint32_t rank_ = 0;
    std::int32_t layer_first_ = -1;
    std::int32_t layer_last_ = -1;
    std::size_t n_tensors_ = 0;
    std::uint64_t size_bytes_ = 0;
    std::vector<backend::Token> invocation_tokens_;
    // Of a control vector: n_embd numbers for each layer but layer 0.
    std::vector<float> directions_;
    MemoryReservation memory_;
    std::unique_ptr<backend::Adapter> engine_;
};

} // namespace mullama::core

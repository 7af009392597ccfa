// LoRAs loaded by llama.cpp, and what it can do with adapters for which model.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include <llama.h>

#include "backend/port.hpp"

namespace mullama::backend::llama {

struct FreeAdapter {
    void operator()(llama_adapter_lora *adapter) const noexcept {
        llama_adapter_lora_free(adapter);
    }
};

class LlamaAdapter final : public Adapter {
public:
    // `registry` guards the model's list of adapters, which llama.cpp reads whenever it plans a
    // graph. Both outlive the adapter.
    LlamaAdapter(llama_model &model, std::mutex &registry, const std::string &path,
                 std::size_t n_pairs);
    ~LlamaAdapter() override;

    [[nodiscard]] llama_adapter_lora *get() const noexcept { return adapter_.get(); }
    [[nodiscard]] std::size_t n_pairs() const noexcept { return n_pairs_; }

private:
    std::mutex &registry_;
    std::size_t n_pairs_;
    std::unique_ptr<llama_adapter_lora, FreeAdapter> adapter_;
};

// Those whose graphs have no place for a control vector, and those whose graphs do not grow with
// the LoRAs, at the pinned llama.cpp.
[[nodiscard]] std::span<const std::string_view> unsteered_architectures() noexcept;
[[nodiscard]] std::span<const std::string_view> fixed_size_architectures() noexcept;

// Throws MULLAMA_ERROR_UNSUPPORTED where llama.cpp's graph of the architecture has no place for a
// control vector.
void require_control_vectors(const ModelFacts &facts);

// Throws MULLAMA_ERROR_UNSUPPORTED where llama.cpp's graph would have more nodes than it makes room
// for.
void require_room(std::span<const ScaledAdapter> adapters, const ModelFacts &facts);

} // namespace mullama::backend::llama

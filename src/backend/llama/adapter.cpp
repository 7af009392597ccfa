#include "backend/llama/adapter.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "backend/llama/failure.hpp"
#include "platform/system_error.hpp"

namespace mullama::backend::llama {

using base::Error;

namespace {

// Whose graphs llama.cpp builds without ever asking for a control vector, at the pinned version.
constexpr auto unsteered = std::to_array<std::string_view>(
    {"bert", "dflash", "eagle3", "eurobert", "gemma4-assistant", "hy_v4", "jina-bert-v2",
     "jina-bert-v3", "modern-bert", "neo-bert", "nomic-bert", "nomic-bert-moe", "plamo2",
     "wavtokenizer-dec"});
static_assert(std::ranges::is_sorted(unsteered));

// Whose graphs it sizes by the model alone, though each pair of matrices adds four nodes. It makes
// room for some three times what it needs; past that it aborts.
constexpr auto fixed_size = std::to_array<std::string_view>(
    {"bailingmoe3", "deepseek4", "dflash", "glm5-next", "hy_v4", "kimi-k3", "kimi-linear",
     "minimax-01", "minimax-m3", "nanbeige", "qwen35", "qwen35moe", "qwen3next", "qwen4exp"});
static_assert(std::ranges::is_sorted(fixed_size));

// Two adapters for all matrices of most layers: 128 nodes a layer, of at least 32 for each of the
// layer's ten or more tensors.
constexpr std::size_t pairs_per_layer = 32;

} // namespace

std::span<const std::string_view> unsteered_architectures() noexcept {
    return unsteered;
}

std::span<const std::string_view> fixed_size_architectures() noexcept {
    return fixed_size;
}

LlamaAdapter::LlamaAdapter(llama_model &model, std::mutex &registry, const std::string &path,
                           std::size_t n_pairs)
    : registry_(registry), n_pairs_(n_pairs) {
    const LogCapture capture;
    const std::lock_guard lock(registry_);
    adapter_.reset(guarded("load the adapter", capture,
                           [&] { return llama_adapter_lora_init(&model, path.c_str()); }));
    if (adapter_) {
        return;
    }
    const std::string_view why = capture.after("failed to apply lora adapter: ");
    throw Error(capture.mentions("failed to allocate") ? MULLAMA_ERROR_OUT_OF_MEMORY
                                                       : MULLAMA_ERROR_ENGINE,
                "llama.cpp cannot load the adapter " + platform::quoted(path) + ": " +
                    std::string(why.empty() ? std::string_view(capture.text()) : why))
        .parameter("path")
        .log(capture.text());
}

LlamaAdapter::~LlamaAdapter() {
    const std::lock_guard lock(registry_);
    adapter_.reset();
}

void require_control_vectors(const ModelFacts &facts) {
    if (std::ranges::binary_search(unsteered, std::string_view(facts.architecture))) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "llama.cpp does not apply control vectors to models of architecture '" +
                        facts.architecture + "'")
            .parameter("model");
    }
    if (facts.n_layer < 2) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "a control vector changes layers from 1 on, and this model has only layer 0")
            .parameter("model");
    }
}

void require_room(std::span<const ScaledAdapter> adapters, const ModelFacts &facts) {
    if (!std::ranges::binary_search(fixed_size, std::string_view(facts.architecture)) &&
        facts.architecture != "hrm_text") {
        return;
    }
    // HRM runs its blocks again and again, and with them every pair.
    const std::size_t most = facts.architecture == "hrm_text"
                                 ? 0
                                 : pairs_per_layer * static_cast<std::size_t>(facts.n_layer);
    std::size_t pairs = 0;
    for (const ScaledAdapter &scaled : adapters) {
        pairs += static_cast<const LlamaAdapter &>(*scaled.adapter).n_pairs();
    }
    if (pairs > most) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "llama.cpp does not make room for so many LoRA matrices at once in models of "
                    "architecture '" +
                        facts.architecture + "'")
            .parameter("adapters")
            .expected("at most " + std::to_string(most) + " pairs of matrices")
            .actual(pairs);
    }
}

} // namespace mullama::backend::llama

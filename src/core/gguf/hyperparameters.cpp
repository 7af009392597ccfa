#include "core/gguf/hyperparameters.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace mullama::core::gguf {

namespace {

constexpr std::uint32_t max_blocks = 512;   // LLAMA_MAX_LAYERS
constexpr std::uint32_t max_experts = 1024; // LLAMA_MAX_EXPERTS
constexpr std::uint32_t max_pooling_type = 4;
constexpr std::uint32_t max_gating_function = 4;

// Far above any model, and low enough that llama.cpp's 32-bit products of them cannot wrap.
constexpr std::uint32_t max_heads = 1U << 16;
constexpr std::uint32_t max_head_length = 1U << 15;
constexpr std::uint32_t max_length = 0x7fffffff;
constexpr std::uint32_t max_window = 1U << 23;

[[nodiscard]] std::string upto(std::uint64_t least, std::uint64_t most) {
    return std::to_string(least) + " to " + std::to_string(most);
}

class HyperparameterReader {
public:
    HyperparameterReader(const Metadata &metadata, const Architecture &architecture)
        : metadata_(metadata) {
        h_.architecture = &architecture;
    }

    [[nodiscard]] Hyperparameters run() && {
        read_sizes();
        read_experts();
        read_heads();
        read_head_lengths();
        read_window();
        check_heads();
        check_rope();
        check_numbers();
        return std::move(h_);
    }

private:
    [[nodiscard]] bool has(Architecture::Trait trait) const { return h_.architecture->has(trait); }
    [[nodiscard]] std::uint32_t in_range(std::string_view key, std::uint32_t value,
                                         std::uint32_t least, std::uint32_t most) const;
    [[nodiscard]] std::vector<std::uint32_t> per_block(std::string_view key, std::uint32_t most,
                                                       std::vector<std::uint32_t> missing) const;

    void read_sizes();
    void read_experts();
    void check_expert_groups() const;
    void read_heads();
    void read_head_lengths();
    void read_window();
    [[nodiscard]] bool uses_window() const;
    void read_window_pattern();
    void check_heads() const;
    void check_head_lengths(bool windowed, std::uint32_t key, std::uint32_t value,
                            std::uint32_t rope) const;
    void check_rope() const;
    void check_rope_sections(std::uint32_t key_length) const;
    void check_numbers() const;

    const Metadata &metadata_;
    Hyperparameters h_;
};

std::uint32_t HyperparameterReader::in_range(std::string_view key, std::uint32_t value,
                                             std::uint32_t least, std::uint32_t most) const {
    if (value < least || value > most) {
        metadata_.fail("no model can have this value", key, upto(least, most), value);
    }
    return value;
}

std::vector<std::uint32_t>
HyperparameterReader::per_block(std::string_view key, std::uint32_t most,
                                std::vector<std::uint32_t> missing) const {
    auto found = metadata_.per_layer(key, h_.block_count);
    if (!found) {
        return missing;
    }
    for (const std::uint32_t value : *found) {
        static_cast<void>(in_range(key, value, 0, most));
    }
    return std::move(*found);
}

void HyperparameterReader::read_sizes() {
    h_.context_length =
        in_range(".context_length", metadata_.require_u32(".context_length"), 1, max_length);
    h_.embedding_length =
        in_range(".embedding_length", metadata_.require_u32(".embedding_length"), 1, max_length);
    h_.block_count = in_range(".block_count", metadata_.require_u32(".block_count"), 1, max_blocks);
    h_.extra_blocks =
        in_range(".nextn_predict_layers", metadata_.u32(".nextn_predict_layers").value_or(0), 0,
                 h_.block_count);
    h_.feed_forward = per_block(".feed_forward_length", max_length,
                                std::vector<std::uint32_t>(h_.block_count, 0));
}

void HyperparameterReader::read_experts() {
    h_.experts =
        in_range(".expert_count", metadata_.u32(".expert_count").value_or(0), 0, max_experts);
    h_.experts_used =
        per_block(".expert_used_count", max_experts, std::vector<std::uint32_t>(h_.block_count, 0));
    // These are dense models whose converter writes one expert.
    const std::string_view name = h_.architecture->name;
    if ((name == "hunyuan_vl" || name == "hunyuan-dense") && h_.experts <= 1) {
        h_.experts = 0;
        std::ranges::fill(h_.experts_used, 0U);
    }
    if (h_.experts == 0 && has(Architecture::needs_experts)) {
        metadata_.fail("the architecture has experts, but the model has none", ".expert_count",
                       upto(1, max_experts), h_.experts);
    }
    const std::uint32_t used = *std::ranges::max_element(h_.experts_used);
    if (used > 0 && h_.experts == 0 && metadata_.u32(".expert_count")) {
        metadata_.fail("experts are used, but the model has none", ".expert_count",
                       upto(1, max_experts), 0);
    }
    if (used > h_.experts) {
        metadata_.fail("more experts are used than there are", ".expert_used_count",
                       "at most " + std::to_string(h_.experts), used);
    }
    // In Nemotron-H some blocks are no mixture of experts, and llama.cpp looks at each block's own
    // number; elsewhere it divides by the first one.
    const bool may_be_dense = name == "nemotron_h" || name == "nemotron_h_moe";
    if (h_.experts > 0 && (used == 0 || (!may_be_dense && std::ranges::find(h_.experts_used, 0U) !=
                                                              h_.experts_used.end()))) {
        metadata_.fail("the model has experts but uses none", ".expert_used_count",
                       upto(1, h_.experts), 0);
    }
    check_expert_groups();
    const auto gating = metadata_.u32(".expert_gating_func");
    const bool required = has(Architecture::needs_gating) && h_.experts > 0;
    if (gating || required) {
        static_cast<void>(in_range(".expert_gating_func", gating.value_or(0), required ? 1 : 0,
                                   max_gating_function));
    }
}

void HyperparameterReader::check_expert_groups() const {
    const std::uint32_t groups = metadata_.u32(".expert_group_count").value_or(0);
    if (h_.experts == 0) {
        static_cast<void>(in_range(".expert_group_count", groups, 0, 0));
        return;
    }
    static_cast<void>(in_range(".expert_group_count", groups, 0, h_.experts - 1));
    if (groups > 1) {
        if (h_.experts % groups != 0) {
            metadata_.fail("the experts cannot be divided into groups of one size",
                           ".expert_group_count", "a divisor of " + std::to_string(h_.experts),
                           groups);
        }
        static_cast<void>(in_range(".expert_group_used_count",
                                   metadata_.u32(".expert_group_used_count").value_or(0), 1,
                                   groups - 1));
    }
}

void HyperparameterReader::read_heads() {
    h_.heads = per_block(".attention.head_count", max_heads,
                         std::vector<std::uint32_t>(h_.block_count, 0));
    h_.heads_kv = per_block(".attention.head_count_kv", max_heads, h_.heads);
}

void HyperparameterReader::read_head_lengths() {
    const std::uint32_t heads = h_.heads.front();
    if (heads > 0) {
        const auto key_length = metadata_.u32(".attention.key_length");
        const auto value_length = metadata_.u32(".attention.value_length");
        if ((!key_length || !value_length) && h_.embedding_length % heads != 0) {
            metadata_.fail("the embedding cannot be divided among the heads",
                           ".attention.head_count",
                           "a divisor of " + std::to_string(h_.embedding_length), heads);
        }
        const std::uint32_t share = h_.embedding_length / heads;
        h_.key_length =
            in_range(".attention.key_length", key_length.value_or(share), 1, max_head_length);
        h_.value_length =
            in_range(".attention.value_length", value_length.value_or(share), 1, max_head_length);
        h_.rope_dims = metadata_.u32(".rope.dimension_count").value_or(h_.key_length);
    }
    h_.key_length_window = in_range(
        ".attention.key_length_swa",
        metadata_.u32(".attention.key_length_swa").value_or(h_.key_length), 0, max_head_length);
    h_.value_length_window = in_range(
        ".attention.value_length_swa",
        metadata_.u32(".attention.value_length_swa").value_or(h_.value_length), 0, max_head_length);
    h_.rope_dims_window = metadata_.u32(".rope.dimension_count_swa").value_or(h_.rope_dims);
}

bool HyperparameterReader::uses_window() const {
    const auto window = metadata_.u32(".attention.sliding_window");
    if (window) {
        static_cast<void>(in_range(".attention.sliding_window", *window, 0, max_window));
    }
    switch (h_.architecture->window.kind) {
    case WindowKind::never:
        return false;
    case WindowKind::always:
    case WindowKind::by_array:
    case WindowKind::all_blocks:
        return true;
    case WindowKind::if_window:
    case WindowKind::by_array_if_window:
    case WindowKind::all_with_heads_if_window:
        return window.value_or(0) > 0;
    case WindowKind::unless_zero_window:
        return window.value_or(1) > 0;
    case WindowKind::with_64_layers:
        return h_.blocks() == 64;
    }
    return false;
}

void HyperparameterReader::read_window() {
    h_.windowed.assign(h_.block_count, false);
    if (!uses_window()) {
        return;
    }
    read_window_pattern();
    // llama.cpp makes two caches, one of them for windowed blocks, and asserts that there are any.
    const bool has_cache = !has(Architecture::no_memory) && !has(Architecture::hybrid);
    if (has_cache && std::ranges::find(h_.windowed, true) == h_.windowed.end()) {
        metadata_.fail("the architecture has a sliding window, but no block uses it",
                       ".attention.sliding_window_pattern", "a pattern with a windowed block",
                       "none");
    }
}

void HyperparameterReader::read_window_pattern() {
    constexpr std::string_view key = ".attention.sliding_window_pattern";
    const Window &window = h_.architecture->window;
    if (window.kind == WindowKind::all_blocks) {
        h_.windowed.assign(h_.block_count, true);
        return;
    }
    if (window.kind == WindowKind::all_with_heads_if_window) {
        for (std::uint32_t i = 0; i < h_.block_count; ++i) {
            h_.windowed[i] = h_.heads_kv[i] > 0;
        }
        return;
    }
    const Value *value = metadata_.value(key);
    if (value != nullptr && value->is_array()) {
        const ValueType type = value->element_type();
        if (type != ValueType::boolean && type != ValueType::uint32 && type != ValueType::int32) {
            metadata_.fail("the metadata value is of the wrong type", key, "array of bool",
                           value->description());
        }
        if (value->count() > max_blocks) {
            metadata_.fail("the array is longer than any model", key,
                           "at most " + std::to_string(max_blocks), value->count());
        }
        // llama.cpp would take the blocks that the array lacks for dense ones.
        if (value->count() < h_.blocks()) {
            metadata_.fail("the array has not one element for each block", key,
                           std::to_string(h_.blocks()), value->count());
        }
        for (std::uint32_t i = 0; i < std::min<std::uint64_t>(h_.block_count, value->count());
             ++i) {
            h_.windowed[i] = value->as_int(i) != 0;
        }
        return;
    }
    if (window.kind == WindowKind::by_array || window.kind == WindowKind::by_array_if_window) {
        metadata_.fail("the model lacks this metadata", key, "array of bool",
                       value == nullptr ? "nothing" : value->description());
    }
    const std::uint32_t pattern = metadata_.u32(key).value_or(window.pattern);
    for (std::uint32_t i = 0; i < h_.blocks(); ++i) {
        h_.windowed[i] =
            pattern == 0 || (window.dense_first ? i % pattern != 0 : i % pattern < pattern - 1);
    }
}

void HyperparameterReader::check_heads() const {
    const std::string_view name = h_.architecture->name;
    const bool attends =
        !has(Architecture::recurrent) && !has(Architecture::hybrid) && name != "wavtokenizer-dec";
    if (attends && h_.heads.front() == 0) {
        metadata_.fail("the model has no attention heads", ".attention.head_count",
                       upto(1, max_heads), 0);
    }
    for (std::uint32_t i = 0; i < h_.block_count; ++i) {
        const std::uint32_t heads = h_.heads[i];
        const std::uint32_t heads_kv = h_.heads_kv[i];
        // A block without key heads is recurrent, or (DeciLM) linear; elsewhere it is a mistake.
        if (heads_kv == 0 ? heads > 0 && attends && name != "deci" : heads % heads_kv != 0) {
            metadata_.fail(
                "the heads cannot be divided among the key heads (block " + std::to_string(i) + ")",
                ".attention.head_count_kv", "a divisor of " + std::to_string(heads), heads_kv);
        }
    }
    if (h_.heads.front() == 0) {
        return;
    }
    check_head_lengths(false, h_.key_length, h_.value_length, h_.rope_dims);
    check_head_lengths(true, h_.key_length_window, h_.value_length_window, h_.rope_dims_window);
    // llama.cpp insists on this for these four, whatever their blocks.
    const bool insists =
        name == "llama" || name == "deci" || name == "falcon" || name == "llama-embed";
    if (insists && h_.rope_dims != h_.key_length) {
        metadata_.fail("RoPE must turn the whole head in this architecture",
                       ".rope.dimension_count", std::to_string(h_.key_length), h_.rope_dims);
    }
}

// Of the blocks with a window, or those without.
void HyperparameterReader::check_head_lengths(bool windowed, std::uint32_t key, std::uint32_t value,
                                              std::uint32_t rope) const {
    if (std::ranges::find(h_.windowed, windowed) == h_.windowed.end()) {
        return;
    }
    if (has(Architecture::same_head) && key != value) {
        metadata_.fail("keys and values must have one length in this architecture",
                       windowed ? ".attention.value_length_swa" : ".attention.value_length",
                       std::to_string(key), value);
    }
    // Only the first block's are asserted; RoPE itself can do with less in the others.
    if (has(Architecture::full_rope) && windowed == h_.windowed.front() && rope != value) {
        metadata_.fail("RoPE must turn the whole head in this architecture",
                       windowed ? ".rope.dimension_count_swa" : ".rope.dimension_count",
                       std::to_string(value), rope);
    }
}

void HyperparameterReader::check_rope() const {
    if (const auto type = metadata_.string(".rope.scaling.type")) {
        constexpr std::array<std::string_view, 4> known{"none", "linear", "yarn", "longrope"};
        if (std::ranges::find(known, *type) == known.end()) {
            metadata_.fail("llama.cpp does not know this way to scale RoPE", ".rope.scaling.type",
                           "none, linear, yarn or longrope", *type);
        }
    }
    if (h_.heads.front() == 0 || has(Architecture::no_rope)) {
        return;
    }
    const auto check = [this](std::string_view key, std::uint32_t dims, std::uint32_t length) {
        // Of 0, ggml would make an endless loop.
        if (dims == 0 || dims > length || dims % 2 != 0) {
            metadata_.fail("RoPE turns pairs of elements of a head", key,
                           "an even number, 2 to " + std::to_string(length), dims);
        }
    };
    check(".rope.dimension_count", h_.rope_dims, h_.key_length);
    if (std::ranges::find(h_.windowed, true) != h_.windowed.end()) {
        check(".rope.dimension_count_swa", h_.rope_dims_window, h_.key_length_window);
    }
    for (const std::string_view key : {".rope.freq_base", ".rope.freq_base_swa"}) {
        const auto base = metadata_.f32(key);
        if (base && !(*base > 0.0F && std::isfinite(*base))) {
            metadata_.fail("RoPE needs a frequency", key, "a positive number",
                           std::to_string(*base));
        }
    }
    check_rope_sections(h_.key_length);
}

void HyperparameterReader::check_rope_sections(std::uint32_t key_length) const {
    constexpr std::string_view key = ".rope.dimension_sections";
    const bool always = has(Architecture::mrope);
    if (!always && !has(Architecture::mrope_by_sections)) {
        return;
    }
    const auto sections = metadata_.per_layer(key, 4);
    if (!sections) {
        if (always) {
            metadata_.fail("the model lacks this metadata", key, "array of 4 int32", "nothing");
        }
        return;
    }
    const bool used = always || ((*sections)[0] > 0 && (*sections)[1] > 0);
    std::uint64_t sum = 0;
    for (const std::uint32_t section : *sections) {
        sum += section;
    }
    if (used && (sum == (*sections)[3] || sum > key_length)) {
        metadata_.fail("the sections of RoPE do not fit a head", key,
                       "sections of " + upto(1, key_length) + " elements in all", sum);
    }
}

void HyperparameterReader::check_numbers() const {
    for (const std::string_view key :
         {".attention.layer_norm_epsilon", ".attention.layer_norm_rms_epsilon",
          ".attention.group_norm_epsilon"}) {
        const auto epsilon = metadata_.f32(key);
        if (epsilon && !(*epsilon >= 0.0F && std::isfinite(*epsilon))) {
            metadata_.fail("a norm needs a small positive number", key, "0 or more",
                           std::to_string(*epsilon));
        }
    }
    const auto require = [this](std::string_view key) {
        if (!metadata_.f32(key)) {
            metadata_.fail("the model lacks this metadata", key, "float32", "nothing");
        }
    };
    if (has(Architecture::rms_epsilon)) {
        require(".attention.layer_norm_rms_epsilon");
    }
    if (has(Architecture::norm_epsilon)) {
        require(".attention.layer_norm_epsilon");
    }
    for (const std::string_view key : {".pooling_type", ".classifier.pooling_type"}) {
        const auto pooling = metadata_.u32(key);
        constexpr std::uint32_t unspecified = 0xffffffff;
        if (pooling && *pooling > max_pooling_type && *pooling != unspecified) {
            metadata_.fail("llama.cpp does not know this way to pool", key,
                           upto(0, max_pooling_type), *pooling);
        }
    }
}

} // namespace

Hyperparameters read_hyperparameters(const Metadata &metadata, const Architecture &architecture) {
    return HyperparameterReader(metadata, architecture).run();
}

} // namespace mullama::core::gguf

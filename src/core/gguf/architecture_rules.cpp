#include "core/gguf/architecture_rules.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace mullama::core::gguf {

namespace {

constexpr std::uint32_t max_blocks = 512; // LLAMA_MAX_LAYERS

struct Case {
    const Metadata &m;
    const Hyperparameters &h;

    // The number under `key`, which must be at least 1.
    [[nodiscard]] std::uint32_t positive(std::string_view key) const {
        const std::uint32_t value = m.require_u32(key);
        if (value == 0) {
            m.fail("this must not be 0 in this architecture", key, "1 or more", 0);
        }
        return value;
    }

    void require_equal(std::string_view key, std::uint64_t value, std::uint64_t expected) const {
        if (value != expected) {
            m.fail("this does not fit the model's other sizes", key, std::to_string(expected),
                   value);
        }
    }

    // Whether the positive number under `key` divides another.
    void require_divisor(std::string_view key, std::uint64_t divisor, std::uint64_t of) const {
        if (of % divisor != 0) {
            m.fail("the model's sizes cannot be divided by this", key,
                   "a divisor of " + std::to_string(of), divisor);
        }
    }
};

// Mamba-2: the inner state is divided among heads, and the heads among groups.
void state_space_groups(const Case &c) {
    const std::uint32_t inner = c.positive(".ssm.inner_size");
    const std::uint32_t heads = c.positive(".ssm.time_step_rank");
    const std::uint32_t groups = c.positive(".ssm.group_count");
    c.require_divisor(".ssm.time_step_rank", heads, inner);
    c.require_divisor(".ssm.group_count", groups, inner);
    c.require_divisor(".ssm.group_count", groups, heads);
}

void state_space_sizes(const Case &c) {
    for (const std::string_view key :
         {".ssm.conv_kernel", ".ssm.inner_size", ".ssm.state_size", ".ssm.time_step_rank"}) {
        static_cast<void>(c.positive(key));
    }
}

void state_space_expands_by_two(const Case &c) {
    c.require_equal(".ssm.inner_size", c.m.require_u32(".ssm.inner_size"),
                    2 * std::uint64_t{c.h.embedding_length});
}

void plamo2_state_space(const Case &c) {
    c.require_divisor(".ssm.time_step_rank", c.positive(".ssm.time_step_rank"),
                      c.positive(".ssm.inner_size"));
    c.require_equal(".ssm.group_count", c.m.require_u32(".ssm.group_count"), 0);
}

// Gated delta nets: as many elements a value head as a key head, and value heads in whole groups.
void delta_net(const Case &c) {
    const std::uint32_t value_heads = c.positive(".ssm.time_step_rank");
    const std::uint32_t key_heads = c.positive(".ssm.group_count");
    const std::uint32_t head_size = c.positive(".ssm.state_size");
    c.require_divisor(".ssm.group_count", key_heads, value_heads);
    c.require_equal(".ssm.inner_size", c.m.require_u32(".ssm.inner_size"),
                    std::uint64_t{head_size} * value_heads);
    static_cast<void>(c.positive(".ssm.conv_kernel"));
}

// Every n-th block attends; the others are recurrent.
void full_attention_interval(const Case &c) {
    if (c.m.u32(".full_attention_interval")) {
        static_cast<void>(c.positive(".full_attention_interval"));
    }
}

void rwkv_head_size(const Case &c) {
    c.require_divisor(".wkv.head_size", c.positive(".wkv.head_size"), c.h.embedding_length);
}

// ggml goes over a head's rows in steps of up to 64 elements (AVX-512) and looks for no rest: it
// would read and write past them.
void rwkv7_head_size(const Case &c) {
    const std::uint32_t size = c.positive(".wkv.head_size");
    if (size % 64 != 0) {
        c.m.fail("llama.cpp computes heads of this size wrongly", ".wkv.head_size",
                 "a multiple of 64", size);
    }
}

void two_token_shifts(const Case &c) {
    c.require_equal(".token_shift_count", c.m.u32(".token_shift_count").value_or(2), 2);
}

void one_token_shift(const Case &c) {
    c.require_equal(".token_shift_count", c.m.u32(".token_shift_count").value_or(2), 1);
}

void rwkv_key_heads(const Case &c) {
    const std::uint32_t heads = c.h.embedding_length / c.positive(".wkv.head_size");
    const std::uint32_t key_heads = c.h.heads_kv.front();
    if (key_heads != 0 && heads % key_heads != 0) {
        c.m.fail("the heads cannot be divided among the key heads", ".attention.head_count_kv",
                 "a divisor of " + std::to_string(heads), key_heads);
    }
}

void mixture_step(const Case &c) {
    static_cast<void>(c.positive(".interleave_moe_layer_step"));
}

void expert_chunks(const Case &c) {
    c.require_divisor(".experts_per_group", c.positive(".experts_per_group"), c.h.experts);
}

void hrm_slots(const Case &c) {
    const std::uint64_t layers = c.positive(".hrm.layers_per_stack");
    const std::uint64_t high = c.positive(".hrm.h_cycles");
    const std::uint64_t low = c.positive(".hrm.l_cycles");
    // Each factor is below 2^32; with the limits no product wraps.
    if (layers > max_blocks || high > max_blocks || low > max_blocks) {
        c.m.fail("the cycles need more blocks than a model can have", ".hrm.h_cycles",
                 "at most " + std::to_string(max_blocks), std::max({layers, high, low}));
    }
    c.require_equal(".block_count", c.h.blocks(), layers * high * (low + 1));
}

void nanbeige_loops(const Case &c) {
    const std::uint64_t loops = c.m.u32(".num_loops").value_or(1);
    const std::uint64_t most = max_blocks / std::max(c.h.blocks(), 1U);
    if (loops == 0 || loops > most) {
        c.m.fail("the loops need more blocks than a model can have, or none", ".num_loops",
                 "1 to " + std::to_string(most), loops);
    }
}

void granite_switch_router(const Case &c) {
    if (c.h.blocks() >= max_blocks) {
        c.m.fail("the architecture adds a block of its own", ".block_count",
                 "at most " + std::to_string(max_blocks - 1), c.h.blocks());
    }
}

// Gemma: the last blocks have no keys of their own, but use those of the last block before that has
// them and the same kind of window.
void shared_keys(const Case &c, std::uint64_t own) {
    if (own < 2 || own > c.h.block_count) {
        c.m.fail("two or more blocks must have keys of their own", ".attention.shared_kv_layers",
                 "at most " + std::to_string(c.h.block_count - std::min(c.h.block_count, 2U)),
                 c.h.block_count - std::min<std::uint64_t>(own, c.h.block_count));
    }
    for (std::uint64_t block = own; block < c.h.block_count; ++block) {
        const bool windowed = c.h.windowed[block];
        if (c.h.windowed[own - (windowed ? 2 : 1)] != windowed) {
            c.m.fail("block " + std::to_string(block) +
                         " has no keys of its own, and no block before it has fitting ones",
                     ".attention.sliding_window_pattern",
                     "a window in block " + std::to_string(own - 2) + ", none in block " +
                         std::to_string(own - 1),
                     "something else");
        }
    }
}

void gemma3n_shared_keys(const Case &c) {
    constexpr std::uint32_t with_keys = 20;
    shared_keys(c, std::min(c.h.block_count, with_keys));
}

void gemma4_shared_keys(const Case &c) {
    const std::uint32_t shared = c.m.u32(".attention.shared_kv_layers").value_or(0);
    shared_keys(c, c.h.block_count - std::min(shared, c.h.block_count));
}

// Where keys are made from a latent vector for each head.
void as_many_key_heads(const Case &c) {
    for (std::uint32_t block = 0; block < c.h.block_count; ++block) {
        c.require_equal(".attention.head_count_kv", c.h.heads_kv[block], c.h.heads[block]);
    }
}

// Multi-head latent attention: of a key, one part is turned by RoPE and one is not. The cache holds
// the latent vector instead, with the turned part behind it.
void latent_attention(const Case &c) {
    const std::uint32_t key = c.m.u32(".attention.key_length_mla").value_or(0);
    const std::uint32_t value = c.m.u32(".attention.value_length_mla").value_or(0);
    const bool latent = key != 0 && value != 0;
    const std::uint32_t length = latent ? key : c.h.key_length;
    if (c.h.rope_dims >= length) {
        c.m.fail("RoPE must leave a part of each key alone in this architecture",
                 ".rope.dimension_count", "less than " + std::to_string(length), c.h.rope_dims);
    }
    if (!latent) {
        as_many_key_heads(c);
    } else {
        const std::uint64_t rank = c.positive(".attention.kv_lora_rank");
        c.require_equal(".attention.key_length", c.h.key_length, rank + c.h.rope_dims);
    }
}

void latent_attention_only(const Case &c) {
    static_cast<void>(c.positive(".attention.key_length_mla"));
    static_cast<void>(c.positive(".attention.value_length_mla"));
    latent_attention(c);
}

// The same for blocks with a window, which have a latent vector of their own.
void latent_attention_in_window(const Case &c) {
    const std::uint64_t rank = c.positive(".attention.kv_lora_rank_swa");
    static_cast<void>(c.positive(".attention.value_length_mla_swa"));
    const std::uint32_t key = c.positive(".attention.key_length_mla_swa");
    if (c.h.rope_dims_window >= key) {
        c.m.fail("RoPE must leave a part of each key alone in this architecture",
                 ".rope.dimension_count_swa", "less than " + std::to_string(key),
                 c.h.rope_dims_window);
    }
    c.require_equal(".attention.key_length_swa", c.h.key_length_window,
                    rank + c.h.rope_dims_window);
}

void attention_temperature(const Case &c) {
    if (c.m.f32(".attention.temperature_scale").value_or(0.0F) != 0.0F) {
        static_cast<void>(c.positive(".attention.temperature_length"));
    }
}

void deepseek_ocr(const Case &c) {
    const std::uint32_t length = c.h.embedding_length / c.h.heads.front();
    c.require_equal(".attention.key_length", c.h.key_length, length);
    c.require_equal(".attention.value_length", c.h.value_length, length);
    constexpr float base = 10000.0F;
    const float found = c.m.f32(".rope.freq_base").value_or(base);
    if (!(std::fabs(found - base) < 1e-4F)) {
        c.m.fail("this architecture has one frequency only", ".rope.freq_base",
                 std::to_string(base), std::to_string(found));
    }
}

void indexer(const Case &c) {
    static_cast<void>(c.positive(".attention.indexer.head_count"));
    constexpr std::uint32_t most = 1U << 20;
    constexpr std::string_view top = ".attention.indexer.top_k";
    if (const std::uint32_t selected = c.positive(top); selected > most) {
        c.m.fail("no model looks at as many", top, "1 to " + std::to_string(most), selected);
    }
    const std::uint32_t length = c.positive(".attention.indexer.key_length");
    if (length < c.h.rope_dims) {
        c.m.fail("the indexer's keys are shorter than what RoPE turns of them",
                 ".attention.indexer.key_length", "at least " + std::to_string(c.h.rope_dims),
                 length);
    }
}

// Blocks without an indexer use the one before; the first block has none before it.
void first_block_has_indexer(const Case &c) {
    constexpr std::string_view key = ".attention.indexer.types";
    const auto types = c.m.per_layer(key, c.h.blocks());
    if (types && !types->empty() && types->front() == 0) {
        c.m.fail("the first block must have an indexer of its own", key, "not 0", 0);
    }
}

// The cache is divided into blocks; it has 256 cells or more.
void indexer_blocks(const Case &c) {
    constexpr std::uint32_t cells = 256;
    constexpr std::string_view key = ".attention.indexer.block_size";
    const std::uint32_t size = c.positive(key);
    if (size > cells) {
        c.m.fail("a small cache would hold no whole block", key, "1 to " + std::to_string(cells),
                 size);
    }
}

void indexer_pool(const Case &c) {
    const std::uint32_t pool = c.m.require_u32(".attention.indexer.kpool");
    if (pool < 2) {
        c.m.fail("keys are pooled in this architecture", ".attention.indexer.kpool", "2 or more",
                 pool);
    }
    c.require_divisor(".attention.indexer.kpool", pool,
                      c.m.require_u32(".attention.indexer.top_k"));
    c.require_equal(".rope.dimension_count", c.h.rope_dims, 0);
}

void four_hyper_connections(const Case &c) {
    c.require_equal(".hyper_connection.count", c.m.require_u32(".hyper_connection.count"), 4);
    // Each is a pass over the connections of each token; models have some twenty.
    constexpr std::uint32_t most = 1000;
    constexpr std::string_view key = ".hyper_connection.sinkhorn_iterations";
    const std::uint32_t passes = c.positive(key);
    if (passes > most) {
        c.m.fail("no model needs as many passes", key, "1 to " + std::to_string(most), passes);
    }
}

void one_key_head(const Case &c) {
    for (const std::uint32_t heads : c.h.heads_kv) {
        c.require_equal(".attention.head_count_kv", heads, 1);
    }
}

void output_groups(const Case &c) {
    const std::uint32_t groups = c.positive(".attention.output_group_count");
    for (const std::uint32_t heads : c.h.heads) {
        c.require_divisor(".attention.output_group_count", groups, heads);
    }
}

void compress_ratios(const Case &c) {
    constexpr std::string_view key = ".attention.compress_ratios";
    const Value *ratios = c.m.value(key);
    if (ratios == nullptr || !ratios->is_array() || ratios->count() < c.h.block_count ||
        ratios->count() > max_blocks) {
        c.m.fail("there must be a ratio for each block", key,
                 std::to_string(c.h.block_count) + " to " + std::to_string(max_blocks),
                 ratios == nullptr ? "nothing" : ratios->description());
    }
}

void draft_of_deepseek4(const Case &c) {
    if (c.m.u32(".hyper_connection.count").value_or(0) > 0) {
        output_groups(c);
        static_cast<void>(c.positive(".attention.sliding_window"));
    }
}

void one_block(const Case &c) {
    c.require_equal(".block_count", c.h.blocks(), 1);
}

void short_convolution(const Case &c) {
    constexpr std::string_view key = ".shortconv.l_cache";
    const std::uint32_t length = c.m.require_u32(key);
    if (length < 2) {
        c.m.fail("the convolution must look back", key, "2 or more", length);
    }
    c.require_equal(".attention.value_length", c.h.value_length, c.h.key_length);
}

void delta_attention_gate(const Case &c) {
    if (!c.m.boolean(".kda.safe_gate").value_or(true)) {
        c.m.fail("this architecture has a safe gate only", ".kda.safe_gate", "true", "false");
    }
    constexpr std::string_view key = ".kda.gate_lower_bound";
    const auto bound = c.m.f32(key);
    if (!bound || !(*bound < 0.0F)) {
        c.m.fail("the gate needs a lower bound", key, "a negative number",
                 bound ? std::to_string(*bound) : "nothing");
    }
}

void decoder_blocks(const Case &c) {
    constexpr std::string_view key = ".decoder_block_count";
    const std::uint32_t blocks = c.m.u32(key).value_or(c.h.blocks());
    if (blocks == 0 || blocks > c.h.block_count) {
        c.m.fail("llama.cpp wants no more decoder than encoder blocks", key,
                 "1 to " + std::to_string(c.h.block_count), blocks);
    }
}

void relative_buckets(const Case &c) {
    static_cast<void>(c.positive(".attention.relative_buckets_count"));
}

void dense_modules(const Case &c) {
    for (const std::string_view key : {".dense_2_feat_in", ".dense_3_feat_out"}) {
        const std::uint32_t size = c.m.u32(key).value_or(0);
        if (size != 0) {
            c.require_equal(key, size, c.h.embedding_length);
        }
    }
}

void wav_tokenizer(const Case &c) {
    constexpr std::uint32_t posnet_blocks = 6;
    const std::uint32_t posnet = c.m.require_u32(".posnet.block_count");
    const std::uint32_t convnext = c.m.require_u32(".convnext.block_count");
    if (posnet > std::min(posnet_blocks, c.h.block_count)) {
        c.m.fail("more blocks than the architecture has", ".posnet.block_count",
                 "at most " + std::to_string(std::min(posnet_blocks, c.h.block_count)), posnet);
    }
    if (convnext > c.h.block_count) {
        c.m.fail("more blocks than the model has", ".convnext.block_count",
                 "at most " + std::to_string(c.h.block_count), convnext);
    }
    const std::uint32_t length = c.positive(".posnet.embedding_length");
    c.require_equal(".convnext.embedding_length", c.m.require_u32(".convnext.embedding_length"),
                    length);
    c.require_divisor(".attention.group_norm_groups", c.positive(".attention.group_norm_groups"),
                      length);
}

void window_only(const Case &c) {
    static_cast<void>(c.positive(".attention.sliding_window"));
}

// llama.cpp has a branch for models without a window, which asserts what only the other one sets.
void window_not_zero(const Case &c) {
    if (c.m.u32(".attention.sliding_window")) {
        window_only(c);
    }
}

// Images come with further embeddings, which are added after the first blocks; after the last one
// fewer rows are left than they have.
void deep_stack(const Case &c) {
    constexpr std::string_view key = ".n_deepstack_layers";
    const std::uint32_t layers = c.m.u32(key).value_or(0);
    if (layers > 0 && layers >= c.h.blocks()) {
        c.m.fail("the model has too few blocks for this", key,
                 "less than " + std::to_string(c.h.blocks()), layers);
    }
}

// Rows of a table, one for each head, make up an embedding together.
void ngram_heads(const Case &c) {
    const Value *layers = c.m.value(".ple.layers");
    if (layers == nullptr || !layers->is_array() || layers->count() == 0) {
        return;
    }
    const std::uint64_t size = c.positive(".ple.ngram_size");
    const std::uint64_t heads = c.positive(".ple.heads_per_ngram");
    const std::uint64_t length = c.positive(".embedding_length_per_layer_input");
    constexpr std::uint64_t most = 64; // LLAMA_MAX_PLE_HEADS
    if (size > most || heads > most || (size - 1) * heads * length != c.h.embedding_length) {
        c.m.fail("the heads' rows do not make up an embedding", ".ple.heads_per_ngram",
                 "heads of " + std::to_string(c.h.embedding_length) + " elements in all", heads);
    }
}

struct Rule {
    void (*check)(const Case &);
    std::array<std::string_view, 9> architectures; // the rest are ""
};

constexpr std::array<Rule, 44> rules{{
    {state_space_groups, {"mamba2", "granitehybrid", "nemotron_h", "nemotron_h_moe", "falcon-h1"}},
    {state_space_sizes,
     {"mamba", "mamba2", "granitehybrid", "nemotron_h", "nemotron_h_moe", "falcon-h1", "jamba",
      "plamo2"}},
    {state_space_expands_by_two, {"mamba", "jamba", "granitehybrid"}},
    {plamo2_state_space, {"plamo2"}},
    {delta_net, {"qwen3next", "qwen35", "qwen35moe", "qwen4exp"}},
    {full_attention_interval, {"minimax-01", "qwen3next", "qwen35", "qwen35moe", "qwen4exp"}},
    {rwkv_head_size, {"rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"}},
    {rwkv7_head_size, {"rwkv7", "arwkv7"}},
    {two_token_shifts, {"rwkv6", "rwkv7"}},
    {one_token_shift, {"rwkv6qwen2", "arwkv7"}},
    {rwkv_key_heads, {"rwkv6qwen2"}},
    {mixture_step, {"ernie4_5-moe"}},
    {expert_chunks, {"grovemoe"}},
    {hrm_slots, {"hrm_text"}},
    {nanbeige_loops, {"nanbeige"}},
    {granite_switch_router, {"graniteswitch"}},
    {gemma3n_shared_keys, {"gemma3n"}},
    {gemma4_shared_keys, {"gemma4"}},
    {as_many_key_heads, {"minicpm3", "plm"}},
    {latent_attention, {"deepseek2", "mistral4"}},
    {latent_attention_only,
     {"deepseek32", "glm-dsa", "dots3note", "hy_v4", "kimi-linear", "kimi-k3", "bailingmoe3",
      "glm5-next"}},
    {latent_attention_in_window, {"dots3note"}},
    {attention_temperature, {"deepseek2", "mistral4"}},
    {deepseek_ocr, {"deepseek2-ocr"}},
    {indexer, {"deepseek32", "glm-dsa", "dots3note", "deepseek4", "minimax-m3"}},
    {first_block_has_indexer, {"glm-dsa", "glm5-next"}},
    {indexer_blocks, {"minimax-m3"}},
    {indexer_pool, {"glm5-next"}},
    {four_hyper_connections, {"glm5-next", "deepseek4"}},
    {output_groups, {"deepseek4"}},
    {one_key_head, {"deepseek4"}},
    {compress_ratios, {"deepseek4"}},
    {draft_of_deepseek4, {"dflash"}},
    {one_block, {"eagle3"}},
    {short_convolution, {"lfm2", "lfm2moe"}},
    {delta_attention_gate, {"bailingmoe3"}},
    {decoder_blocks, {"t5"}},
    {relative_buckets, {"t5", "t5encoder"}},
    {dense_modules, {"gemma-embedding"}},
    {wav_tokenizer, {"wavtokenizer-dec"}},
    {window_only, {"afmoe"}},
    {window_not_zero, {"llama4"}},
    {deep_stack, {"qwen3vl", "qwen3vlmoe", "qwen3tts"}},
    {ngram_heads, {"qwen4exp"}},
}};

} // namespace

void check_architecture_rules(const Metadata &metadata, const Hyperparameters &hyperparameters) {
    const Case c{metadata, hyperparameters};
    for (const Rule &rule : rules) {
        if (std::ranges::find(rule.architectures, hyperparameters.architecture->name) !=
            rule.architectures.end()) {
            rule.check(c);
        }
    }
}

} // namespace mullama::core::gguf

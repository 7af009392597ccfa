#include "core/context_options.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <string>

namespace mullama::core {

using base::Error;

namespace {

constexpr std::uint32_t default_n_ctx = 4096;
constexpr std::uint32_t default_n_batch = 2048;
constexpr std::uint32_t default_n_ubatch = 512;
// Longer than any model was trained for; a slip of the keyboard above it.
constexpr std::uint32_t max_n_ctx = 1U << 24U;
// What ggml's threadpools can hold.
constexpr std::int32_t max_n_threads = 512;

template <class Number>
void require_range(Number value, Number first, Number last, const char *parameter,
                   const char *message) {
    if (value < first || value > last) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, message)
            .parameter(parameter)
            .expected(std::to_string(first) + " to " + std::to_string(last))
            .actual(value);
    }
}

bool is_quantized(mullama_cache_type_t type) {
    switch (type) {
    case MULLAMA_CACHE_TYPE_F16:
    case MULLAMA_CACHE_TYPE_F32:
    case MULLAMA_CACHE_TYPE_BF16:
        return false;
    case MULLAMA_CACHE_TYPE_Q8_0:
    case MULLAMA_CACHE_TYPE_Q4_0:
    case MULLAMA_CACHE_TYPE_Q4_1:
    case MULLAMA_CACHE_TYPE_Q5_0:
    case MULLAMA_CACHE_TYPE_Q5_1:
    case MULLAMA_CACHE_TYPE_IQ4_NL:
        break;
    }
    return true;
}

// Bits of 32 values, the block of all quantized types here.
std::uint64_t bits_per_block(mullama_cache_type_t type) {
    switch (type) {
    case MULLAMA_CACHE_TYPE_F32:
        return 1024;
    case MULLAMA_CACHE_TYPE_F16:
    case MULLAMA_CACHE_TYPE_BF16:
        return 512;
    case MULLAMA_CACHE_TYPE_Q8_0:
        return 272;
    case MULLAMA_CACHE_TYPE_Q5_1:
        return 192;
    case MULLAMA_CACHE_TYPE_Q5_0:
        return 176;
    case MULLAMA_CACHE_TYPE_Q4_1:
        return 160;
    case MULLAMA_CACHE_TYPE_Q4_0:
    case MULLAMA_CACHE_TYPE_IQ4_NL:
        break;
    }
    return 144;
}

bool resolve_embeddings(const mullama_context_options_t &options,
                        const backend::ModelFacts &facts) {
    const bool encoder_only = facts.has_encoder && !facts.has_decoder;
    switch (options.embeddings) {
    case MULLAMA_SWITCH_ON:
        return true;
    case MULLAMA_SWITCH_OFF:
        if (encoder_only) {
            throw Error(MULLAMA_ERROR_UNSUPPORTED,
                        "this model is an encoder and gives nothing but embeddings")
                .parameter("embeddings");
        }
        return false;
    case MULLAMA_SWITCH_AUTO:
        break;
    }
    const mullama_pooling_t pooling =
        options.pooling == MULLAMA_POOLING_DEFAULT ? facts.pooling : options.pooling;
    return encoder_only || pooling == MULLAMA_POOLING_RANK;
}

// Written so that a NaN lies outside.
void require_between(float value, float least, float most, const char *parameter,
                     const char *message) {
    if (!(value >= least && value <= most)) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, message)
            .parameter(parameter)
            .expected(std::to_string(least) + " to " + std::to_string(most))
            .actual(std::to_string(value));
    }
}

void resolve_rope(const mullama_context_options_t &options, backend::ContextParams &params) {
    if (options.rope_freq_base != 0) {
        require_between(options.rope_freq_base, 1, 1e12F, "rope_freq_base",
                        "RoPE cannot have this base; 0 is the model's");
    }
    if (options.rope_freq_scale != 0) {
        require_between(options.rope_freq_scale, 0.001F, 1000, "rope_freq_scale",
                        "positions cannot be scaled by this; 0 is the model's");
    }
    if (!(options.yarn_ext_factor < 0)) {
        require_between(options.yarn_ext_factor, 0, 1, "yarn_ext_factor",
                        "YaRN cannot mix like this; a negative number is the model's");
    }
    if (!(options.yarn_attn_factor < 0)) {
        require_between(options.yarn_attn_factor, 0, 1000, "yarn_attn_factor",
                        "YaRN cannot scale attention by this; a negative number is the model's");
    }
    if (!(options.yarn_beta_fast < 0)) {
        require_between(options.yarn_beta_fast, 0, 1e6F, "yarn_beta_fast",
                        "YaRN cannot have this dimension; a negative number is the model's");
    }
    if (!(options.yarn_beta_slow < 0)) {
        require_between(options.yarn_beta_slow, 0, 1e6F, "yarn_beta_slow",
                        "YaRN cannot have this dimension; a negative number is the model's");
    }
    require_range(options.yarn_orig_ctx, 0U, max_n_ctx, "yarn_orig_ctx",
                  "a model is not trained for this length");
    params.rope_scaling = options.rope_scaling;
    params.rope_freq_base = options.rope_freq_base;
    params.rope_freq_scale = options.rope_freq_scale;
    params.yarn_ext_factor = options.yarn_ext_factor;
    params.yarn_attn_factor = options.yarn_attn_factor;
    params.yarn_beta_fast = options.yarn_beta_fast;
    params.yarn_beta_slow = options.yarn_beta_slow;
    params.yarn_orig_ctx = options.yarn_orig_ctx;
}

std::uint64_t positive(std::int32_t number) {
    return static_cast<std::uint64_t>(std::max(number, 1));
}

} // namespace

mullama_context_options_t default_context_options() noexcept {
    mullama_context_options_t options{};
    options.struct_size = sizeof options;
    options.n_seq_max = 1;
    options.flash_attention = MULLAMA_SWITCH_AUTO;
    options.type_k = MULLAMA_CACHE_TYPE_F16;
    options.type_v = MULLAMA_CACHE_TYPE_F16;
    options.kv_unified = true;
    options.offload_kqv = true;
    options.op_offload = true;
    options.swa_full = true;
    options.yarn_ext_factor = -1;
    options.yarn_attn_factor = -1;
    options.yarn_beta_fast = -1;
    options.yarn_beta_slow = -1;
    return options;
}

std::int32_t resolve_threads(std::int32_t asked, std::int32_t max_threads, const char *parameter) {
    require_range(asked, 0, max_n_threads, parameter, "that is no number of threads");
    return asked == 0 ? 1 : std::min(asked, max_threads);
}

backend::ContextParams resolve(const mullama_context_options_t &options,
                               const backend::ModelFacts &facts, std::int32_t max_threads) {
    backend::ContextParams params;
    require_range(options.n_ctx, 0U, max_n_ctx, "n_ctx", "the context cannot have this length");
    require_range(options.n_seq_max, 1U, backend::max_sequences, "n_seq_max",
                  "a context cannot hold this many sequences");
    params.n_ctx = options.n_ctx;
    if (params.n_ctx == 0) {
        params.n_ctx = facts.n_ctx_train > 0
                           ? std::min(static_cast<std::uint32_t>(facts.n_ctx_train), default_n_ctx)
                           : default_n_ctx;
    }
    params.n_batch =
        std::min(options.n_batch == 0 ? default_n_batch : options.n_batch, params.n_ctx);
    params.n_ubatch = options.n_ubatch;
    if (params.n_ubatch == 0) {
        // An encoder sees all of its text at once.
        params.n_ubatch = facts.has_encoder ? params.n_batch : default_n_ubatch;
    }
    params.n_ubatch = std::min(params.n_ubatch, params.n_batch);
    params.n_seq_max = options.n_seq_max;
    params.n_threads = resolve_threads(options.n_threads, max_threads, "n_threads");
    params.n_threads_batch =
        resolve_threads(options.n_threads_batch, max_threads, "n_threads_batch");
    params.flash_attention = options.flash_attention;
    params.type_k = options.type_k;
    params.type_v = options.type_v;
    params.kv_unified = options.kv_unified;
    params.offload_kqv = options.offload_kqv;
    params.op_offload = options.op_offload;
    params.swa_full = options.swa_full;
    params.embeddings = resolve_embeddings(options, facts);
    params.pooling = options.pooling;
    params.attention = options.attention;
    resolve_rope(options, params);
    if (is_quantized(params.type_v) && params.flash_attention == MULLAMA_SWITCH_OFF) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "values can be quantized only with flash attention, which is switched off")
            .parameter("type_v")
            .expected("F16, F32 or BF16, or flash_attention on")
            .actual("a quantized type");
    }
    return params;
}

std::uint64_t estimate_context_bytes(const backend::ContextParams &params,
                                     const backend::ModelFacts &facts, std::int32_t n_vocab) {
    const std::uint64_t n_embd = positive(facts.n_embd);
    const std::uint64_t n_layer = positive(facts.n_layer);
    std::uint64_t memory = 0;
    if (!facts.is_recurrent || facts.is_hybrid) {
        const std::uint64_t width = n_embd * positive(facts.n_head_kv) / positive(facts.n_head);
        const std::uint64_t bits = bits_per_block(params.type_k) + bits_per_block(params.type_v);
        memory += params.n_ctx * n_layer * width * bits / 32 / 8;
    }
    if (facts.is_recurrent || facts.is_hybrid) {
        // A state of 16 numbers (Mamba's), and a window of 4, for each of twice n_embd channels.
        memory += params.n_seq_max * n_layer * 2 * n_embd * 20 * sizeof(float);
    }
    const std::uint64_t work =
        params.n_ubatch * (16 * n_embd + static_cast<std::uint64_t>(n_vocab)) * sizeof(float);
    return memory + work;
}

} // namespace mullama::core

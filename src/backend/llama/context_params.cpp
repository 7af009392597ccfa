#include "backend/llama/context_params.hpp"

#include <limits>
#include <string>

#include "backend/llama/facts.hpp"
#include "backend/llama/threadpool.hpp"

namespace mullama::backend::llama {

using base::Error;

namespace {

void require(bool within, const char *parameter, const std::string &expected, std::int64_t actual,
             const char *why) {
    if (!within) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, std::string(parameter) + " " + why)
            .parameter(parameter)
            .expected(expected)
            .actual(actual);
    }
}

ggml_type type_of(mullama_cache_type_t type, const char *parameter) {
    switch (type) {
    case MULLAMA_CACHE_TYPE_F16:
        return GGML_TYPE_F16;
    case MULLAMA_CACHE_TYPE_F32:
        return GGML_TYPE_F32;
    case MULLAMA_CACHE_TYPE_BF16:
        return GGML_TYPE_BF16;
    case MULLAMA_CACHE_TYPE_Q8_0:
        return GGML_TYPE_Q8_0;
    case MULLAMA_CACHE_TYPE_Q4_0:
        return GGML_TYPE_Q4_0;
    case MULLAMA_CACHE_TYPE_Q4_1:
        return GGML_TYPE_Q4_1;
    case MULLAMA_CACHE_TYPE_Q5_0:
        return GGML_TYPE_Q5_0;
    case MULLAMA_CACHE_TYPE_Q5_1:
        return GGML_TYPE_Q5_1;
    case MULLAMA_CACHE_TYPE_IQ4_NL:
        return GGML_TYPE_IQ4_NL;
    }
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "unknown cache type")
        .parameter(parameter)
        .actual(static_cast<int>(type));
}

llama_flash_attn_type flash_attention_of(mullama_switch_t choice) {
    switch (choice) {
    case MULLAMA_SWITCH_AUTO:
        return LLAMA_FLASH_ATTN_TYPE_AUTO;
    case MULLAMA_SWITCH_OFF:
        return LLAMA_FLASH_ATTN_TYPE_DISABLED;
    case MULLAMA_SWITCH_ON:
        return LLAMA_FLASH_ATTN_TYPE_ENABLED;
    }
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "unknown choice of flash attention")
        .parameter("flash_attention")
        .actual(static_cast<int>(choice));
}

enum llama_pooling_type pooling_type_of(mullama_pooling_t pooling) {
    switch (pooling) {
    case MULLAMA_POOLING_DEFAULT:
        return LLAMA_POOLING_TYPE_UNSPECIFIED;
    case MULLAMA_POOLING_NONE:
        return LLAMA_POOLING_TYPE_NONE;
    case MULLAMA_POOLING_MEAN:
        return LLAMA_POOLING_TYPE_MEAN;
    case MULLAMA_POOLING_CLS:
        return LLAMA_POOLING_TYPE_CLS;
    case MULLAMA_POOLING_LAST:
        return LLAMA_POOLING_TYPE_LAST;
    case MULLAMA_POOLING_RANK:
        return LLAMA_POOLING_TYPE_RANK;
    }
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "unknown pooling")
        .parameter("pooling")
        .actual(static_cast<int>(pooling));
}

llama_attention_type attention_type_of(mullama_attention_t attention) {
    switch (attention) {
    case MULLAMA_ATTENTION_DEFAULT:
        return LLAMA_ATTENTION_TYPE_UNSPECIFIED;
    case MULLAMA_ATTENTION_CAUSAL:
        return LLAMA_ATTENTION_TYPE_CAUSAL;
    case MULLAMA_ATTENTION_NON_CAUSAL:
        return LLAMA_ATTENTION_TYPE_NON_CAUSAL;
    }
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "unknown kind of attention")
        .parameter("attention")
        .actual(static_cast<int>(attention));
}

llama_rope_scaling_type rope_scaling_of(mullama_rope_scaling_t scaling) {
    switch (scaling) {
    case MULLAMA_ROPE_SCALING_DEFAULT:
        return LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED;
    case MULLAMA_ROPE_SCALING_NONE:
        return LLAMA_ROPE_SCALING_TYPE_NONE;
    case MULLAMA_ROPE_SCALING_LINEAR:
        return LLAMA_ROPE_SCALING_TYPE_LINEAR;
    case MULLAMA_ROPE_SCALING_YARN:
        return LLAMA_ROPE_SCALING_TYPE_YARN;
    case MULLAMA_ROPE_SCALING_LONGROPE:
        return LLAMA_ROPE_SCALING_TYPE_LONGROPE;
    }
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "unknown scaling of RoPE")
        .parameter("rope_scaling")
        .actual(static_cast<int>(scaling));
}

void check_pooling(const ModelFacts &facts, const ContextParams &params) {
    if (params.pooling == MULLAMA_POOLING_RANK && facts.n_cls_out == 0) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "this model has no classifier to score with: pooling \"rank\" is for rerankers")
            .parameter("pooling");
    }
    const bool pools =
        params.pooling != MULLAMA_POOLING_DEFAULT && params.pooling != MULLAMA_POOLING_NONE;
    if (pools && facts.has_encoder && facts.has_decoder) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "llama.cpp does not pool the embeddings of an encoder-decoder model")
            .parameter("pooling");
    }
}

void set_rope(const ContextParams &params, llama_context_params &to) {
    to.rope_scaling_type = rope_scaling_of(params.rope_scaling);
    to.rope_freq_base = params.rope_freq_base;
    to.rope_freq_scale = params.rope_freq_scale;
    to.yarn_ext_factor = params.yarn_ext_factor;
    to.yarn_attn_factor = params.yarn_attn_factor;
    to.yarn_beta_fast = params.yarn_beta_fast;
    to.yarn_beta_slow = params.yarn_beta_slow;
    to.yarn_orig_ctx = params.yarn_orig_ctx;
}

// A quantized cache stores rows in blocks, which must not straddle two heads.
void require_blocks(const llama_model &model, const ModelFacts &facts, ggml_type type,
                    const char *key, const char *parameter) {
    const std::int64_t block = ggml_blck_size(type);
    const std::int64_t by_width = facts.n_head > 0 ? facts.n_embd / facts.n_head : 0;
    const std::string name = facts.architecture + ".attention." + key;
    for (const std::int64_t head :
         {metadata_number(model, name, by_width), metadata_number(model, name + "_swa", block)}) {
        if (head % block != 0) {
            throw Error(MULLAMA_ERROR_UNSUPPORTED,
                        std::string("the cache type ") + ggml_type_name(type) +
                            " does not fit this model: its heads are " + std::to_string(head) +
                            " numbers wide, which is not a multiple of " + std::to_string(block))
                .parameter(parameter)
                .expected("f16, f32 or bf16")
                .actual(ggml_type_name(type));
        }
    }
}

void check_cache_types(const llama_model &model, const ModelFacts &facts,
                       const llama_context_params &to) {
    if (ggml_is_quantized(to.type_k)) {
        require_blocks(model, facts, to.type_k, "key_length", "type_k");
    }
    if (ggml_is_quantized(to.type_v)) {
        if (to.flash_attn_type == LLAMA_FLASH_ATTN_TYPE_DISABLED) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                        std::string("values of type ") + ggml_type_name(to.type_v) +
                            " need flash attention, which was switched off")
                .parameter("type_v")
                .expected("f16, f32 or bf16, or flash_attention not off")
                .actual(ggml_type_name(to.type_v));
        }
        require_blocks(model, facts, to.type_v, "value_length", "type_v");
    }
}

} // namespace

llama_context_params context_params(const llama_model &model, const ModelFacts &facts,
                                    const ContextParams &params) {
    // Positions are 32 bits wide, and llama.cpp rounds up to a multiple of 256 for each sequence.
    constexpr std::uint32_t most = std::numeric_limits<std::int32_t>::max() / 2;
    const std::uint32_t n_seq_most = std::min<std::uint32_t>(
        max_sequences, static_cast<std::uint32_t>(llama_max_parallel_sequences()));
    require(params.n_ctx >= 1 && params.n_ctx <= most, "n_ctx", "1 to " + std::to_string(most),
            params.n_ctx, "is out of range");
    require(params.n_seq_max >= 1 && params.n_seq_max <= n_seq_most, "n_seq_max",
            "1 to " + std::to_string(n_seq_most), params.n_seq_max, "is out of range");
    require(params.n_ubatch >= 1 && params.n_ubatch <= most, "n_ubatch",
            "1 to " + std::to_string(most), params.n_ubatch, "is out of range");
    require(params.n_batch >= 1 && params.n_batch <= most, "n_batch",
            "1 to " + std::to_string(most), params.n_batch, "is out of range");
    require(std::min(params.n_batch, params.n_ctx) >= params.n_seq_max, "n_batch",
            "at least n_seq_max, which is " + std::to_string(params.n_seq_max),
            std::min(params.n_batch, params.n_ctx),
            "(and n_ctx) must have room for one token of each sequence");
    require_thread_count("n_threads", params.n_threads);
    require_thread_count("n_threads_batch", params.n_threads_batch);
    if (facts.has_encoder && facts.has_decoder && !params.kv_unified && params.n_seq_max > 1) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "an encoder-decoder model needs kv_unified for more than one sequence")
            .parameter("kv_unified");
    }

    if (facts.architecture == "plamo2" && params.n_seq_max > 1) {
        // It stores the states of several sequences at once in the wrong place, or asserts.
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "llama.cpp computes one sequence of a PLaMo-2 model at a time")
            .parameter("n_seq_max")
            .expected("1")
            .actual(params.n_seq_max);
    }

    llama_context_params to = llama_context_default_params();
    to.n_ctx = params.n_ctx;
    to.n_batch = params.n_batch;
    to.n_ubatch = params.n_ubatch;
    to.n_seq_max = params.n_seq_max;
    to.n_threads = params.n_threads;
    to.n_threads_batch = params.n_threads_batch;
    to.flash_attn_type = flash_attention_of(params.flash_attention);
    to.type_k = type_of(params.type_k, "type_k");
    to.type_v = type_of(params.type_v, "type_v");
    to.kv_unified = params.kv_unified;
    to.offload_kqv = params.offload_kqv;
    // 0: as many outputs as a batch has tokens. Any less, and llama.cpp asserts on the one too
    // many.
    to.n_outputs_max = 0;
    to.swa_full = params.swa_full;
    to.op_offload = params.op_offload;
    to.embeddings = params.embeddings;
    to.pooling_type = pooling_type_of(params.pooling);
    if (facts.has_encoder && facts.has_decoder) {
        // Whatever its file says: what is pooled could not be looked at by the decoder.
        to.pooling_type = LLAMA_POOLING_TYPE_NONE;
    }
    to.attention_type = attention_type_of(params.attention);
    set_rope(params, to);
    const bool pooled =
        (params.pooling == MULLAMA_POOLING_DEFAULT ? facts.pooling : params.pooling) !=
        MULLAMA_POOLING_NONE;
    if (pooled && to.pooling_type != LLAMA_POOLING_TYPE_NONE) {
        // llama.cpp plans its memory for a multiple of n_seq_max tokens but not for as many
        // outputs, and asserts that what it pools fits.
        to.n_ubatch = std::max(params.n_seq_max, to.n_ubatch - to.n_ubatch % params.n_seq_max);
    }
    check_pooling(facts, params);
    check_cache_types(model, facts, to);
    return to;
}

} // namespace mullama::backend::llama

// The contract's enums as words: what a person types, and what JSON says.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "mullama/mullama.h"

namespace mullama::client {

template <class Enum>
using Name = std::pair<std::string_view, Enum>;

inline constexpr std::array<Name<mullama_log_level_t>, 5> log_levels{{
    {"none", MULLAMA_LOG_NONE},
    {"error", MULLAMA_LOG_ERROR},
    {"warn", MULLAMA_LOG_WARN},
    {"info", MULLAMA_LOG_INFO},
    {"debug", MULLAMA_LOG_DEBUG},
}};

inline constexpr std::array<Name<mullama_load_mode_t>, 6> load_modes{{
    {"auto", MULLAMA_LOAD_MODE_AUTO},
    {"read", MULLAMA_LOAD_MODE_READ},
    {"mmap", MULLAMA_LOAD_MODE_MMAP},
    {"mlock", MULLAMA_LOAD_MODE_MLOCK},
    {"mmap-mlock", MULLAMA_LOAD_MODE_MMAP_MLOCK},
    {"direct", MULLAMA_LOAD_MODE_DIRECT},
}};

inline constexpr std::array<Name<mullama_split_mode_t>, 4> split_modes{{
    {"none", MULLAMA_SPLIT_MODE_NONE},
    {"layer", MULLAMA_SPLIT_MODE_LAYER},
    {"row", MULLAMA_SPLIT_MODE_ROW},
    {"tensor", MULLAMA_SPLIT_MODE_TENSOR},
}};

inline constexpr std::array<Name<mullama_switch_t>, 3> switches{{
    {"auto", MULLAMA_SWITCH_AUTO},
    {"off", MULLAMA_SWITCH_OFF},
    {"on", MULLAMA_SWITCH_ON},
}};

inline constexpr std::array<Name<mullama_cache_type_t>, 9> cache_types{{
    {"f16", MULLAMA_CACHE_TYPE_F16},
    {"f32", MULLAMA_CACHE_TYPE_F32},
    {"bf16", MULLAMA_CACHE_TYPE_BF16},
    {"q8_0", MULLAMA_CACHE_TYPE_Q8_0},
    {"q4_0", MULLAMA_CACHE_TYPE_Q4_0},
    {"q4_1", MULLAMA_CACHE_TYPE_Q4_1},
    {"q5_0", MULLAMA_CACHE_TYPE_Q5_0},
    {"q5_1", MULLAMA_CACHE_TYPE_Q5_1},
    {"iq4_nl", MULLAMA_CACHE_TYPE_IQ4_NL},
}};

inline constexpr std::array<Name<mullama_device_type_t>, 4> device_types{{
    {"cpu", MULLAMA_DEVICE_CPU},
    {"gpu", MULLAMA_DEVICE_GPU},
    {"integrated-gpu", MULLAMA_DEVICE_INTEGRATED_GPU},
    {"accelerator", MULLAMA_DEVICE_ACCELERATOR},
}};

inline constexpr std::array<Name<mullama_vocab_type_t>, 8> vocab_types{{
    {"none", MULLAMA_VOCAB_NONE},
    {"spm", MULLAMA_VOCAB_SPM},
    {"bpe", MULLAMA_VOCAB_BPE},
    {"wpm", MULLAMA_VOCAB_WPM},
    {"ugm", MULLAMA_VOCAB_UGM},
    {"rwkv", MULLAMA_VOCAB_RWKV},
    {"plamo2", MULLAMA_VOCAB_PLAMO2},
    {"bytes", MULLAMA_VOCAB_BYTES},
}};

inline constexpr std::array<Name<mullama_pooling_t>, 6> poolings{{
    {"default", MULLAMA_POOLING_DEFAULT},
    {"none", MULLAMA_POOLING_NONE},
    {"mean", MULLAMA_POOLING_MEAN},
    {"cls", MULLAMA_POOLING_CLS},
    {"last", MULLAMA_POOLING_LAST},
    {"rank", MULLAMA_POOLING_RANK},
}};

inline constexpr std::array<Name<mullama_capability_t>, 10> capabilities{{
    {"decoder", MULLAMA_CAPABILITY_DECODER},
    {"encoder", MULLAMA_CAPABILITY_ENCODER},
    {"embedding", MULLAMA_CAPABILITY_EMBEDDING},
    {"rerank", MULLAMA_CAPABILITY_RERANK},
    {"recurrent", MULLAMA_CAPABILITY_RECURRENT},
    {"hybrid", MULLAMA_CAPABILITY_HYBRID},
    {"sliding-window", MULLAMA_CAPABILITY_SLIDING_WINDOW},
    {"chat-template", MULLAMA_CAPABILITY_CHAT_TEMPLATE},
    {"experts", MULLAMA_CAPABILITY_EXPERTS},
    {"diffusion", MULLAMA_CAPABILITY_DIFFUSION},
}};

inline constexpr std::array<Name<mullama_special_token_t>, 14> special_tokens{{
    {"bos", MULLAMA_SPECIAL_BOS},
    {"eos", MULLAMA_SPECIAL_EOS},
    {"eot", MULLAMA_SPECIAL_EOT},
    {"sep", MULLAMA_SPECIAL_SEP},
    {"nl", MULLAMA_SPECIAL_NL},
    {"pad", MULLAMA_SPECIAL_PAD},
    {"mask", MULLAMA_SPECIAL_MASK},
    {"fim_prefix", MULLAMA_SPECIAL_FIM_PREFIX},
    {"fim_suffix", MULLAMA_SPECIAL_FIM_SUFFIX},
    {"fim_middle", MULLAMA_SPECIAL_FIM_MIDDLE},
    {"fim_pad", MULLAMA_SPECIAL_FIM_PAD},
    {"fim_repo", MULLAMA_SPECIAL_FIM_REPO},
    {"fim_separator", MULLAMA_SPECIAL_FIM_SEPARATOR},
    {"decoder_start", MULLAMA_SPECIAL_DECODER_START},
}};

inline constexpr std::array<Name<mullama_metadata_type_t>, 12> metadata_types{{
    {"uint8", MULLAMA_METADATA_UINT8},
    {"int8", MULLAMA_METADATA_INT8},
    {"uint16", MULLAMA_METADATA_UINT16},
    {"int16", MULLAMA_METADATA_INT16},
    {"uint32", MULLAMA_METADATA_UINT32},
    {"int32", MULLAMA_METADATA_INT32},
    {"float32", MULLAMA_METADATA_FLOAT32},
    {"bool", MULLAMA_METADATA_BOOL},
    {"string", MULLAMA_METADATA_STRING},
    {"uint64", MULLAMA_METADATA_UINT64},
    {"int64", MULLAMA_METADATA_INT64},
    {"float64", MULLAMA_METADATA_FLOAT64},
}};

inline constexpr std::array<Name<mullama_stop_reason_t>, 8> stop_reasons{{
    {"none", MULLAMA_STOP_NONE},
    {"end", MULLAMA_STOP_END},
    {"string", MULLAMA_STOP_STRING},
    {"length", MULLAMA_STOP_LENGTH},
    {"context", MULLAMA_STOP_CONTEXT},
    {"cancelled", MULLAMA_STOP_CANCELLED},
    {"deadline", MULLAMA_STOP_DEADLINE},
    {"error", MULLAMA_STOP_ERROR},
}};

// A value that these headers do not know yet comes from a newer library.
template <class Table, class Enum>
[[nodiscard]] constexpr std::string_view name_of(const Table &table, Enum value) {
    for (const auto &[name, candidate] : table) {
        if (candidate == value) {
            return name;
        }
    }
    return "unknown";
}

} // namespace mullama::client

#include "backend/llama/facts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "backend/llama/unstable.hpp"

namespace mullama::backend::llama {

namespace {

// Those that compute embeddings of a whole text at once and keep no memory. llama.cpp has no
// question for it; those that it does call encoders are llama_model_has_encoder().
constexpr std::array<std::string_view, 10> text_encoders{
    "bert",     "jina-bert-v2", "jina-bert-v3", "nomic-bert",      "nomic-bert-moe",
    "neo-bert", "eurobert",     "modern-bert",  "gemma-embedding", "wavtokenizer-dec"};

// Where the file does not say how its weights are stored, llama.cpp goes by the most frequent type,
// and says so; where it does not know the size of such a model, it writes a question mark.
std::string without_guesses(std::string text) {
    for (const std::string_view guess : {"(guessed) ", "all ", "?B "}) {
        if (const std::size_t at = text.find(guess); at != std::string::npos) {
            text.erase(at, guess.size());
        }
    }
    return text;
}

std::string quantization_of(const llama_model &model) {
    return without_guesses(llama_ftype_name(llama_model_ftype(&model)));
}

// A key as it was loaded; llama.cpp's own answers are always the file's.
std::int64_t loaded_number(const llama_model &model, const ModelParams &params,
                           const std::string &key) {
    for (const MetadataOverride &override : params.overrides) {
        if (const auto *number = std::get_if<std::int64_t>(&override.value);
            number != nullptr && override.key == key) {
            return *number;
        }
    }
    return metadata_number(model, key, 0);
}

std::string description_of(const llama_model &model) {
    std::array<char, 256> text{};
    llama_model_desc(&model, text.data(), text.size());
    return without_guesses(text.data());
}

// Whether llama.cpp computes from embeddings in place of tokens, at one position each.
bool takes_embeddings(const llama_model &model, const ModelFacts &facts) {
    switch (llama_model_rope_type(&model)) {
    case LLAMA_ROPE_TYPE_MROPE:
    case LLAMA_ROPE_TYPE_IMROPE:
    case LLAMA_ROPE_TYPE_VISION:
        // Each embedding would need several.
        return false;
    default:
        break;
    }
    // Some of their layers look at the tokens themselves; llama.cpp asserts that there are any, or
    // reads what nobody wrote.
    static constexpr std::array<std::string_view, 5> by_token{"deepseek4", "dflash", "eagle3",
                                                              "gemma4-assistant", "granite-switch"};
    return !facts.has_encoder && std::ranges::find(by_token, facts.architecture) == by_token.end();
}

// llama.cpp looks positions up in a table of these models, and asserts that they are in it.
std::int32_t learned_positions(const llama_model &model, const ModelFacts &facts) {
    const std::string &name = facts.architecture;
    const bool learned =
        name == "bert" || name == "gpt2" || name == "starcoder" ||
        (name == "mpt" && metadata_number(model, "mpt.attention.max_alibi_bias", 0) == 0);
    return learned ? facts.n_ctx_train : 0;
}

} // namespace

mullama_pooling_t pooling_of(std::int64_t type) {
    switch (type) {
    case LLAMA_POOLING_TYPE_MEAN:
        return MULLAMA_POOLING_MEAN;
    case LLAMA_POOLING_TYPE_CLS:
        return MULLAMA_POOLING_CLS;
    case LLAMA_POOLING_TYPE_LAST:
        return MULLAMA_POOLING_LAST;
    case LLAMA_POOLING_TYPE_RANK:
        return MULLAMA_POOLING_RANK;
    default:
        return MULLAMA_POOLING_NONE;
    }
}

std::string metadata(const llama_model &model, const std::string &key) {
    const std::int32_t size = llama_model_meta_val_str(&model, key.c_str(), nullptr, 0);
    if (size < 0) {
        return {};
    }
    std::string value(static_cast<std::size_t>(size) + 1, '\0');
    llama_model_meta_val_str(&model, key.c_str(), value.data(), value.size());
    value.pop_back();
    return value;
}

std::int64_t metadata_number(const llama_model &model, const std::string &key,
                             std::int64_t otherwise) {
    const std::string text = metadata(model, key);
    std::int64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    return parsed.ec == std::errc{} && !text.empty() ? number : otherwise;
}

ModelFacts read_facts(const llama_model &model, const ModelParams &params) {
    ModelFacts facts;
    facts.architecture = metadata(model, "general.architecture");
    facts.description = description_of(model);
    facts.quantization = quantization_of(model);
    facts.n_params = llama_model_n_params(&model);
    facts.size_bytes = llama_model_size(&model);

    const bool encodes =
        std::ranges::find(text_encoders, facts.architecture) != text_encoders.end();
    facts.has_encoder = llama_model_has_encoder(&model) || encodes;
    facts.has_decoder = llama_model_has_decoder(&model) && !encodes;
    facts.is_recurrent = llama_model_is_recurrent(&model);
    facts.is_hybrid = llama_model_is_hybrid(&model);
    facts.is_diffusion = llama_model_is_diffusion(&model);
    facts.pooling = pooling_of(metadata_number(model, facts.architecture + ".pooling_type",
                                               LLAMA_POOLING_TYPE_UNSPECIFIED));
    if (params.vocab_only) {
        // llama.cpp reads no sizes then: what it answers is not the model's.
        const auto size = [&](const char *key) {
            return static_cast<std::int32_t>(
                loaded_number(model, params, facts.architecture + key));
        };
        if (facts.description.empty()) {
            facts.description = facts.architecture + " " + facts.quantization;
        }
        facts.n_ctx_train = size(".context_length");
        facts.n_embd = size(".embedding_length");
        facts.n_embd_out = facts.n_embd;
        facts.n_layer = size(".block_count");
        facts.n_head = size(".attention.head_count");
        facts.n_head_kv = size(".attention.head_count_kv");
        facts.n_expert = size(".expert_count");
        facts.n_swa = size(".attention.sliding_window");
        return facts;
    }
    facts.n_ctx_train = llama_model_n_ctx_train(&model);
    facts.n_positions = learned_positions(model, facts);
    facts.n_embd = llama_model_n_embd(&model);
    facts.n_embd_out = llama_model_n_embd_out(&model);
    if (takes_embeddings(model, facts)) {
        facts.n_embd_inp = llama_model_n_embd_inp(&model);
    }
    facts.n_layer = llama_model_n_layer(&model);
    facts.n_head = llama_model_n_head(&model);
    facts.n_head_kv = llama_model_n_head_kv(&model);
    facts.n_expert = expert_count(model);
    facts.n_swa = llama_model_n_swa(&model);
    if (facts.pooling == MULLAMA_POOLING_RANK) {
        facts.n_cls_out = static_cast<std::int32_t>(llama_model_n_cls_out(&model));
    }
    return facts;
}

} // namespace mullama::backend::llama

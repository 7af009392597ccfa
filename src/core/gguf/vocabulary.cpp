#include "core/gguf/vocabulary.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cctype>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "core/gguf/token_texts.hpp"

namespace mullama::core::gguf {

using base::Error;

namespace {

constexpr std::string_view model_key = "tokenizer.ggml.model";
constexpr std::string_view pre_key = "tokenizer.ggml.pre";
constexpr std::string_view tokens_key = "tokenizer.ggml.tokens";
constexpr std::string_view scores_key = "tokenizer.ggml.scores";
constexpr std::string_view types_key = "tokenizer.ggml.token_type";
constexpr std::string_view merges_key = "tokenizer.ggml.merges";
constexpr std::string_view charsmap_key = "tokenizer.ggml.precompiled_charsmap";

// llama.cpp keeps some vocabularies in tries that recurse once per byte, and decodes a BPE token
// in time quadratic to its length. The longest token of any known vocabulary has under 1,000 bytes.
constexpr std::size_t max_token_size = 4096;

// Values of "tokenizer.ggml.token_type".
constexpr std::int64_t byte_type = 6;

constexpr std::array<std::string_view, 12> models{
    "bert", "gemma4", "gpt2", "hybriddna", "llama", "no_vocab",
    "none", "plamo2", "rwkv", "t5",        "test",  "whitespace",
};

constexpr auto pres = std::to_array<std::string_view>({"a.x-4.0",
                                                       "afmoe",
                                                       "bailingmoe",
                                                       "bailingmoe2",
                                                       "bloom",
                                                       "chameleon",
                                                       "chatglm-bpe",
                                                       "codeshell",
                                                       "cohere2moe",
                                                       "command-r",
                                                       "dbrx",
                                                       "deepseek-coder",
                                                       "deepseek-llm",
                                                       "deepseek-r1-qwen",
                                                       "deepseek-v3",
                                                       "default",
                                                       "exaone",
                                                       "exaone-moe",
                                                       "exaone4",
                                                       "f2llmv2",
                                                       "falcon",
                                                       "falcon-h1",
                                                       "falcon3",
                                                       "gemma4",
                                                       "gigachat",
                                                       "glm4",
                                                       "glm5",
                                                       "gpt-2",
                                                       "gpt-4o",
                                                       "gpt3-finnish",
                                                       "granite-docling",
                                                       "granite-embed-multi-311m",
                                                       "granite-embed-multi-97m",
                                                       "grok-2",
                                                       "hunyuan",
                                                       "hunyuan-dense",
                                                       "hy_v4",
                                                       "jais",
                                                       "jais-2",
                                                       "jina-de",
                                                       "jina-es",
                                                       "jina-v1-en",
                                                       "jina-v2-code",
                                                       "jina-v2-de",
                                                       "jina-v2-es",
                                                       "jina-v5-nano",
                                                       "joyai-llm",
                                                       "kanana2",
                                                       "kimi-k2",
                                                       "kormo",
                                                       "laguna",
                                                       "lfm2",
                                                       "llada-moe",
                                                       "llama-bpe",
                                                       "llama-v3",
                                                       "llama3",
                                                       "llama4",
                                                       "megrez",
                                                       "mellum",
                                                       "mellum2",
                                                       "midm-2.0",
                                                       "minerva-7b",
                                                       "minicpm5",
                                                       "minimax-m2",
                                                       "modern-bert",
                                                       "mpt",
                                                       "olmo",
                                                       "phi-2",
                                                       "pixtral",
                                                       "poro-chat",
                                                       "qwen2",
                                                       "qwen35",
                                                       "refact",
                                                       "roberta-bpe",
                                                       "sarvam-moe",
                                                       "seed-coder",
                                                       "smaug-bpe",
                                                       "smollm",
                                                       "solar-open",
                                                       "spark2_5",
                                                       "stablelm2",
                                                       "starcoder",
                                                       "superbpe",
                                                       "talkie",
                                                       "tekken",
                                                       "tiny_aya",
                                                       "trillion",
                                                       "ufakzeka",
                                                       "viking",
                                                       "whitespace",
                                                       "youtu"});

static_assert(std::ranges::is_sorted(models) && std::ranges::is_sorted(pres));

// BPE vocabularies that start a text with a special token unless the metadata says otherwise.
constexpr auto pres_with_bos = std::to_array<std::string_view>(
    {"chameleon", "falcon-h1", "falcon3", "jina-v5-nano", "lfm2", "llama-bpe", "llama-v3", "llama3",
     "midm-2.0", "pixtral", "tekken"});

using Id = std::optional<std::uint32_t>; // nothing where llama.cpp has -1

struct SpecialTokens {
    Id bos, eos, unk, sep;
    bool add_bos = false;
    bool add_eos = false;
};

[[nodiscard]] std::string quoted(std::string_view text) {
    constexpr std::size_t most = 64;
    std::string shown = base::replace_invalid_utf8(text.substr(0, most));
    return "'" + shown + (text.size() > most ? "...'" : "'");
}

[[nodiscard]] std::string byte_token(unsigned byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    return {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
}

// What llama.cpp makes of a token of an RWKV vocabulary: \t, \n, \r, \x and two hexadecimal digits,
// and anything else after a backslash for itself.
[[nodiscard]] std::string unescape_rwkv(std::string_view text) {
    std::string bytes;
    bool escaping = false;
    int digits_left = 0;
    unsigned digits = 0;
    for (const char c : text) {
        if (digits_left > 0) {
            const int digit = c >= 'a' ? c - 'a' + 10 : c - '0';
            digits = (digits << 4) + static_cast<unsigned>(digit);
            if (--digits_left == 0) {
                bytes += static_cast<char>(digits & 0xff);
                digits = 0;
            }
        } else if (escaping) {
            escaping = false;
            switch (c) {
            case 't':
                bytes += '\t';
                break;
            case 'n':
                bytes += '\n';
                break;
            case 'r':
                bytes += '\r';
                break;
            case 'x':
                digits_left = 2;
                break;
            default:
                bytes += c;
            }
        } else if (c == '\\') {
            escaping = true;
        } else {
            bytes += c;
        }
    }
    return bytes;
}

class VocabularyChecker {
public:
    explicit VocabularyChecker(const Metadata &metadata)
        : metadata_(metadata), model_(metadata.require_string(model_key)),
          pre_(metadata.string(pre_key).value_or("")) {}

    [[nodiscard]] Vocabulary run();

private:
    [[nodiscard]] VocabularyKind find_kind() const;
    void check_pre() const;
    void check_merges() const;
    [[nodiscard]] const Value &find_tokens() const;
    void check_token_data(std::uint32_t size) const;
    void check_options() const;

    void check_texts(const TokenTexts &texts) const;
    void check_bytes_can_be_named(const TokenTexts &texts) const;
    void check_spm(const TokenTexts &texts) const;
    void check_rwkv(const TokenTexts &texts, const SpecialTokens &special) const;
    void check_plamo2(const TokenTexts &texts) const;
    void check_charsmap() const;
    void check_dna(const TokenTexts &texts) const;
    void check_phi3(const TokenTexts &texts) const;

    [[nodiscard]] SpecialTokens special_tokens(std::uint32_t size) const;
    void check_special(const SpecialTokens &special) const;
    [[nodiscard]] bool is_byte(std::uint32_t id) const;

    const Metadata &metadata_;
    std::string_view model_;
    std::string_view pre_;
    VocabularyKind kind_ = VocabularyKind::none;
    const Value *types_ = nullptr;
};

VocabularyKind VocabularyChecker::find_kind() const {
    if (model_ == "none" || model_ == "no_vocab") {
        return VocabularyKind::none;
    }
    if (model_ == "llama") {
        return VocabularyKind::spm;
    }
    if (model_ == "gpt2" || model_ == "hybriddna" || model_ == "whitespace" || model_ == "gemma4") {
        return VocabularyKind::bpe;
    }
    if (model_ == "bert") {
        return VocabularyKind::wpm;
    }
    if (model_ == "t5") {
        return VocabularyKind::ugm;
    }
    if (model_ == "rwkv") {
        return VocabularyKind::rwkv;
    }
    if (model_ == "plamo2") {
        return VocabularyKind::plamo2;
    }
    if (model_ == "test") {
        return VocabularyKind::test;
    }
    throw Error(MULLAMA_ERROR_UNKNOWN_MODEL,
                "llama.cpp does not have the tokenizer " + quoted(model_))
        .parameter(model_key)
        .expected("llama, gpt2, bert, t5, rwkv, plamo2, gemma4, hybriddna, whitespace or none")
        .actual(model_);
}

void VocabularyChecker::check_pre() const {
    // Without one llama.cpp splits as GPT-2 does, and warns; for these it knows better itself.
    if (model_ == "gemma4" || pre_.empty()) {
        return;
    }
    if (!std::ranges::binary_search(pres, pre_)) {
        throw Error(MULLAMA_ERROR_UNKNOWN_MODEL,
                    "llama.cpp does not have the pre-tokenizer " + quoted(pre_))
            .parameter(pre_key)
            .actual(pre_);
    }
}

void VocabularyChecker::check_merges() const {
    const Value *merges = metadata_.array(merges_key, ValueType::string);
    if (merges == nullptr) {
        if (pre_ != "kimi-k2" || model_ == "gemma4") {
            metadata_.fail("a BPE vocabulary needs its merges", merges_key, "array of string",
                           "nothing");
        }
        return;
    }
    for (std::uint64_t i = 0; i < merges->count(); ++i) {
        std::string_view merge = merges->as_string(i);
        merge = merge.substr(0, merge.find('\0'));
        if (merge.find(' ', 1) == std::string_view::npos) {
            metadata_.fail("merge " + std::to_string(i) + " has no two parts", merges_key,
                           "two tokens with a space between them", quoted(merge));
        }
    }
}

const Value &VocabularyChecker::find_tokens() const {
    const Value *tokens = metadata_.array(tokens_key, ValueType::string);
    if (tokens == nullptr) {
        metadata_.fail("the model lacks its vocabulary", tokens_key, "array of string", "nothing");
    }
    constexpr std::uint32_t most = 0x7fffffff;
    if (tokens->count() == 0 || tokens->count() > most) {
        metadata_.fail("no vocabulary has this size", tokens_key,
                       "1 to " + std::to_string(most) + " tokens", tokens->count());
    }
    return *tokens;
}

void VocabularyChecker::check_token_data(std::uint32_t size) const {
    const auto check_count = [&](const Value &value, std::string_view key) {
        if (value.count() < size) {
            metadata_.fail("there are fewer of them than tokens", key, std::to_string(size),
                           value.count());
        }
    };
    if (const Value *scores = metadata_.value(scores_key)) {
        if (!scores->is_array() || (scores->element_type() != ValueType::float32 &&
                                    scores->element_type() != ValueType::int32)) {
            metadata_.fail("the metadata value is of the wrong type", scores_key,
                           "array of float32", scores->description());
        }
        check_count(*scores, scores_key);
    }
    if (types_ != nullptr) {
        check_count(*types_, types_key);
    }
    static_cast<void>(metadata_.array("tokenizer.ggml.suppress_tokens", ValueType::int32));
    static_cast<void>(metadata_.u32("tokenizer.ggml.token_type_count"));
}

// llama.cpp reads these and refuses the model when one is of another type.
void VocabularyChecker::check_options() const {
    for (const std::string_view key :
         {"tokenizer.ggml.add_space_prefix", "tokenizer.ggml.remove_extra_whitespaces",
          "tokenizer.ggml.add_sep_token", "tokenizer.ggml.normalizer.lowercase",
          "tokenizer.ggml.normalizer.strip_accents"}) {
        static_cast<void>(metadata_.boolean(key));
    }
    for (const std::string_view key :
         {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id",
          "tokenizer.ggml.padding_token_id", "tokenizer.ggml.mask_token_id",
          "tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.fim_suf_token_id",
          "tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.fim_pad_token_id",
          "tokenizer.ggml.fim_rep_token_id", "tokenizer.ggml.fim_sep_token_id",
          "tokenizer.ggml.prefix_token_id", "tokenizer.ggml.suffix_token_id",
          "tokenizer.ggml.middle_token_id"}) {
        static_cast<void>(metadata_.u32(key));
    }
}

bool VocabularyChecker::is_byte(std::uint32_t id) const {
    return types_ != nullptr && types_->as_int(id) == byte_type;
}

void VocabularyChecker::check_texts(const TokenTexts &texts) const {
    for (std::uint32_t id = 0; id < texts.size(); ++id) {
        if (texts[id].size() > max_token_size) {
            metadata_.fail("token " + std::to_string(id) + " is longer than any real one",
                           tokens_key, "at most " + std::to_string(max_token_size) + " bytes",
                           texts[id].size());
        }
    }
    if (const auto twice = texts.twice()) {
        metadata_.fail("tokens " + std::to_string(twice->second) + " and " +
                           std::to_string(twice->first) + " have the same text",
                       tokens_key, "each text once", quoted(texts[twice->first]));
    }
}

// Tokens marked as bytes are decoded as "<0x41>"; WordPiece has no such thing.
void VocabularyChecker::check_bytes_can_be_named(const TokenTexts &texts) const {
    if (types_ == nullptr || kind_ == VocabularyKind::rwkv || kind_ == VocabularyKind::plamo2 ||
        kind_ == VocabularyKind::test) {
        return;
    }
    constexpr std::size_t least = 3;
    for (std::uint32_t id = 0; id < texts.size(); ++id) {
        if (is_byte(id) && (kind_ == VocabularyKind::wpm || texts[id].size() < least)) {
            metadata_.fail("token " + std::to_string(id) + " is marked as a byte but names none",
                           types_key,
                           kind_ == VocabularyKind::wpm ? "no byte tokens" : "a text like <0x41>",
                           quoted(texts[id]));
        }
    }
}

// What has no token of its own is spelled in bytes; one that is missing would end the text there.
void VocabularyChecker::check_spm(const TokenTexts &texts) const {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const char itself = static_cast<char>(byte);
        if (!texts.find(byte_token(byte)) &&
            (byte == 0 || !texts.find(std::string_view(&itself, 1)))) {
            metadata_.fail("the vocabulary cannot spell every byte", tokens_key, byte_token(byte),
                           "nothing");
        }
    }
}

// A text is cut greedily along the tokens' first bytes: when no token ends on the way, llama.cpp
// starts over from the beginning, for ever.
void VocabularyChecker::check_rwkv(const TokenTexts &texts, const SpecialTokens &special) const {
    std::array<Id, 256> starts;
    std::bitset<256> alone;
    for (std::uint32_t id = 0; id < texts.size(); ++id) {
        const std::string bytes = unescape_rwkv(texts[id]);
        if (!bytes.empty()) {
            const auto first = static_cast<unsigned char>(bytes.front());
            starts[first] = id;
            alone[first] = alone[first] || bytes.size() == 1;
        }
    }
    for (unsigned byte = 0; byte < 256; ++byte) {
        const Id start = starts[byte];
        if (start && !alone[byte]) {
            metadata_.fail("the vocabulary lacks a token for the first byte of token " +
                               std::to_string(*start) + " alone",
                           tokens_key, byte_token(byte), quoted(texts[*start]));
        }
        // llama.cpp looks the newline up as it loads.
        if (!start && (!special.unk || byte == '\n')) {
            metadata_.fail("the vocabulary cannot spell every byte", tokens_key, byte_token(byte),
                           "nothing");
        }
    }
}

void VocabularyChecker::check_plamo2(const TokenTexts &texts) const {
    std::bitset<256> bytes;
    const Value *scores = metadata_.value(scores_key);
    for (std::uint32_t id = 0; id < texts.size(); ++id) {
        const std::string_view text = texts[id];
        if (is_byte(id)) {
            // Token 0 cannot be one: llama.cpp has 0 for "missing".
            for (unsigned byte = 0; id != 0 && byte < 256 && text.size() == 6; ++byte) {
                const std::string name = byte_token(byte);
                bytes[byte] = bytes[byte] || std::ranges::equal(text, name, [](char a, char b) {
                                  return std::toupper(static_cast<unsigned char>(a)) ==
                                         std::toupper(static_cast<unsigned char>(b));
                              });
            }
            continue;
        }
        // llama.cpp takes tokens apart by character and looks the parts up again as it encodes
        // them itself: what is not UTF-8 is not found then, and numbers that stand for it are used.
        if (base::find_invalid_utf8(text) != std::string_view::npos) {
            metadata_.fail("token " + std::to_string(id) + " is not UTF-8", tokens_key, "UTF-8",
                           quoted(text));
        }
        // Scores become integers of ten thousandths.
        constexpr double most = 200000.0;
        const double score = scores == nullptr ? 0.0 : scores->as_float(id);
        if (std::isfinite(score) && std::fabs(score) > most) {
            metadata_.fail("the score of token " + std::to_string(id) + " is too large", scores_key,
                           "-200000 to 200000", std::to_string(score));
        }
    }
    for (unsigned byte = 0; byte < 256; ++byte) {
        if (!bytes[byte]) {
            metadata_.fail("the vocabulary cannot spell every byte", tokens_key, byte_token(byte),
                           "nothing");
        }
    }
}

// A trie in 32-bit words, its size in front of it, and texts that its leaves point to behind it.
void VocabularyChecker::check_charsmap() const {
    const Value *value = metadata_.value(charsmap_key);
    if (value == nullptr) {
        return;
    }
    if (!value->is_array() ||
        (value->element_type() != ValueType::uint8 && value->element_type() != ValueType::int8)) {
        metadata_.fail("the metadata value is of the wrong type", charsmap_key, "array of uint8",
                       value->description());
    }
    const auto bytes = value->bytes();
    std::uint32_t trie_size = 0;
    if (bytes.size() > sizeof trie_size) {
        std::memcpy(&trie_size, bytes.data(), sizeof trie_size);
    }
    if (bytes.size() <= sizeof trie_size || trie_size >= bytes.size() - sizeof trie_size ||
        trie_size % sizeof trie_size != 0 || bytes.back() != std::byte{0}) {
        metadata_.fail("the map of characters is malformed", charsmap_key,
                       "a trie and the texts it points to",
                       std::to_string(bytes.size()) + " bytes, the trie " +
                           std::to_string(trie_size) + " of them");
    }
}

// Tokens after "<oov>" lose this mark; of one that is nothing else, nothing would be left.
void VocabularyChecker::check_dna(const TokenTexts &texts) const {
    constexpr std::string_view mark = "\xee\x80\x80";
    const Id marked = texts.find(mark);
    const Id oov = texts.find("<oov>");
    if (marked && oov && *marked > *oov) {
        metadata_.fail("token " + std::to_string(*marked) + " has no text but its mark", tokens_key,
                       "a text", quoted(mark));
    }
}

// llama.cpp knows these models by name and changes some of their tokens.
void VocabularyChecker::check_phi3(const TokenTexts &texts) const {
    std::string name(metadata_.string("general.name").value_or(""));
    std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (name.find("phi-3") == std::string::npos && name.find("phi3") == std::string::npos) {
        return;
    }
    const std::string_view architecture = metadata_.string("general.architecture").value_or("");
    for (const std::string_view other : {"jina-v2-de", "jina-v2-es", "jina-v2-code"}) {
        if (pre_.find(other) != std::string_view::npos) {
            return;
        }
    }
    for (const std::string_view other : {"nomic-bert-moe", "jina-bert-v3"}) {
        if (architecture.find(other) != std::string_view::npos) {
            return;
        }
    }
    for (const std::string_view token : {"</s>", "<unk>", "<s>", "<|endoftext|>"}) {
        if (!texts.find(token)) {
            metadata_.fail("a model that calls itself Phi-3 lacks a token of Phi-3's", tokens_key,
                           token, "nothing");
        }
    }
}

SpecialTokens VocabularyChecker::special_tokens(std::uint32_t size) const {
    SpecialTokens special;
    switch (kind_) {
    case VocabularyKind::spm:
        special = {1, 2, 0, {}, true, false};
        break;
    case VocabularyKind::wpm:
        special = {101, {}, 100, 102, true, false};
        break;
    case VocabularyKind::bpe:
        if (model_ == "gemma4") {
            break;
        }
        special.eos = 11;
        if (pre_ != "chatglm-bpe" && pre_ != "glm4" && pre_ != "glm5") {
            special.bos = 11;
        }
        special.add_bos = std::ranges::binary_search(pres_with_bos, pre_);
        break;
    case VocabularyKind::ugm:
        special = {{}, 1, 2, {}, false, true};
        break;
    case VocabularyKind::plamo2:
        special = {1, 2, 0, {}, false, false};
        break;
    case VocabularyKind::rwkv:
    case VocabularyKind::test:
    case VocabularyKind::none:
        break;
    }
    // llama.cpp ignores ids past the end, with a warning. For those that end a text or stand for
    // what has no token that would only show much later.
    const auto resolve = [&](Id &id, std::string_view key) {
        const Id given = metadata_.u32(key);
        if (given && *given >= size) {
            metadata_.fail("the vocabulary has no such token", key,
                           "less than " + std::to_string(size), *given);
        }
        id = given ? given : (id && *id < size ? id : Id());
    };
    resolve(special.bos, "tokenizer.ggml.bos_token_id");
    resolve(special.eos, "tokenizer.ggml.eos_token_id");
    // Some converters write -1 for "none" here.
    constexpr std::uint32_t none = 0xffffffff;
    const auto resolve_optional = [&](Id &id, std::string_view key) {
        if (metadata_.u32(key) == none) {
            id = id && *id < size ? id : Id();
        } else {
            resolve(id, key);
        }
    };
    resolve_optional(special.unk, "tokenizer.ggml.unknown_token_id");
    resolve_optional(special.sep, "tokenizer.ggml.seperator_token_id");
    special.add_bos = metadata_.boolean("tokenizer.ggml.add_bos_token").value_or(special.add_bos);
    special.add_eos = metadata_.boolean("tokenizer.ggml.add_eos_token").value_or(special.add_eos);
    if (model_ == "gemma4" || (kind_ == VocabularyKind::bpe &&
                               (pre_ == "gemma4" || pre_ == "granite-embed-multi-311m"))) {
        special.add_bos = true;
    }
    return special;
}

void VocabularyChecker::check_special(const SpecialTokens &special) const {
    const auto require = [&](bool needed, const Id &id, std::string_view key) {
        if (needed && !id) {
            metadata_.fail("the tokenizer needs this token", key, "the id of a token", "nothing");
        }
    };
    const bool pieces = kind_ == VocabularyKind::wpm;
    const bool adds = kind_ == VocabularyKind::spm || kind_ == VocabularyKind::bpe ||
                      kind_ == VocabularyKind::ugm;
    require(pieces || (adds && special.add_bos), special.bos, "tokenizer.ggml.bos_token_id");
    require(adds && special.add_eos, special.eos, "tokenizer.ggml.eos_token_id");
    require(pieces, special.sep, "tokenizer.ggml.seperator_token_id");
    require(pieces || kind_ == VocabularyKind::ugm, special.unk, "tokenizer.ggml.unknown_token_id");
}

Vocabulary VocabularyChecker::run() {
    kind_ = find_kind();
    if (kind_ == VocabularyKind::none) {
        return {kind_, metadata_.u32(".vocab_size").value_or(0)};
    }
    if (kind_ == VocabularyKind::bpe) {
        check_pre();
        check_merges();
    }
    const Value &tokens = find_tokens();
    const auto size = static_cast<std::uint32_t>(tokens.count());
    types_ = metadata_.array(types_key, ValueType::int32);
    check_token_data(size);
    check_options();

    const TokenTexts texts(tokens);
    check_texts(texts);
    check_bytes_can_be_named(texts);
    const SpecialTokens special = special_tokens(size);
    check_special(special);
    switch (kind_) {
    case VocabularyKind::spm:
        check_spm(texts);
        break;
    case VocabularyKind::ugm:
        check_charsmap();
        break;
    case VocabularyKind::rwkv:
        check_rwkv(texts, special);
        break;
    case VocabularyKind::plamo2:
        check_plamo2(texts);
        break;
    default:
        break;
    }
    if (model_ == "hybriddna") {
        check_dna(texts);
    }
    check_phi3(texts);
    return {kind_, size};
}

} // namespace

Vocabulary check_vocabulary(const Metadata &metadata) {
    return VocabularyChecker(metadata).run();
}

std::span<const std::string_view> tokenizer_models() noexcept {
    return models;
}

std::span<const std::string_view> pre_tokenizers() noexcept {
    return pres;
}

} // namespace mullama::core::gguf

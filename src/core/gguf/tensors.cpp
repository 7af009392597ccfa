#include "core/gguf/tensors.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "core/gguf/tensor_names.hpp"

namespace mullama::core::gguf {

using base::Error;

namespace {

constexpr std::string_view block_prefix = "blk.";

[[noreturn]] void fail(const TensorInfo &tensor, std::string_view message,
                       std::string_view expected, std::string_view actual) {
    throw Error(MULLAMA_ERROR_BAD_MODEL, "tensor '" + tensor.name + "' " + std::string(message))
        .parameter(tensor.name)
        .expected(expected)
        .actual(actual);
}

// A few tensors of indices are meant to have types that nothing can be multiplied with.
[[nodiscard]] bool is_computable(const TensorInfo &tensor) {
    if (!is_stored_only(*tensor.type)) {
        return true;
    }
    return tensor.name == "d2t" || tensor.name.starts_with("masked_embd_ordering") ||
           tensor.name.find("ffn_gate_tid2eid") != std::string::npos;
}

// What is used element by element must be f32: ggml's operations on the CPU have no other type. All
// converters write vectors and norms so; of the matrices only those that are known to be used as
// they are, and not converted first.
[[nodiscard]] bool must_be_f32(const TensorInfo &tensor) {
    if (tensor.name == "token_types.weight") {
        return true;
    }
    if (!is_elementwise(tensor.name)) {
        return false;
    }
    constexpr std::array<std::string_view, 10> matrices{".ssm_conv1d_q.weight",
                                                        ".ssm_conv1d_k.weight",
                                                        ".ssm_conv1d_v.weight",
                                                        "norm",
                                                        "norm.weight",
                                                        ".ssm_conv1d.weight",
                                                        ".shortconv.conv.weight",
                                                        ".time_mix_first.weight",
                                                        ".ssm_a",
                                                        ".ssm_d"};
    const bool vector = tensor.ne[1] == 1 && tensor.ne[2] == 1 && tensor.ne[3] == 1;
    return vector || std::ranges::any_of(matrices, [&](std::string_view ending) {
               return tensor.name.ends_with(ending);
           });
}

// The block that a tensor belongs to.
[[nodiscard]] std::optional<std::uint32_t> block_of(std::string_view name) {
    if (!name.starts_with(block_prefix)) {
        return std::nullopt;
    }
    name.remove_prefix(block_prefix.size());
    std::uint32_t block = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), block);
    const bool whole = error == std::errc() && end != name.data() + name.size() && *end == '.';
    return whole ? std::optional(block) : std::nullopt;
}

class TensorChecker {
public:
    TensorChecker(std::span<const File *const> parts, const Metadata &metadata,
                  const Hyperparameters &hyperparameters, const Vocabulary &vocabulary)
        : parts_(parts), metadata_(metadata), h_(hyperparameters), vocabulary_(vocabulary) {}

    void run() const {
        check_each();
        check_blocks();
        check_embeddings();
        check_outputs();
        check_feed_forward();
        check_attention();
        check_single_architectures();
    }

private:
    [[nodiscard]] const TensorInfo *find(std::string_view name) const;
    [[nodiscard]] const TensorInfo *find(std::uint32_t block, std::string_view name) const;
    [[nodiscard]] bool is(std::string_view architecture) const {
        return h_.architecture->name == architecture;
    }

    void check_each() const;
    void check_blocks() const;
    void check_embeddings() const;
    void check_outputs() const;
    void check_feed_forward() const;
    void check_attention() const;
    void check_matrix(const TensorInfo *tensor, std::uint64_t rows, std::uint64_t columns,
                      std::string_view why) const;
    void check_single_architectures() const;
    void require(std::string_view name) const;

    std::span<const File *const> parts_;
    const Metadata &metadata_;
    const Hyperparameters &h_;
    const Vocabulary &vocabulary_;
};

const TensorInfo *TensorChecker::find(std::string_view name) const {
    for (const File *part : parts_) {
        if (const TensorInfo *tensor = part->find_tensor(name)) {
            return tensor;
        }
    }
    return nullptr;
}

const TensorInfo *TensorChecker::find(std::uint32_t block, std::string_view name) const {
    return find(std::string(block_prefix) + std::to_string(block) + "." + std::string(name));
}

void TensorChecker::check_each() const {
    for (const File *part : parts_) {
        for (const TensorInfo &tensor : part->tensors()) {
            if (!is_tensor_name(tensor.name)) {
                fail(tensor, "is none that llama.cpp knows", "a tensor of the architecture",
                     "another one");
            }
            if (!is_computable(tensor)) {
                fail(tensor, "is of a type that llama.cpp cannot compute with",
                     "a type for weights", tensor.type->name);
            }
            if (must_be_f32(tensor) && tensor.type->name != "f32") {
                fail(tensor, "is used element by element, which llama.cpp does in f32 only", "f32",
                     tensor.type->name);
            }
        }
    }
}

// Whether the blocks that there are tensors for are those that the metadata counts.
void TensorChecker::check_blocks() const {
    std::vector<bool> seen(h_.block_count);
    std::string_view usual; // what a tensor of a block is called
    for (const File *part : parts_) {
        for (const TensorInfo &tensor : part->tensors()) {
            const auto block = block_of(tensor.name);
            if (block && *block >= h_.block_count) {
                fail(tensor, "is of a block that the model does not have",
                     "a block below " + std::to_string(h_.block_count), std::to_string(*block));
            }
            if (block) {
                seen[*block] = true;
                const std::string_view name = tensor.name;
                usual = usual.empty() ? name.substr(name.find('.', block_prefix.size())) : usual;
            }
        }
    }
    // Blocks for the prediction of further tokens may be kept in a file of their own; HRM runs each
    // of its blocks many times.
    if (usual.empty() || h_.extra_blocks > 0 || is("hrm_text")) {
        return;
    }
    const auto missing = std::ranges::find(seen, false);
    if (missing != seen.end()) {
        const std::string name = std::string(block_prefix) +
                                 std::to_string(std::distance(seen.begin(), missing)) +
                                 std::string(usual);
        throw Error(MULLAMA_ERROR_BAD_MODEL, "the model has " + metadata_.full_key(".block_count") +
                                                 " = " + std::to_string(h_.block_count) +
                                                 " blocks, but no tensor '" + name + "'")
            .parameter(name)
            .expected("tensors for each block")
            .actual("nothing");
    }
}

void TensorChecker::check_matrix(const TensorInfo *tensor, std::uint64_t rows,
                                 std::uint64_t columns, std::string_view why) const {
    if (tensor == nullptr) {
        return;
    }
    const auto &ne = tensor->ne;
    if (static_cast<std::uint64_t>(ne[0]) != rows || static_cast<std::uint64_t>(ne[1]) != columns ||
        ne[2] != 1 || ne[3] != 1) {
        fail(*tensor, why, "[" + std::to_string(rows) + ", " + std::to_string(columns) + "]",
             tensor->shape());
    }
}

void TensorChecker::require(std::string_view name) const {
    if (find(name) == nullptr) {
        throw Error(MULLAMA_ERROR_BAD_MODEL,
                    "the model lacks the tensor '" + std::string(name) + "'")
            .parameter(name)
            .expected("a tensor")
            .actual("nothing");
    }
}

void TensorChecker::check_embeddings() const {
    // WavTokenizer's tokens are features of another length; draft models may lack the embedding,
    // or have one of their target's vocabulary.
    if (is("wavtokenizer-dec") || is("eagle3") || is("dflash")) {
        return;
    }
    constexpr std::string_view name = "token_embd.weight";
    require(name);
    if (vocabulary_.kind != VocabularyKind::none) {
        check_matrix(find(name), h_.embedding_length, vocabulary_.size,
                     "does not fit the embedding's length and the size of the vocabulary");
    }
    check_matrix(find("position_embd.weight"), h_.embedding_length, h_.context_length,
                 "does not fit the embedding's length and the length of the context");
    const std::uint32_t types = metadata_.u32("tokenizer.ggml.token_type_count").value_or(0);
    if (find("token_types.weight") != nullptr && types == 0) {
        metadata_.fail("the model has types of tokens, but none is counted",
                       "tokenizer.ggml.token_type_count", "1 or more", 0);
    }
    check_matrix(find("token_types.weight"), h_.embedding_length, types,
                 "does not fit the embedding's length and the number of token types");
}

void TensorChecker::check_outputs() const {
    // OLMo's and Talkie's norms have no weights, and not every architecture calls the last one
    // this.
    const Architecture &architecture = *h_.architecture;
    if (architecture.has(Architecture::same_head) && architecture.has(Architecture::full_rope) &&
        architecture.has(Architecture::rms_epsilon) && !is("talkie")) {
        require("output_norm.weight");
    }
    const Value *labels = metadata_.array(".classifier.output_labels", ValueType::string);
    const std::uint64_t classes = labels == nullptr || labels->count() == 0 ? 1 : labels->count();
    check_matrix(find("cls.output.weight"), h_.embedding_length, classes,
                 "does not fit the embedding's length and the number of labels");
    if (is("t5") && vocabulary_.kind != VocabularyKind::none) {
        constexpr std::string_view key = ".decoder_start_token_id";
        const auto start = metadata_.u32(key);
        if (start && *start >= vocabulary_.size) {
            metadata_.fail("the vocabulary has no such token", key,
                           "less than " + std::to_string(vocabulary_.size), *start);
        }
    }
}

void TensorChecker::check_feed_forward() const {
    constexpr std::string_view key = ".feed_forward_length";
    for (std::uint32_t block = 0; block < h_.blocks(); ++block) {
        if (h_.feed_forward[block] == 0 && find(block, "ffn_up.weight") != nullptr) {
            metadata_.fail("block " + std::to_string(block) + " has a feed-forward network", key,
                           "1 or more", metadata_.value(key) == nullptr ? "nothing" : "0");
        }
    }
}

// Where attention is the usual one, its matrices follow from the heads. llama.cpp refuses some that
// do not, and views others past their end.
void TensorChecker::check_attention() const {
    if (h_.architecture->has(Architecture::own_attention)) {
        return;
    }
    const std::uint64_t length = h_.embedding_length;
    for (std::uint32_t block = 0; block < h_.blocks(); ++block) {
        const bool windowed = h_.windowed[block];
        const std::uint64_t key = windowed ? h_.key_length_window : h_.key_length;
        const std::uint64_t value = windowed ? h_.value_length_window : h_.value_length;
        const std::uint64_t queries = h_.heads[block] * key;
        const std::uint64_t keys = h_.heads_kv[block] * key;
        const std::uint64_t values = h_.heads_kv[block] * value;
        if (keys == 0) {
            continue;
        }
        constexpr std::string_view why = "does not fit the attention heads";
        check_matrix(find(block, "attn_q.weight"), length, queries, why);
        check_matrix(find(block, "attn_k.weight"), length, keys, why);
        check_matrix(find(block, "attn_v.weight"), length, values, why);
        check_matrix(find(block, "attn_qkv.weight"), length, queries + keys + values, why);
        check_matrix(find(block, "attn_output.weight"), h_.heads[block] * value, length, why);
    }
}

void TensorChecker::check_single_architectures() const {
    const TensorInfo *embedding = find("token_embd.weight");
    if (embedding != nullptr && embedding->type->name == "nvfp4" &&
        find("output.weight") == nullptr &&
        (find("output.scale") != nullptr || find("output.input_scale") != nullptr)) {
        fail(*embedding, "is also the output, but the output has a scale of its own",
             "an output of its own", "none");
    }
    // Positions are relative, and all blocks use the first one's table.
    if (is("t5") || is("t5encoder")) {
        require("enc.blk.0.attn_rel_b.weight");
    }
    if (is("t5")) {
        require("dec.blk.0.attn_rel_b.weight");
    }
    for (std::uint32_t block = 0; block < h_.blocks(); ++block) {
        if (is("laguna")) {
            const TensorInfo *gate = find(block, "attn_gate.weight");
            const std::uint64_t heads = h_.heads[block];
            if (gate != nullptr && static_cast<std::uint64_t>(gate->ne[1]) != heads &&
                static_cast<std::uint64_t>(gate->ne[1]) != heads * h_.key_length) {
                fail(*gate, "does not fit the attention heads",
                     std::to_string(heads) + " or " + std::to_string(heads * h_.key_length) +
                         " columns",
                     gate->shape());
            }
        }
        if (is("jina-bert-v2")) {
            const TensorInfo *up = find(block, "ffn_up.weight");
            const std::uint64_t length = h_.feed_forward[block];
            if (up != nullptr && static_cast<std::uint64_t>(up->ne[1]) != length &&
                static_cast<std::uint64_t>(up->ne[1]) != 2 * length) {
                fail(*up, "does not fit the feed-forward length",
                     std::to_string(length) + " or " + std::to_string(2 * length) + " columns",
                     up->shape());
            }
        }
        // The bias may be missing, says the loader; the graph adds it all the same.
        if ((is("falcon-h1") || is("granitehybrid") || is("nemotron_h") || is("nemotron_h_moe")) &&
            find(block, "ssm_conv1d.weight") != nullptr) {
            require("blk." + std::to_string(block) + ".ssm_conv1d.bias");
        }
        if (is("rwkv6") && find(block, "time_mix_lerp_fused.weight") == nullptr &&
            find(block, "time_mix_lerp_w.weight") == nullptr) {
            throw Error(MULLAMA_ERROR_BAD_MODEL,
                        "block " + std::to_string(block) + " lacks its time mix")
                .parameter("blk." + std::to_string(block) + ".time_mix_lerp_w.weight")
                .expected("a tensor")
                .actual("nothing");
        }
    }
}

} // namespace

void check_tensors(std::span<const File *const> parts, const Metadata &metadata,
                   const Hyperparameters &hyperparameters, const Vocabulary &vocabulary) {
    TensorChecker(parts, metadata, hyperparameters, vocabulary).run();
}

} // namespace mullama::core::gguf

#include "core/gguf/check_adapter.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "core/gguf/metadata.hpp"
#include "core/gguf/tensor_names.hpp"

namespace mullama::core::gguf {

using base::Error;

namespace {

constexpr std::string_view architecture_key = "general.architecture";
constexpr std::string_view type_key = "general.type";
constexpr std::string_view adapter_key = "adapter.type";
constexpr std::string_view alpha_key = "adapter.lora.alpha";
constexpr std::string_view invocation_key = "adapter.alora.invocation_tokens";
constexpr std::string_view suffix_a = ".lora_a";
constexpr std::string_view suffix_b = ".lora_b";
constexpr std::string_view direction_prefix = "direction.";

[[nodiscard]] std::string shown(std::string_view text) {
    return base::replace_invalid_utf8(text.substr(0, 64));
}

[[noreturn]] void fail(std::string_view tensor, const std::string &message,
                       const std::string &expected, const std::string &actual) {
    throw Error(MULLAMA_ERROR_BAD_MODEL,
                "the adapter's tensor '" + std::string(tensor) + "' " + message)
        .parameter(tensor)
        .expected(expected)
        .actual(actual);
}

[[nodiscard]] std::string_view require_string(const Metadata &metadata, std::string_view key) {
    const auto found = metadata.string(key);
    if (!found) {
        throw Error(MULLAMA_ERROR_BAD_MODEL, "the adapter lacks the key '" + std::string(key) + "'")
            .parameter(key)
            .expected("string")
            .actual("nothing");
    }
    return *found;
}

[[nodiscard]] bool is_half(const TensorInfo &tensor) {
    return tensor.name.ends_with(suffix_a) || tensor.name.ends_with(suffix_b);
}

[[noreturn]] void refuse_model(std::string_view type) {
    throw Error(MULLAMA_ERROR_UNSUPPORTED,
                type.empty() || type == "model"
                    ? "the file is a model: it is loaded as one, and goes into no other"
                    : "the file is no adapter: its general.type is '" + shown(type) + "'")
        .parameter(type_key)
        .expected("adapter")
        .actual(type.empty() ? "nothing" : shown(type));
}

// "blk.12.ffn_up.weight": 12; "enc.blk.3.attn_q.weight": 3.
[[nodiscard]] std::optional<std::int32_t> layer_of(std::string_view name) {
    constexpr std::string_view block = "blk.";
    const std::size_t at = name.find(block);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    name.remove_prefix(at + block.size());
    std::int32_t layer = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
    return error == std::errc() ? std::optional(layer) : std::nullopt;
}

struct Pair {
    const TensorInfo *a = nullptr;
    const TensorInfo *b = nullptr;
};

class LoraChecker {
public:
    LoraChecker(const File &file, const AdapterTarget &target)
        : file_(file), metadata_(file, {}), target_(target) {}

    [[nodiscard]] Lora run() {
        check_architecture();
        read_alpha();
        read_invocation_tokens();
        collect();
        for (const auto &[name, pair] : pairs_) {
            check(name, pair);
            count(name, pair);
        }
        return lora_;
    }

private:
    void check_architecture() const;
    void read_alpha();
    void read_invocation_tokens();
    void collect();
    void check(const std::string &name, const Pair &pair) const;
    void check_embedding(const std::string &name, const Pair &pair, const TensorInfo &own) const;
    void check_matrix(const std::string &name, const Pair &pair, const TensorInfo &own) const;
    void check_target(const std::string &name, const TensorInfo &own) const;
    void count(const std::string &name, const Pair &pair);

    const File &file_;
    Metadata metadata_;
    const AdapterTarget &target_;
    std::map<std::string, Pair> pairs_;
    Lora lora_;
};

void LoraChecker::check_architecture() const {
    const std::string_view architecture = require_string(metadata_, architecture_key);
    if (architecture != target_.architecture) {
        throw Error(MULLAMA_ERROR_BAD_MODEL, "the adapter is for models of architecture '" +
                                                 shown(architecture) + "', and this one is '" +
                                                 std::string(target_.architecture) + "'")
            .parameter(architecture_key)
            .expected(target_.architecture)
            .actual(shown(architecture));
    }
}

void LoraChecker::read_alpha() {
    // llama.cpp takes a missing one for 0, and the scale as it is then.
    lora_.alpha = metadata_.f32(alpha_key).value_or(0.0F);
    if (!std::isfinite(lora_.alpha)) {
        metadata_.fail("alpha is not a finite number", alpha_key, "a number",
                       std::isnan(lora_.alpha) ? "nan" : "infinity");
    }
}

void LoraChecker::read_invocation_tokens() {
    const Value *tokens = metadata_.array(invocation_key, ValueType::uint32);
    for (std::uint64_t i = 0; tokens != nullptr && i < tokens->count(); ++i) {
        const std::uint64_t token = tokens->as_uint(i);
        if (token >= static_cast<std::uint64_t>(target_.n_vocab)) {
            metadata_.fail("the model's vocabulary has no such token", invocation_key,
                           "less than " + std::to_string(target_.n_vocab), token);
        }
        lora_.invocation_tokens.push_back(static_cast<std::int32_t>(token));
    }
}

void LoraChecker::collect() {
    for (const TensorInfo &tensor : file_.tensors()) {
        const std::string_view name = tensor.name;
        if (name.ends_with(suffix_a)) {
            pairs_[std::string(name.substr(0, name.size() - suffix_a.size()))].a = &tensor;
        } else if (name.ends_with(suffix_b)) {
            pairs_[std::string(name.substr(0, name.size() - suffix_b.size()))].b = &tensor;
        } else if (!name.ends_with("_norm.weight")) { // which llama.cpp leaves out
            fail(name, "is no half of a pair of matrices", "a name that ends in .lora_a or .lora_b",
                 shown(name));
        }
    }
    if (pairs_.empty()) {
        throw Error(MULLAMA_ERROR_BAD_MODEL, "the adapter has no tensors: it changes nothing")
            .parameter("tensors")
            .expected("at least one pair of .lora_a and .lora_b")
            .actual("nothing");
    }
}

void LoraChecker::check(const std::string &name, const Pair &pair) const {
    if (pair.a == nullptr || pair.b == nullptr) {
        const TensorInfo &half = pair.a == nullptr ? *pair.b : *pair.a;
        const std::string missing = name + std::string(pair.a == nullptr ? suffix_a : suffix_b);
        fail(half.name, "has no partner", "a tensor '" + missing + "' beside it", "nothing");
    }
    const TensorInfo *own = target_.find(name);
    if (own == nullptr) {
        fail(pair.a->name, "changes a matrix that the model does not have",
             "one of the model's matrices", name);
    }
    for (const TensorInfo *half : {pair.a, pair.b}) {
        if (is_stored_only(*half->type)) {
            fail(half->name, "is of a type that nothing can be computed with",
                 "a floating-point or quantized type", std::string(half->type->name));
        }
    }
    check_target(name, *own);
    // As llama.cpp tells them apart.
    if (name.ends_with("token_embd.weight")) {
        check_embedding(name, pair, *own);
    } else {
        check_matrix(name, pair, *own);
    }
}

void LoraChecker::check_target(const std::string &name, const TensorInfo &own) const {
    if (is_elementwise(name) || (own.ne[1] == 1 && own.ne[2] == 1 && own.ne[3] == 1)) {
        fail(name + std::string(suffix_a), "changes what is used element by element",
             "a matrix that the model multiplies with", own.shape());
    }
    // NVFP4's own scale would come behind the sum of both: llama.cpp asserts that there is no LoRA.
    const std::string scale = name.substr(0, name.rfind('.')) + ".scale";
    if (own.type->name == "nvfp4" && target_.find(scale) != nullptr) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "llama.cpp applies no LoRA to the model's matrix '" + name +
                        "', which is stored as nvfp4 with a scale of its own")
            .parameter(name + std::string(suffix_a))
            .expected("a matrix of another type")
            .actual("nvfp4");
    }
    // The embedding's LoRA is stored the other way round, and llama.cpp would multiply it as it is.
    const bool tied = target_.has_decoder && (target_.find("output.weight") == nullptr ||
                                              target_.architecture == "bitnet");
    if (name == "token_embd.weight" && tied) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "llama.cpp applies no LoRA to the embedding of a model that uses it as its "
                    "output, too")
            .parameter(name + std::string(suffix_a))
            .expected("a model with a tensor 'output.weight'")
            .actual("a model without one");
    }
}

void LoraChecker::check_matrix(const std::string &name, const Pair &pair,
                               const TensorInfo &own) const {
    const auto shape = [&own](std::int64_t rows, std::int64_t columns) {
        TensorInfo wanted = own;
        wanted.ne[0] = rows;
        wanted.ne[1] = columns;
        return wanted.shape();
    };
    const TensorInfo &a = *pair.a;
    const TensorInfo &b = *pair.b;
    const std::string message = "does not fit the model's '" + name + "' of shape " + own.shape();
    if (a.ne[0] != own.ne[0] || a.ne[2] != own.ne[2] || a.ne[3] != own.ne[3]) {
        fail(a.name, message, shape(own.ne[0], a.ne[1]), a.shape());
    }
    if (b.ne[1] != own.ne[1] || b.ne[2] != own.ne[2] || b.ne[3] != own.ne[3]) {
        fail(b.name, message, shape(b.ne[0], own.ne[1]), b.shape());
    }
    if (a.ne[1] != b.ne[0]) {
        fail(b.name, "has another rank than its partner, of shape " + a.shape(),
             shape(a.ne[1], own.ne[1]), b.shape());
    }
}

// Rows are looked up in A, so that it lies the other way round.
void LoraChecker::check_embedding(const std::string &name, const Pair &pair,
                                  const TensorInfo &own) const {
    const auto flat = [](const TensorInfo &tensor) {
        return tensor.ne[2] == 1 && tensor.ne[3] == 1;
    };
    const auto shape = [](std::int64_t rows, std::int64_t columns) {
        return "[" + std::to_string(rows) + ", " + std::to_string(columns) + "]";
    };
    const TensorInfo &a = *pair.a;
    const TensorInfo &b = *pair.b;
    const std::string message = "does not fit the model's '" + name + "' of shape " + own.shape();
    if (a.ne[1] != own.ne[1] || !flat(a)) {
        fail(a.name, message, shape(a.ne[0], own.ne[1]), a.shape());
    }
    if (b.ne[1] != own.ne[0] || !flat(b)) {
        fail(b.name, message, shape(b.ne[0], own.ne[0]), b.shape());
    }
    if (a.ne[0] != b.ne[0]) {
        fail(b.name, "has another rank than its partner, of shape " + a.shape(),
             shape(a.ne[0], own.ne[0]), b.shape());
    }
}

void LoraChecker::count(const std::string &name, const Pair &pair) {
    ++lora_.n_pairs;
    lora_.size_bytes += pair.a->nbytes + pair.b->nbytes;
    lora_.rank = std::max(lora_.rank, static_cast<std::uint32_t>(pair.b->ne[0]));
    if (const auto layer = layer_of(name)) {
        lora_.layer_first = lora_.layer_first < 0 ? *layer : std::min(lora_.layer_first, *layer);
        lora_.layer_last = std::max(lora_.layer_last, *layer);
    }
}

[[nodiscard]] std::int32_t direction_layer(const TensorInfo &tensor, const AdapterTarget &target) {
    std::string_view number = tensor.name;
    std::int32_t layer = -1;
    bool known = number.starts_with(direction_prefix);
    if (known) {
        number.remove_prefix(direction_prefix.size());
        const auto [end, error] =
            std::from_chars(number.data(), number.data() + number.size(), layer);
        known = error == std::errc() && end == number.data() + number.size();
    }
    if (!known) {
        fail(tensor.name, "is no direction", "a name such as direction.1", shown(tensor.name));
    }
    if (layer < 1 || layer >= target.n_layer) {
        fail(tensor.name,
             layer == 0 ? "is for layer 0, which no control vector changes"
                        : "is for a layer that the model does not have",
             "a layer from 1 to " + std::to_string(target.n_layer - 1), std::to_string(layer));
    }
    return layer;
}

} // namespace

const TensorInfo *AdapterTarget::find(std::string_view name) const noexcept {
    const auto found = std::ranges::lower_bound(tensors, name, {}, &TensorInfo::name);
    return found != tensors.end() && found->name == name ? &*found : nullptr;
}

AdapterKind adapter_kind(const File &file) {
    const Metadata metadata(file, {});
    if (metadata.string(architecture_key).value_or("") == "controlvector") {
        return AdapterKind::control_vector;
    }
    const std::string_view type = metadata.string(type_key).value_or("");
    if (type.empty() && std::ranges::any_of(file.tensors(), is_half)) {
        static_cast<void>(require_string(metadata, type_key));
    }
    if (type != "adapter") {
        refuse_model(type);
    }
    const std::string_view adapter = require_string(metadata, adapter_key);
    if (adapter != "lora") {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "llama.cpp does not have adapters of the type '" + shown(adapter) + "'")
            .parameter(adapter_key)
            .expected("lora")
            .actual(shown(adapter));
    }
    return AdapterKind::lora;
}

Lora check_lora(const File &file, const AdapterTarget &target) {
    return LoraChecker(file, target).run();
}

std::vector<Direction> check_control_vector(const File &file, const AdapterTarget &target) {
    std::vector<Direction> directions;
    for (const TensorInfo &tensor : file.tensors()) {
        const std::int32_t layer = direction_layer(tensor, target);
        if (tensor.type->name != "f32") {
            fail(tensor.name, "is of another type than directions have", "f32",
                 std::string(tensor.type->name));
        }
        if (tensor.ne[0] != target.n_embd ||
            tensor.elements() != static_cast<std::uint64_t>(target.n_embd)) {
            fail(tensor.name, "does not fit the width of the model's hidden states",
                 "[" + std::to_string(target.n_embd) + "]", tensor.shape());
        }
        directions.push_back({&tensor, layer});
    }
    if (directions.empty()) {
        throw Error(MULLAMA_ERROR_BAD_MODEL, "the control vector has no directions")
            .parameter("tensors")
            .expected("tensors such as direction.1")
            .actual("nothing");
    }
    std::ranges::stable_sort(directions, {}, &Direction::layer);
    return directions;
}

} // namespace mullama::core::gguf

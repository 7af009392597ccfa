#include "core/gguf/check_model.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "core/gguf/architecture.hpp"
#include "core/gguf/architecture_rules.hpp"
#include "core/gguf/hyperparameters.hpp"
#include "core/gguf/split.hpp"
#include "core/gguf/tensors.hpp"
#include "core/gguf/vocabulary.hpp"

namespace mullama::core::gguf {

using base::Error;

namespace {

constexpr std::string_view architecture_key = "general.architecture";
constexpr std::string_view type_key = "general.type";

// Other things come as GGUF files too; say so before something of theirs is found missing.
void refuse_other_files(const Metadata &metadata, std::string_view architecture) {
    const Value *value = metadata.value(type_key);
    const std::string_view type =
        value != nullptr && value->type() == ValueType::string ? value->as_string() : "model";
    if (architecture == "clip" || type == "mmproj") {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "the file is a projector for images or sound, which goes with a model; it is "
                    "none itself")
            .parameter(architecture_key)
            .actual(architecture);
    }
    if (type == "adapter") {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "the file is an adapter (LoRA), which goes with a model; it is none itself")
            .parameter(type_key)
            .expected("model")
            .actual(type);
    }
    if (architecture == "controlvector") {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "the file is a control vector, which goes with a model; it is none itself")
            .parameter(architecture_key)
            .actual(architecture);
    }
    if (type == "imatrix") {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, "the file goes with a model; it is none itself")
            .parameter(type_key)
            .actual(type);
    }
}

[[nodiscard]] const Architecture &find_known(std::string_view name, const CheckOptions &options) {
    const Architecture *own = find_architecture(name);
    if (own == nullptr || (options.knows_architecture && !options.knows_architecture(name))) {
        throw Error(MULLAMA_ERROR_UNKNOWN_MODEL,
                    "llama.cpp does not have the architecture '" +
                        base::replace_invalid_utf8(name.substr(0, 64)) + "'")
            .parameter(architecture_key)
            .actual(base::replace_invalid_utf8(name.substr(0, 64)));
    }
    return *own;
}

// Before the hyperparameters, which such files lack too.
void require_tensors(std::span<const File *const> parts) {
    if (std::ranges::all_of(parts, [](const File *part) { return part->tensors().empty(); })) {
        throw Error(MULLAMA_ERROR_BAD_MODEL,
                    "the file has no tensors: it holds a vocabulary only, and can be loaded as one")
            .parameter("token_embd.weight")
            .expected("a tensor")
            .actual("nothing");
    }
}

} // namespace

void check_model(std::span<const File *const> parts, const CheckOptions &options) {
    check_split(parts);
    Metadata metadata(*parts.front(), options.overrides);
    const std::string_view name = metadata.require_string(architecture_key);
    refuse_other_files(metadata, name);
    const Architecture &architecture = find_known(name, options);
    metadata.set_architecture(name);
    const Vocabulary vocabulary = check_vocabulary(metadata);
    if (options.vocab_only) {
        return;
    }
    require_tensors(parts);
    const Hyperparameters hyperparameters = read_hyperparameters(metadata, architecture);
    check_architecture_rules(metadata, hyperparameters);
    check_tensors(parts, metadata, hyperparameters, vocabulary);
}

} // namespace mullama::core::gguf

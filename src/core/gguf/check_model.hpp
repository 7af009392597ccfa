// Whether llama.cpp can load a well-formed file without aborting, dividing by zero or reading past
// an end: the metadata, the vocabulary and the tensors held against each other.
// docs/model-files.md tells users what is checked and what is left.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "core/gguf/file.hpp"
#include "core/gguf/metadata.hpp"

namespace mullama::core::gguf {

struct CheckOptions {
    // Only the vocabulary will be loaded: hyperparameters and tensors may be missing.
    bool vocab_only = false;
    // Will be given to llama.cpp too.
    std::span<const Override> overrides;
    // Whether the engine has this architecture. By default: whether our own table has it.
    std::function<bool(std::string_view)> knows_architecture;
};

// `parts` are the files of one model, the one with the metadata first; check_split() is included.
// Throws MULLAMA_ERROR_UNKNOWN_MODEL for an architecture, tokenizer or pre-tokenizer that llama.cpp
// does not have, MULLAMA_ERROR_UNSUPPORTED for a file that is no language model but another part of
// one, MULLAMA_ERROR_BAD_MODEL for the rest, with the key or tensor as the parameter.
void check_model(std::span<const File *const> parts, const CheckOptions &options);

} // namespace mullama::core::gguf

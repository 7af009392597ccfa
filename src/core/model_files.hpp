// The GGUF files that a model is made of: found, read and checked, before an engine sees them.
#pragma once

#include "backend/port.hpp"
#include "core/gguf/file.hpp"
#include "core/gguf/source.hpp"
#include "core/metadata.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mullama::core {

class ModelFiles {
public:
    // One path: a model in one file, or the first part of a split one, whose others are found by
    // their names. Several: all parts, in order. Throws what opening, reading and checking throw,
    // with the path in the message.
    [[nodiscard]] static ModelFiles open(const std::vector<std::string> &paths);
    // One file's bytes, borrowed.
    [[nodiscard]] static ModelFiles from_memory(std::span<const std::byte> bytes);

    // Throws unless the engine can be trusted with these files and overrides.
    void check(const backend::Backend &backend, const backend::ModelParams &params) const;
    // Runs a check of the first file, and puts its name in front of what that throws.
    void check_first(const std::function<void(const gguf::File &)> &check) const;
    // Throws unless all weights are finite numbers; `between` as check_tensor_values().
    void check_values(const std::function<void()> &between) const;

    // All parts, in order; empty for a file in memory.
    [[nodiscard]] const std::vector<std::string> &paths() const noexcept { return paths_; }
    // What the first part says.
    [[nodiscard]] Metadata metadata(std::span<const backend::MetadataOverride> overrides) const;
    // Of the content, and of what the overrides make of it.
    [[nodiscard]] std::string
    fingerprint(std::span<const backend::MetadataOverride> overrides) const;
    // Whether the engine may use the tensors from a mapping of each file.
    [[nodiscard]] bool mappable() const noexcept;
    // The bytes of all tensors.
    [[nodiscard]] std::uint64_t tensor_bytes() const noexcept;
    [[nodiscard]] const gguf::File &first() const noexcept { return files_.front(); }
    // The tensors of all parts, by name.
    [[nodiscard]] std::vector<gguf::TensorInfo> tensors() const;
    // The data of one of first()'s tensors: nbytes of them.
    void read(const gguf::TensorInfo &tensor, std::span<std::byte> to) const;

private:
    void read(std::unique_ptr<gguf::Source> source, std::string path);
    [[nodiscard]] std::string name(std::size_t part) const;

    std::vector<std::string> paths_;
    std::vector<std::unique_ptr<gguf::Source>> sources_;
    std::vector<gguf::File> files_;
};

} // namespace mullama::core

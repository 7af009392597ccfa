// The contents of one GGUF file but for its tensor data: header, metadata and tensor infos, read
// and checked. A File always describes a well-formed file: every key and tensor name occurs once,
// every tensor has a known type and a possible shape, and its data lies inside the file, aligned,
// where llama.cpp expects it and nobody else's does.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/gguf/source.hpp"
#include "core/gguf/tensor_type.hpp"
#include "core/gguf/value.hpp"

namespace mullama::core::gguf {

struct Entry {
    std::string key;
    Value value;
};

struct TensorInfo {
    std::string name;
    const TensorType *type = nullptr; // never null once parsed
    std::uint32_t n_dims = 0;         // as in the file: 0 to 4
    std::array<std::int64_t, 4> ne{}; // elements along each dimension; 1 past n_dims
    std::uint64_t offset = 0;         // from the start of the tensor data
    std::uint64_t nbytes = 0;

    [[nodiscard]] std::uint64_t elements() const noexcept;
    // "[288, 512]"
    [[nodiscard]] std::string shape() const;
};

class File {
public:
    // Reads all but the tensor data. Throws MULLAMA_ERROR_BAD_FILE with the offset and the key or
    // tensor at fault; what the source throws goes through. Memory stays within a small multiple of
    // the header's size in the file.
    [[nodiscard]] static File parse(const Source &source);

    [[nodiscard]] std::uint32_t version() const noexcept { return version_; }
    [[nodiscard]] std::uint32_t alignment() const noexcept { return alignment_; }
    // Bytes in the whole file.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    // Where in the file the tensor data starts.
    [[nodiscard]] std::uint64_t data_offset() const noexcept { return data_offset_; }
    // Whether llama.cpp can use the tensors in place from a mapping of the file: it needs them
    // aligned to 32 bytes there, and aborts otherwise.
    [[nodiscard]] bool mappable() const noexcept;

    // In the order of the file.
    [[nodiscard]] std::span<const Entry> metadata() const noexcept { return metadata_; }
    [[nodiscard]] std::span<const TensorInfo> tensors() const noexcept { return tensors_; }

    // nullptr where there is none. Borrowed from the file.
    [[nodiscard]] const Value *find(std::string_view key) const noexcept;
    [[nodiscard]] const TensorInfo *find_tensor(std::string_view name) const noexcept;

private:
    friend class FileParser;

    File() = default;

    std::uint32_t version_ = 0;
    std::uint32_t alignment_ = 32;
    std::uint64_t size_ = 0;
    std::uint64_t data_offset_ = 0;
    std::vector<Entry> metadata_;
    std::vector<TensorInfo> tensors_;
    // Positions in the vectors above, by name.
    std::vector<std::uint32_t> metadata_by_key_;
    std::vector<std::uint32_t> tensors_by_name_;
};

} // namespace mullama::core::gguf

#include "core/gguf/fingerprint.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mullama::core::gguf {

namespace {

constexpr std::uint64_t sample_size = 4096;

class Hash {
public:
    Hash() { XXH3_128bits_reset(&state_); }

    void bytes(std::span<const std::byte> data) {
        XXH3_128bits_update(&state_, data.data(), data.size());
    }
    void number(std::uint64_t value) { bytes(std::as_bytes(std::span(&value, 1))); }
    // With the length in front, so that no two sequences of texts hash the same bytes.
    void text(std::string_view value) {
        number(value.size());
        bytes(std::as_bytes(std::span(value)));
    }

    [[nodiscard]] std::string hex() const {
        XXH128_canonical_t canonical;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state_));
        constexpr std::string_view digits = "0123456789abcdef";
        std::string result;
        for (const unsigned char byte : canonical.digest) {
            result += digits[byte >> 4];
            result += digits[byte & 15];
        }
        return result;
    }

private:
    XXH3_state_t state_{};
};

void hash_value(Hash &hash, const Value &value) {
    hash.number(static_cast<std::uint64_t>(value.type()));
    hash.number(static_cast<std::uint64_t>(value.element_type()));
    hash.number(value.count());
    if (value.element_type() == ValueType::string) {
        for (std::uint64_t i = 0; i < value.count(); ++i) {
            hash.text(value.as_string(i));
        }
    } else {
        hash.bytes(value.bytes());
    }
}

[[nodiscard]] bool describes_the_file(std::string_view key) {
    return key.starts_with("split.") || key == "general.alignment";
}

void hash_metadata(Hash &hash, std::span<const Part> parts) {
    std::vector<const Entry *> entries;
    for (const Part &part : parts) {
        for (const Entry &entry : part.file->metadata()) {
            if (!describes_the_file(entry.key)) {
                entries.push_back(&entry);
            }
        }
    }
    std::ranges::sort(entries, {}, &Entry::key);
    hash.number(entries.size());
    for (const Entry *entry : entries) {
        hash.text(entry->key);
        hash_value(hash, entry->value);
    }
}

struct PlacedTensor {
    const TensorInfo *info;
    const Part *part;
};

void hash_data(Hash &hash, const PlacedTensor &tensor) {
    const std::uint64_t start = tensor.part->file->data_offset() + tensor.info->offset;
    const std::uint64_t size = tensor.info->nbytes;
    std::array<std::byte, 3 * sample_size> buffer;
    const auto sample = [&](std::uint64_t at, std::uint64_t length) {
        const auto to = std::span(buffer).first(static_cast<std::size_t>(length));
        tensor.part->source->read(start + at, to);
        hash.bytes(to);
    };
    if (size <= buffer.size()) {
        sample(0, size);
        return;
    }
    sample(0, sample_size);
    sample((size - sample_size) / 2, sample_size);
    sample(size - sample_size, sample_size);
}

void hash_tensors(Hash &hash, std::span<const Part> parts) {
    std::vector<PlacedTensor> tensors;
    for (const Part &part : parts) {
        for (const TensorInfo &info : part.file->tensors()) {
            tensors.push_back({&info, &part});
        }
    }
    std::ranges::sort(tensors, {}, [](const PlacedTensor &tensor) -> const std::string & {
        return tensor.info->name;
    });
    hash.number(tensors.size());
    for (const PlacedTensor &tensor : tensors) {
        hash.text(tensor.info->name);
        hash.number(tensor.info->type->id);
        for (const std::int64_t n : tensor.info->ne) {
            hash.number(static_cast<std::uint64_t>(n));
        }
        hash_data(hash, tensor);
    }
}

} // namespace

std::string fingerprint(std::span<const Part> parts) {
    Hash hash;
    hash.text("mullama model fingerprint 1");
    hash_metadata(hash, parts);
    hash_tensors(hash, parts);
    return hash.hex();
}

} // namespace mullama::core::gguf

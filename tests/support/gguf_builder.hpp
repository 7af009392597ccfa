// Writes GGUF files into memory, byte by byte and without looking at the code under test: good ones
// by default, and broken ones by overriding what a field says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mullama::test {

class Bytes {
public:
    template <class Number>
    Bytes &put(Number value) {
        const auto *first = reinterpret_cast<const std::byte *>(&value);
        data_.insert(data_.end(), first, first + sizeof value);
        return *this;
    }
    Bytes &raw(std::string_view text) {
        const auto *first = reinterpret_cast<const std::byte *>(text.data());
        data_.insert(data_.end(), first, first + text.size());
        return *this;
    }
    Bytes &text(std::string_view value) { return put<std::uint64_t>(value.size()).raw(value); }
    Bytes &append(const Bytes &other) {
        data_.insert(data_.end(), other.data_.begin(), other.data_.end());
        return *this;
    }
    Bytes &pad(std::size_t alignment) {
        data_.resize((data_.size() + alignment - 1) / alignment * alignment);
        return *this;
    }
    [[nodiscard]] std::size_t size() const { return data_.size(); }
    [[nodiscard]] const std::vector<std::byte> &data() const { return data_; }

private:
    std::vector<std::byte> data_;
};

template <class Number>
inline constexpr std::uint32_t gguf_type_of = 0xffffffff;
template <>
inline constexpr std::uint32_t gguf_type_of<std::uint8_t> = 0;
template <>
inline constexpr std::uint32_t gguf_type_of<std::int8_t> = 1;
template <>
inline constexpr std::uint32_t gguf_type_of<std::uint16_t> = 2;
template <>
inline constexpr std::uint32_t gguf_type_of<std::int16_t> = 3;
template <>
inline constexpr std::uint32_t gguf_type_of<std::uint32_t> = 4;
template <>
inline constexpr std::uint32_t gguf_type_of<std::int32_t> = 5;
template <>
inline constexpr std::uint32_t gguf_type_of<float> = 6;
template <>
inline constexpr std::uint32_t gguf_type_of<bool> = 7;
template <>
inline constexpr std::uint32_t gguf_type_of<std::uint64_t> = 10;
template <>
inline constexpr std::uint32_t gguf_type_of<std::int64_t> = 11;
template <>
inline constexpr std::uint32_t gguf_type_of<double> = 12;

struct BuiltTensor {
    std::string name;
    std::uint32_t type = 0; // f32
    std::vector<std::uint64_t> dims;
    std::uint64_t nbytes = 0;
    std::optional<std::uint64_t> offset; // what the info says, where not the right one
};

class GgufBuilder {
public:
    template <class Number>
        requires std::is_arithmetic_v<Number>
    GgufBuilder &set(const std::string &key, Number value) {
        Bytes bytes;
        bytes.put(gguf_type_of<Number>).put(value);
        return set_raw(key, bytes);
    }
    GgufBuilder &set(const std::string &key, std::string_view value) {
        Bytes bytes;
        bytes.put<std::uint32_t>(8).text(value);
        return set_raw(key, bytes);
    }
    GgufBuilder &set(const std::string &key, const char *value) {
        return set(key, std::string_view(value));
    }
    template <class Number>
    GgufBuilder &set(const std::string &key, const std::vector<Number> &values) {
        Bytes bytes;
        bytes.put<std::uint32_t>(9)
            .put(gguf_type_of<Number>)
            .template put<std::uint64_t>(values.size());
        for (const Number value : values) {
            bytes.put<Number>(value);
        }
        return set_raw(key, bytes);
    }
    GgufBuilder &set(const std::string &key, const std::vector<std::string> &values) {
        Bytes bytes;
        bytes.put<std::uint32_t>(9).put<std::uint32_t>(8).put<std::uint64_t>(values.size());
        for (const std::string &value : values) {
            bytes.text(value);
        }
        return set_raw(key, bytes);
    }
    // The type and the value as the file should have them.
    GgufBuilder &set_raw(const std::string &key, const Bytes &typed_value) {
        for (auto &[name, value] : metadata_) {
            if (name == key) {
                value = typed_value;
                return *this;
            }
        }
        return append_raw(key, typed_value);
    }
    // The same, though the key may be there already.
    GgufBuilder &append_raw(const std::string &key, const Bytes &typed_value) {
        metadata_.emplace_back(key, typed_value);
        return *this;
    }
    GgufBuilder &remove(const std::string &key) {
        std::erase_if(metadata_, [&](const auto &entry) { return entry.first == key; });
        return *this;
    }

    // f32 unless its size in bytes is given.
    GgufBuilder &tensor(std::string name, std::vector<std::uint64_t> dims, std::uint32_t type = 0,
                        std::uint64_t nbytes = 0) {
        if (nbytes == 0) {
            nbytes = sizeof(float);
            for (const std::uint64_t n : dims) {
                nbytes *= n;
            }
        }
        tensors_.push_back({std::move(name), type, std::move(dims), nbytes, std::nullopt});
        return *this;
    }
    GgufBuilder &remove_tensor(const std::string &name) {
        std::erase_if(tensors_, [&](const BuiltTensor &tensor) { return tensor.name == name; });
        return *this;
    }
    [[nodiscard]] BuiltTensor &tensor_at(std::size_t index) { return tensors_.at(index); }
    [[nodiscard]] BuiltTensor &tensor_named(const std::string &name) {
        for (BuiltTensor &tensor : tensors_) {
            if (tensor.name == name) {
                return tensor;
            }
        }
        return tensors_.at(tensors_.size());
    }

    GgufBuilder &version(std::uint32_t value) {
        version_ = value;
        return *this;
    }
    // Sets "general.alignment" too.
    GgufBuilder &alignment(std::uint32_t value) {
        alignment_ = value;
        return set("general.alignment", value);
    }
    GgufBuilder &claim_tensors(std::uint64_t count) {
        claimed_tensors_ = count;
        return *this;
    }
    GgufBuilder &claim_entries(std::uint64_t count) {
        claimed_entries_ = count;
        return *this;
    }
    // What byte a tensor's data is filled with; each has its own by default.
    GgufBuilder &fill(const std::string &name, std::uint8_t byte) {
        fill_[name] = byte;
        return *this;
    }

    [[nodiscard]] std::vector<std::byte> build() const {
        Bytes out;
        out.raw("GGUF").put(version_);
        out.put(claimed_tensors_.value_or(tensors_.size()));
        out.put(claimed_entries_.value_or(metadata_.size()));
        for (const auto &[key, value] : metadata_) {
            out.text(key).append(value);
        }
        std::uint64_t offset = 0;
        for (const BuiltTensor &tensor : tensors_) {
            out.text(tensor.name).put(static_cast<std::uint32_t>(tensor.dims.size()));
            for (const std::uint64_t n : tensor.dims) {
                out.put(n);
            }
            out.put(tensor.type).put(tensor.offset.value_or(offset));
            offset += (tensor.nbytes + alignment_ - 1) / alignment_ * alignment_;
        }
        if (!tensors_.empty()) {
            out.pad(alignment_);
        }
        for (const BuiltTensor &tensor : tensors_) {
            out.pad(alignment_);
            const auto own = fill_.find(tensor.name);
            const auto byte =
                own == fill_.end()
                    ? static_cast<char>(static_cast<int>(tensor.name.size()) + tensor.name.back())
                    : static_cast<char>(own->second);
            out.raw(std::string(static_cast<std::size_t>(tensor.nbytes), byte));
        }
        return out.data();
    }

private:
    std::uint32_t version_ = 3;
    std::uint64_t alignment_ = 32;
    std::optional<std::uint64_t> claimed_tensors_;
    std::optional<std::uint64_t> claimed_entries_;
    std::vector<std::pair<std::string, Bytes>> metadata_;
    std::vector<BuiltTensor> tensors_;
    std::map<std::string, std::uint8_t> fill_;
};

} // namespace mullama::test

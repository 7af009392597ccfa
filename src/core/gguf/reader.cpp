#include "core/gguf/reader.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"

namespace mullama::core::gguf {

using base::Error;

namespace {

// Large enough that a vocabulary of 262,144 tokens takes a few dozen reads.
constexpr std::uint64_t buffer_size = 256U << 10U;

// A block that a file only claims to have (a sparse file can claim anything) is read in steps, so
// that memory grows with what was really there.
constexpr std::uint64_t step_size = 16U << 20U;

// llama.cpp's own limit for a text.
constexpr std::uint64_t max_string_size = std::uint64_t{1} << 30;

} // namespace

Reader::Reader(const Source &source) : source_(source), size_(source.size()) {
}

void Reader::require(std::uint64_t count, std::uint64_t each, std::string_view what) const {
    if (count <= remaining() / each) {
        return;
    }
    throw Error(MULLAMA_ERROR_BAD_FILE,
                "the GGUF file is truncated or corrupt: it ends before " + std::string(what))
        .parameter(subject_)
        .offset(static_cast<std::int64_t>(position_))
        .expected(each == 1 ? std::to_string(count) + " more bytes"
                            : std::to_string(count) + " entries of at least " +
                                  std::to_string(each) + " bytes")
        .actual(std::to_string(remaining()) + " bytes left");
}

// Up to `most` of the bytes that come next, at least one; borrowed until the next call.
std::span<const std::byte> Reader::next(std::uint64_t most) {
    if (position_ < buffer_start_ || position_ >= buffer_start_ + buffer_.size()) {
        buffer_.resize(static_cast<std::size_t>(std::min(buffer_size, remaining())));
        buffer_start_ = position_;
        source_.read(position_, buffer_);
    }
    const auto from = std::span<const std::byte>(buffer_).subspan(
        static_cast<std::size_t>(position_ - buffer_start_));
    const auto part =
        from.first(static_cast<std::size_t>(std::min<std::uint64_t>(from.size(), most)));
    position_ += part.size();
    return part;
}

void Reader::read(std::span<std::byte> to) {
    while (!to.empty()) {
        const auto from = next(to.size());
        std::memcpy(to.data(), from.data(), from.size());
        to = to.subspan(from.size());
    }
}

std::uint32_t Reader::u32(std::string_view what) {
    require(sizeof(std::uint32_t), 1, what);
    std::uint32_t value = 0;
    read(std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

std::uint64_t Reader::u64(std::string_view what) {
    require(sizeof(std::uint64_t), 1, what);
    std::uint64_t value = 0;
    read(std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

std::vector<std::byte> Reader::bytes(std::uint64_t size, std::string_view what) {
    require(size, 1, what);
    std::vector<std::byte> result;
    while (result.size() < size) {
        const std::size_t begin = result.size();
        const std::uint64_t step = std::min(step_size, size - begin);
        result.resize(begin + static_cast<std::size_t>(step));
        read(std::span(result).subspan(begin));
    }
    return result;
}

void Reader::append_string(std::string &text, std::string_view what) {
    const std::uint64_t start = position_;
    const std::uint64_t size = u64(what);
    if (size > max_string_size) {
        throw Error(MULLAMA_ERROR_BAD_FILE,
                    "the GGUF file is corrupt: impossible length of " + std::string(what))
            .parameter(subject_)
            .offset(static_cast<std::int64_t>(start))
            .expected("at most " + std::to_string(max_string_size) + " bytes")
            .actual(size);
    }
    require(size, 1, what);
    for (std::uint64_t left = size; left > 0;) {
        const auto from = next(left);
        text.append(reinterpret_cast<const char *>(from.data()), from.size());
        left -= from.size();
    }
}

} // namespace mullama::core::gguf

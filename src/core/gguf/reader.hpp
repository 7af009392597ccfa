// Reads a source from front to back through a buffer. Never reads past the end: what a file claims
// to hold is compared with what is left of it before anything is allocated for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/gguf/source.hpp"

namespace mullama::core::gguf {

class Reader {
public:
    explicit Reader(const Source &source);

    [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint64_t remaining() const noexcept { return size_ - position_; }

    // The key or tensor that is being read, for errors; "" for none.
    void set_subject(std::string_view name) { subject_ = name; }

    // Throws MULLAMA_ERROR_BAD_FILE unless `count` more things of at least `each` bytes fit the
    // rest of the file; `what` is their name in the message.
    void require(std::uint64_t count, std::uint64_t each, std::string_view what) const;

    [[nodiscard]] std::uint32_t u32(std::string_view what);
    [[nodiscard]] std::uint64_t u64(std::string_view what);
    [[nodiscard]] std::vector<std::byte> bytes(std::uint64_t size, std::string_view what);

    // A text with its length in front of it. Appended to `text`.
    void append_string(std::string &text, std::string_view what);

private:
    [[nodiscard]] std::span<const std::byte> next(std::uint64_t most);
    void read(std::span<std::byte> to);

    const Source &source_;
    std::string subject_;
    std::uint64_t size_;
    std::uint64_t position_ = 0;
    std::vector<std::byte> buffer_;
    std::uint64_t buffer_start_ = 0; // where in the source the buffer begins
};

} // namespace mullama::core::gguf

// Where the bytes of a GGUF file come from: a file, a mapping, memory, a part of any of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mullama::core::gguf {

class Source {
public:
    Source() = default;
    Source(const Source &) = delete;
    Source &operator=(const Source &) = delete;
    virtual ~Source() = default;

    [[nodiscard]] virtual std::uint64_t size() const = 0;

    // Fills all of `to` with the bytes from `offset` on, or throws. Callers never ask past size().
    virtual void read(std::uint64_t offset, std::span<std::byte> to) const = 0;
};

// Bytes in memory, borrowed for as long as the source lives.
class SpanSource final : public Source {
public:
    explicit SpanSource(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

    [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
    void read(std::uint64_t offset, std::span<std::byte> to) const override;

private:
    std::span<const std::byte> bytes_;
};

} // namespace mullama::core::gguf

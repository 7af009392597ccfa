#include "core/tensor_values.hpp"

#include "base/error.hpp"
#include "platform/system_error.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::core {
namespace {

using base::Error;

// How the numbers that could be none are written.
enum class Format : std::uint8_t {
    f16,
    bf16,
    f32,
    f64,
    e8m0,  // an exponent of 8 bits, of which one value is no number
    iq1_m, // 16 bits, four in each of the words at `first`
};

// Where they stand in a block of a tensor type. Types that are not here cannot hold any: whole
// numbers, and nvfp4, whose scales are numbers whatever their bits.
struct Layout {
    std::string_view type;
    Format format;
    std::uint32_t first;
    std::optional<std::uint32_t> second = std::nullopt;
};

constexpr std::array layouts{
    Layout{"f32", Format::f32, 0},       Layout{"f16", Format::f16, 0},
    Layout{"bf16", Format::bf16, 0},     Layout{"f64", Format::f64, 0},
    Layout{"q1_0", Format::f16, 0},      Layout{"q2_0", Format::f16, 0},
    Layout{"q4_0", Format::f16, 0},      Layout{"q4_1", Format::f16, 0, 2},
    Layout{"q5_0", Format::f16, 0},      Layout{"q5_1", Format::f16, 0, 2},
    Layout{"q8_0", Format::f16, 0},      Layout{"q8_1", Format::f16, 0, 2},
    Layout{"q2_K", Format::f16, 80, 82}, Layout{"q3_K", Format::f16, 108},
    Layout{"q4_K", Format::f16, 0, 2},   Layout{"q5_K", Format::f16, 0, 2},
    Layout{"q6_K", Format::f16, 208},    Layout{"q8_K", Format::f32, 0},
    Layout{"tq1_0", Format::f16, 52},    Layout{"tq2_0", Format::f16, 64},
    Layout{"iq1_s", Format::f16, 0},     Layout{"iq1_m", Format::iq1_m, 48},
    Layout{"iq2_xxs", Format::f16, 0},   Layout{"iq2_xs", Format::f16, 0},
    Layout{"iq2_s", Format::f16, 0},     Layout{"iq3_xxs", Format::f16, 0},
    Layout{"iq3_s", Format::f16, 0},     Layout{"iq4_nl", Format::f16, 0},
    Layout{"iq4_xs", Format::f16, 0},    Layout{"mxfp4", Format::e8m0, 0},
};

template <class Bits>
Bits load(const std::byte *bytes) noexcept {
    Bits bits = 0;
    std::memcpy(&bits, bytes, sizeof bits);
    return bits;
}

// A floating-point number is finite unless all bits of its exponent are set.
template <class Bits, Bits exponent>
bool all_finite(const std::byte *blocks, std::size_t count, std::size_t stride) noexcept {
    bool finite = true;
    for (std::size_t i = 0; i < count; ++i)
        finite &= (load<Bits>(blocks + i * stride) & exponent) != exponent;
    return finite;
}

bool all_finite_iq1_m(const std::byte *blocks, std::size_t count, std::size_t stride) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        std::array<std::uint16_t, 4> words{};
        std::memcpy(words.data(), blocks + i * stride, sizeof words);
        const unsigned scale = (words[0] >> 12u) | ((words[1] >> 8u) & 0x00F0u) |
                               ((words[2] >> 4u) & 0x0F00u) | (words[3] & 0xF000u);
        if ((scale & 0x7C00u) == 0x7C00u)
            return false;
    }
    return true;
}

bool all_finite(Format format, const std::byte *blocks, std::size_t count,
                std::size_t stride) noexcept {
    switch (format) {
    case Format::f16:
        return all_finite<std::uint16_t, 0x7C00>(blocks, count, stride);
    case Format::bf16:
        return all_finite<std::uint16_t, 0x7F80>(blocks, count, stride);
    case Format::f32:
        return all_finite<std::uint32_t, 0x7F800000>(blocks, count, stride);
    case Format::f64:
        return all_finite<std::uint64_t, 0x7FF0000000000000>(blocks, count, stride);
    case Format::e8m0:
        return all_finite<std::uint8_t, 0xFF>(blocks, count, stride);
    case Format::iq1_m:
        break;
    }
    return all_finite_iq1_m(blocks, count, stride);
}

// The first of these blocks with a value that is not finite; nothing where all are.
std::optional<std::size_t> find_not_finite(const Layout &layout, std::span<const std::byte> blocks,
                                           std::size_t stride) {
    const auto finite = [&](std::size_t begin, std::size_t count) {
        const std::byte *const from = blocks.data() + begin * stride;
        return all_finite(layout.format, from + layout.first, count, stride) &&
               (!layout.second || all_finite(layout.format, from + *layout.second, count, stride));
    };
    const std::size_t count = blocks.size() / stride;
    if (finite(0, count))
        return std::nullopt;
    std::size_t block = 0;
    while (finite(block, 1))
        ++block;
    return block;
}

void check_tensor(const gguf::TensorInfo &tensor, const Layout &layout, std::uint64_t begin,
                  const gguf::Source &source, std::vector<std::byte> &buffer,
                  const std::function<void()> &between) {
    const std::size_t stride = tensor.type->block_bytes;
    const std::size_t whole_blocks = buffer.size() / stride * stride;
    for (std::uint64_t done = 0; done < tensor.nbytes;) {
        between();
        const std::span piece(buffer.data(), static_cast<std::size_t>(std::min<std::uint64_t>(
                                                 whole_blocks, tensor.nbytes - done)));
        source.read(begin + done, piece);
        if (const auto block = find_not_finite(layout, piece, stride)) {
            const std::uint64_t offset = done + *block * stride;
            const std::uint64_t element = offset / stride * tensor.type->block_elements;
            throw Error(MULLAMA_ERROR_BAD_MODEL,
                        "tensor " + platform::quoted(tensor.name) +
                            " holds a value that is not a finite number at element " +
                            std::to_string(element) +
                            (tensor.type->block_elements > 1 ? " or those after it" : ""))
                .parameter(tensor.name)
                .expected("finite numbers")
                .actual("an infinity, or what is no number")
                .offset(static_cast<std::int64_t>(begin + offset));
        }
        done += piece.size();
    }
}

} // namespace

void check_tensor_values(const gguf::File &file, const gguf::Source &source,
                         const std::function<void()> &between) {
    std::vector<std::byte> buffer(std::size_t{4} << 20);
    for (const gguf::TensorInfo &tensor : file.tensors()) {
        const auto *const layout = std::ranges::find(layouts, tensor.type->name, &Layout::type);
        if (layout != layouts.end())
            check_tensor(tensor, *layout, file.data_offset() + tensor.offset, source, buffer,
                         between);
    }
}

} // namespace mullama::core

#include "core/gguf/source.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mullama::core::gguf {

void SpanSource::read(std::uint64_t offset, std::span<std::byte> to) const {
    if (offset > bytes_.size() || to.size() > bytes_.size() - offset) {
        throw base::Error(MULLAMA_ERROR_INTERNAL, "a read past the end of a GGUF file in memory");
    }
    std::ranges::copy(bytes_.subspan(static_cast<std::size_t>(offset), to.size()), to.begin());
}

} // namespace mullama::core::gguf

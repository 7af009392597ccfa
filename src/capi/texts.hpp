// Lists of texts of the caller's: pointers, and lengths or NULL for NUL-terminated ones.
#pragma once

#include "base/error.hpp"
#include "capi/guard.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mullama::capi {

// Text `index` of a list that is not NULL: UTF-8, not empty. `parameter`: the list's name.
[[nodiscard]] inline std::string_view full_text_at(const char *const *texts,
                                                   const std::size_t *sizes, std::size_t index,
                                                   std::string_view parameter) {
    const std::string name = std::string(parameter) + "[" + std::to_string(index) + "]";
    const std::string_view found =
        sizes == nullptr ? c_text(texts[index], name) : text(texts[index], sizes[index], name);
    if (found.empty()) {
        throw base::Error(MULLAMA_ERROR_INVALID_ARGUMENT, name + " is empty")
            .parameter(name)
            .expected("at least one character")
            .actual("an empty string")
            .offset(static_cast<std::int64_t>(index));
    }
    return found;
}

} // namespace mullama::capi

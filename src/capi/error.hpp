// Error objects.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

// Only looks at text; it can live in static memory and needs no destructor there. All texts are
// NUL-terminated.
struct mullama_error {
    mullama_error_code_t code = MULLAMA_ERROR_INTERNAL;
    bool retryable = false;
    std::string_view message = "";
    std::string_view parameter = "";
    std::string_view expected = "";
    std::string_view actual = "";
    std::string_view log = "";
    std::int64_t offset = -1;
    std::int64_t line = 0;
    std::int64_t column = 0;
    const mullama_error *cause = nullptr;
};

namespace mullama::capi {

// An object for the caller. Throws std::bad_alloc.
[[nodiscard]] mullama_error_t *new_error(const base::Error &error);

// The object that stands for every failure to allocate; mullama_error_free() leaves it alone.
[[nodiscard]] mullama_error_t *out_of_memory() noexcept;

} // namespace mullama::capi

// Lists of texts as C has them: pointers, and perhaps sizes.
#pragma once

#include "capi/guard.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mullama::capi {

// `sizes`: NULL where the texts are NUL-terminated. Errors name "texts[2]".
[[nodiscard]] std::vector<std::string_view> text_list(const char *const *texts,
                                                      const std::size_t *sizes, std::size_t count,
                                                      const std::string &parameter);

// The same, and none of them is empty.
[[nodiscard]] std::vector<std::string_view> full_text_list(const char *const *texts,
                                                           const std::size_t *sizes,
                                                           std::size_t count,
                                                           const std::string &parameter);

// Throws MULLAMA_ERROR_OUT_OF_RANGE unless the caller's buffer of numbers has the size that is
// needed.
void require_room(const float *numbers, std::size_t count, std::size_t needed,
                  std::string_view parameter);

} // namespace mullama::capi

#include "platform/path.hpp"

#include <algorithm>

namespace mullama::platform {

NativePath to_native_path(std::string_view path) {
    return NativePath(path);
}

bool is_separator(char c) noexcept {
    return c == '/';
}

std::size_t root_size(std::string_view path) noexcept {
    return std::min(path.find_first_not_of('/'), path.size());
}

} // namespace mullama::platform

// Saved states in files.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

namespace mullama::core {

// Calls `use` with the file's bytes, mapped. What is wrong with them names the parameter "path".
void with_state_file(std::string_view path,
                     const std::function<void(std::span<const std::byte>)> &use);

// Writes a file beside its place and renames it when it is whole.
void write_state_file(std::string_view path, std::string_view state);

} // namespace mullama::core

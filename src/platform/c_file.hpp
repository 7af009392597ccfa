// C's FILE over a handle, for libraries that read through one.
#pragma once

#include "platform/file.hpp"

#include <cstdio>
#include <memory>
#include <string_view>

namespace mullama::platform {

struct CloseCFile {
    void operator()(std::FILE *file) const noexcept { static_cast<void>(std::fclose(file)); }
};

using CFile = std::unique_ptr<std::FILE, CloseCFile>;

// Makes a C file of a handle that can be read, from where the handle stands. `path` is for the
// error.
[[nodiscard]] CFile to_c_file(Handle handle, std::string_view path);

// Opens a regular file, binary and read only. Refuses what File::open() refuses, and child
// processes don't inherit it, unlike what fopen() opens.
[[nodiscard]] CFile open_c_file(std::string_view path);

} // namespace mullama::platform

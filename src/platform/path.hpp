// Paths: UTF-8 everywhere in the library, the system's own form only where the system is called.
//
// On Windows '\' and '/' both separate, drives and network shares are roots, and a path must be
// UTF-8. On POSIX systems only '/' separates, and a path is bytes: what isn't UTF-8 is kept.
// Taking paths apart looks at the text alone, never at the disk.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mullama::platform {

#ifdef _WIN32
using NativePath = std::wstring;
#else
using NativePath = std::string;
#endif

// The system's form of a path. Throws MULLAMA_ERROR_INVALID_ARGUMENT for an empty path and for one
// with a NUL in it (with its offset), and on Windows MULLAMA_ERROR_INVALID_UTF8. On Windows a path
// that is too long for the older interfaces comes out absolute, in the form without that limit.
[[nodiscard]] NativePath native_path(std::string_view path);

// The step of native_path() that differs between systems: `path` has been checked for NUL.
[[nodiscard]] NativePath to_native_path(std::string_view path);

// Whether `c` separates folders.
[[nodiscard]] bool is_separator(char c) noexcept;

// The size of the root that a path starts with: "/", "C:", "C:\" or "\\server\share\"; 0 without.
[[nodiscard]] std::size_t root_size(std::string_view path) noexcept;

// The last part: "b.gguf" of "a/b.gguf", "b" of "a/b/", "" of "/".
[[nodiscard]] std::string_view file_name(std::string_view path) noexcept;

// All but the last part and the separators around it: "a" of "a/b.gguf", "/" of "/a" and of "/",
// "" of "a". join(parent_path(p), file_name(p)) names what p names.
[[nodiscard]] std::string_view parent_path(std::string_view path) noexcept;

// The end of the file name from its last dot on: ".gguf". "" without one, and for a name whose only
// dot is its first character.
[[nodiscard]] std::string_view extension(std::string_view path) noexcept;

// The file name without its extension.
[[nodiscard]] std::string_view stem(std::string_view path) noexcept;

// `path` as seen from `folder`: `path` itself when it has a root or `folder` is empty.
[[nodiscard]] std::string join(std::string_view folder, std::string_view path);

} // namespace mullama::platform

#include "platform/path.hpp"

#include "base/error.hpp"

#include <cstdint>

namespace mullama::platform {
namespace {

// Where the file name starts and ends.
struct Name {
    std::size_t begin;
    std::size_t end;
};

Name find_name(std::string_view path) noexcept {
    const std::size_t root = root_size(path);
    std::size_t end = path.size();
    while (end > root && is_separator(path[end - 1]))
        --end;
    std::size_t begin = end;
    while (begin > root && !is_separator(path[begin - 1]))
        --begin;
    return {begin, end};
}

} // namespace

NativePath native_path(std::string_view path) {
    if (path.empty())
        throw base::Error(MULLAMA_ERROR_INVALID_ARGUMENT, "the path is empty").parameter("path");
    const std::size_t nul = path.find('\0');
    if (nul != std::string_view::npos) {
        throw base::Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                          "the path has a NUL character at offset " + std::to_string(nul) +
                              ", which no file name can hold")
            .parameter("path")
            .offset(static_cast<std::int64_t>(nul));
    }
    return to_native_path(path);
}

std::string_view file_name(std::string_view path) noexcept {
    const Name name = find_name(path);
    return path.substr(name.begin, name.end - name.begin);
}

std::string_view parent_path(std::string_view path) noexcept {
    const std::size_t root = root_size(path);
    std::size_t end = find_name(path).begin;
    while (end > root && is_separator(path[end - 1]))
        --end;
    return path.substr(0, end);
}

std::string_view extension(std::string_view path) noexcept {
    const std::string_view name = file_name(path);
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || name == "..")
        return {};
    return name.substr(dot);
}

std::string_view stem(std::string_view path) noexcept {
    std::string_view name = file_name(path);
    name.remove_suffix(extension(path).size());
    return name;
}

std::string join(std::string_view folder, std::string_view path) {
    if (folder.empty() || root_size(path) > 0)
        return std::string(path);
    std::string joined(folder);
    // "C:" alone is the drive's current folder: a separator would make it the drive's root.
    const bool drive_alone = folder.back() == ':' && root_size(folder) == folder.size();
    if (!path.empty() && !is_separator(folder.back()) && !drive_alone)
        joined += '/';
    joined += path;
    return joined;
}

} // namespace mullama::platform

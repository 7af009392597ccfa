// Models cut into several files: "model-00001-of-00003.gguf" and so on, as llama.cpp's gguf-split
// writes them. The first part holds the metadata; each part holds some of the tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/gguf/file.hpp"

namespace mullama::core::gguf {

struct SplitInfo {
    std::uint32_t number = 0; // of this part, from 0
    std::uint32_t count = 1;  // parts in all
};

// What a file says about the parts it belongs to; nothing for a model in one file. Throws
// MULLAMA_ERROR_BAD_MODEL for what makes no sense, or what llama.cpp would abort on.
[[nodiscard]] std::optional<SplitInfo> split_info(const File &file);

// The names of all parts, in order, from the name or path of the first. Throws
// MULLAMA_ERROR_BAD_FILE when it is not the first part, or not named as llama.cpp insists: it finds
// the other parts by these names only.
[[nodiscard]] std::vector<std::string> split_names(std::string_view first, const SplitInfo &info);

// Whether these files, in this order, are the parts of one model: as many as the first says, each
// in its place, no tensor twice and none missing. One file that is no part passes. Throws
// MULLAMA_ERROR_BAD_MODEL.
void check_split(std::span<const File *const> parts);

} // namespace mullama::core::gguf

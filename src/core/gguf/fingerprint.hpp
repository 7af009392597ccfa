// What a model is, whatever its file is called and however it is cut or padded.
#pragma once

#include <span>
#include <string>

#include "core/gguf/file.hpp"
#include "core/gguf/source.hpp"

namespace mullama::core::gguf {

struct Part {
    const File *file;
    const Source *source;
};

// 128 bits of XXH3, as 32 hexadecimal digits, over
//   - all metadata but "split.*" and "general.alignment", by key;
//   - name, type and shape of all tensors, by name;
//   - of each tensor's data the first, the middle and the last 4 KiB (all of it up to 12 KiB).
// The same for a model in one file or in many, with any alignment. Two models that differ only in
// bytes that are not sampled get the same fingerprint: it tells models apart, it does not protect
// from forgery.
[[nodiscard]] std::string fingerprint(std::span<const Part> parts);

} // namespace mullama::core::gguf

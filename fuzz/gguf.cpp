// Any bytes at all, read as a GGUF file: parsed, checked in both modes, fingerprinted, shown. What
// is wrong with them comes back as an error; anything else is a bug.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "base/error.hpp"
#include "core/gguf/check_model.hpp"
#include "core/gguf/file.hpp"
#include "core/gguf/fingerprint.hpp"
#include "core/gguf/split.hpp"

namespace {

using namespace mullama::core::gguf;
using mullama::base::Error;

// An error must say something, and its offset must lie in the file.
void require_useful(const Error &error, std::size_t size) {
    if (error.message().empty() || error.code() == MULLAMA_ERROR_INTERNAL ||
        error.parts().offset > static_cast<std::int64_t>(size)) {
        std::abort();
    }
}

void check(const File &file, bool vocab_only, std::size_t size) {
    const File *part = &file;
    CheckOptions options;
    options.vocab_only = vocab_only;
    try {
        check_model({&part, 1}, options);
    } catch (const Error &error) {
        require_useful(error, size);
    }
}

void use(const File &file, const Source &source, std::size_t size) {
    check(file, false, size);
    check(file, true, size);
    const Part part{&file, &source};
    if (fingerprint({&part, 1}).size() != 32) {
        std::abort();
    }
    std::size_t shown = 0;
    for (const Entry &entry : file.metadata()) {
        shown += entry.value.to_text().size() + entry.value.description().size();
        if (file.find(entry.key) != &entry.value) {
            std::abort();
        }
    }
    for (const TensorInfo &tensor : file.tensors()) {
        shown += tensor.shape().size();
        if (file.find_tensor(tensor.name) != &tensor ||
            file.data_offset() + tensor.offset + tensor.nbytes > size) {
            std::abort();
        }
    }
    if (shown == 0 && !file.metadata().empty()) {
        std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const SpanSource source(std::as_bytes(std::span(data, size)));
    try {
        const File file = File::parse(source);
        use(file, source, size);
    } catch (const Error &error) {
        require_useful(error, size);
    }
    return 0;
}

#include "backend/llama/tensor_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <ggml.h>
#include <gguf.h>

#include "backend/llama/log.hpp"
#include "base/error.hpp"
#include "platform/file.hpp"
#include "platform/system_error.hpp"

namespace mullama::backend::llama {

using base::Error;

namespace {

struct FreeMetadata {
    void operator()(gguf_context *metadata) const noexcept { gguf_free(metadata); }
};
struct FreeTensors {
    void operator()(ggml_context *tensors) const noexcept { ggml_free(tensors); }
};

// Turns a row as it is stored into numbers; scratch memory that is used for all rows.
class Row {
public:
    void resize(const ggml_tensor &tensor) {
        stored_.resize(ggml_row_size(tensor.type, tensor.ne[0]));
        numbers_.resize(static_cast<std::size_t>(tensor.ne[0]));
    }

    [[nodiscard]] std::span<std::byte> stored() noexcept { return stored_; }

    // The first number that is none; -1 without.
    [[nodiscard]] std::ptrdiff_t find_bad(const ggml_type_traits &traits, ggml_type type) {
        const float *numbers = reinterpret_cast<const float *>(stored_.data());
        if (type != GGML_TYPE_F32) {
            traits.to_float(stored_.data(), numbers_.data(),
                            static_cast<std::int64_t>(numbers_.size()));
            numbers = numbers_.data();
        }
        const std::span all(numbers, numbers_.size());
        const auto bad = std::ranges::find_if_not(all, [](float n) { return std::isfinite(n); });
        return bad == all.end() ? -1 : bad - all.begin();
    }

private:
    std::vector<std::byte> stored_;
    std::vector<float> numbers_;
};

void check_tensor(const platform::File &file, const ggml_tensor &tensor, std::uint64_t begin,
                  Row &row) {
    const ggml_type_traits &traits = *ggml_get_type_traits(tensor.type);
    if (tensor.type != GGML_TYPE_F32 && traits.to_float == nullptr) {
        // Whole numbers: all of them are numbers.
        return;
    }
    row.resize(tensor);
    const std::int64_t n_rows = ggml_nrows(&tensor);
    for (std::int64_t i = 0; i < n_rows; ++i) {
        const std::uint64_t offset = begin + static_cast<std::uint64_t>(i) * row.stored().size();
        if (file.read(offset, row.stored()) != row.stored().size()) {
            throw Error(MULLAMA_ERROR_BAD_FILE, "the file " + platform::quoted(file.path()) +
                                                    " ends within the tensor '" + tensor.name + "'")
                .offset(static_cast<std::int64_t>(file.size()));
        }
        if (const std::ptrdiff_t bad = row.find_bad(traits, tensor.type); bad >= 0) {
            throw Error(MULLAMA_ERROR_BAD_MODEL,
                        "the tensor '" + std::string(tensor.name) + "' in " +
                            platform::quoted(file.path()) +
                            " has a value that is not a finite number: number " +
                            std::to_string(bad) + " of row " + std::to_string(i))
                .offset(static_cast<std::int64_t>(offset));
        }
    }
}

void check_file(const std::string &path, const std::function<bool()> &go_on) {
    const platform::File file = platform::File::open(path);
    const LogCapture capture;
    ggml_context *created = nullptr;
    const gguf_init_params params{true, &created};
    const std::unique_ptr<gguf_context, FreeMetadata> metadata(
        gguf_init_from_file(path.c_str(), params));
    const std::unique_ptr<ggml_context, FreeTensors> tensors(created);
    if (!metadata) {
        throw Error(MULLAMA_ERROR_BAD_FILE, "llama.cpp cannot read " + platform::quoted(path))
            .log(capture.text());
    }
    Row row;
    const std::uint64_t data = gguf_get_data_offset(metadata.get());
    for (std::int64_t i = 0; i < gguf_get_n_tensors(metadata.get()); ++i) {
        if (!go_on()) {
            throw Error(MULLAMA_ERROR_CANCELLED, "loading was cancelled by the progress callback");
        }
        const char *name = gguf_get_tensor_name(metadata.get(), i);
        check_tensor(file, *ggml_get_tensor(tensors.get(), name),
                     data + gguf_get_tensor_offset(metadata.get(), i), row);
    }
}

} // namespace

void check_tensors(const std::vector<std::string> &paths, const std::function<bool()> &go_on) {
    for (const std::string &path : paths) {
        check_file(path, go_on);
    }
}

} // namespace mullama::backend::llama

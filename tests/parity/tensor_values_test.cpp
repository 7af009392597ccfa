// The check of weights for infinities and what is no number, held against ggml's own: in one block
// of each tensor type, some bytes at a time have all their bits set.
#include "support/capi.hpp"
#include "support/manifest.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <memory>

#include <ggml.h>
#include <gguf.h>

using namespace mullama::test;

namespace {

std::string read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Where the first tensor of a type lies in a file.
struct Place {
    size_t offset = 0;
    size_t block_size = 0;
    ggml_type type = GGML_TYPE_COUNT;
};

Place find_tensor(const std::string &path, std::string_view type_name) {
    gguf_init_params params{};
    params.no_alloc = true;
    const std::unique_ptr<gguf_context, Deleter<gguf_free>> file(
        gguf_init_from_file(path.c_str(), params));
    for (std::int64_t i = 0; file && i < gguf_get_n_tensors(file.get()); ++i) {
        const ggml_type type = gguf_get_tensor_type(file.get(), i);
        std::string name = ggml_type_name(type);
        std::transform(name.begin(), name.end(), name.begin(), ::tolower);
        if (name == type_name) {
            return {gguf_get_data_offset(file.get()) + gguf_get_tensor_offset(file.get(), i),
                    ggml_type_size(type), type};
        }
    }
    return {};
}

bool accepts(const std::string &bytes) {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.check_tensors = true;
    // Once the engine starts, the check is over.
    options.progress = [](float progress, void *) { return progress == 0; };
    mullama_model_t *model = nullptr;
    mullama_error_t *const error =
        mullama_model_load_memory(bytes.data(), bytes.size(), &options, &model);
    const ModelHandle owned(model);
    if (mullama_error_code(error) == MULLAMA_ERROR_CANCELLED || error == nullptr) {
        mullama_error_free(error);
        return true;
    }
    EXPECT_REFUSED(error, MULLAMA_ERROR_BAD_MODEL, "", {}, "finite");
    return false;
}

std::vector<Json> typed_fixtures() {
    std::vector<Json> rows;
    for (const Json &row : fixtures("model")) {
        if (row.contains("type"))
            rows.push_back(row);
    }
    return rows;
}

class TensorValues : public testing::TestWithParam<Json> {};

INSTANTIATE_TEST_SUITE_P(Types, TensorValues, testing::ValuesIn(typed_fixtures()),
                         [](const auto &row) { return name_of(row.param); });

TEST_P(TensorValues, AreJudgedAsGgmlDoes) {
    const std::string path = path_of(GetParam());
    const Place place = find_tensor(path, GetParam()["type"].get<std::string>());
    ASSERT_NE(place.block_size, 0U) << "no tensor of this type";
    std::string bytes = read_file(path);
    EXPECT_TRUE(accepts(bytes));
    // Single numbers come in blocks of one: look at several.
    const size_t size = std::max<size_t>(place.block_size, 16);
    size_t refusals = 0;
    // Eight at a time, too: iq1_m has a scale in pieces.
    for (const size_t width : {2U, 8U}) {
        for (size_t at = 0; at + width <= size; at += 2) {
            const std::string before = bytes.substr(place.offset + at, width);
            bytes.replace(place.offset + at, width, width, '\xFF');
            const bool valid = ggml_validate_row_data(place.type, bytes.data() + place.offset,
                                                      size / place.block_size * place.block_size);
            EXPECT_EQ(accepts(bytes), valid) << width << " bytes at " << at << " of a block";
            refusals += valid ? 0 : 1;
            bytes.replace(place.offset + at, width, before);
        }
    }
    // Whatever the bits of nvfp4, they are numbers.
    EXPECT_EQ(refusals > 0, GetParam()["type"] != "nvfp4");
}

} // namespace

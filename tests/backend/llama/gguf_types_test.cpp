// Our tables about GGUF files against ggml's and llama.cpp's own: what a new pin changes shows
// here.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <ggml.h>
#include <gguf.h>

#include "core/gguf/architecture.hpp"
#include "core/gguf/file.hpp"
#include "core/gguf/tensor_names.hpp"
#include "core/gguf/tensor_type.hpp"
#include "core/gguf/vocabulary.hpp"

namespace {

using namespace mullama::core::gguf;
namespace fs = std::filesystem;

std::string text_of(const fs::path &path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::string source(const std::string &name) {
    return text_of(fs::path(MULLAMA_TEST_LLAMA_CPP_DIR) / "src" / name);
}

// The part of a text from one mark to the next.
std::string between(const std::string &text, const std::string &from, const std::string &to) {
    const std::size_t begin = text.find(from);
    EXPECT_NE(begin, std::string::npos) << from;
    const std::size_t end = text.find(to, begin);
    EXPECT_NE(end, std::string::npos) << to;
    return text.substr(begin, end - begin);
}

// What the first group of the pattern matches, wherever it does.
std::set<std::string> matches(const std::string &text, const std::string &pattern) {
    const std::regex regex(pattern);
    std::set<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
        found.insert((*at)[1].str());
    }
    return found;
}

std::set<std::string> set_of(std::span<const std::string_view> names) {
    return {names.begin(), names.end()};
}

TEST(GgufTypes, AreGgmls) {
    for (std::uint32_t id = 0; id < GGML_TYPE_COUNT + 8; ++id) {
        const TensorType *ours = find_tensor_type(id);
        const auto type = static_cast<ggml_type>(id);
        const bool known = id < GGML_TYPE_COUNT && ggml_blck_size(type) > 0;
        ASSERT_EQ(ours != nullptr, known) << id;
        if (ours == nullptr) {
            continue;
        }
        EXPECT_EQ(ours->id, id);
        EXPECT_EQ(ours->name, ggml_type_name(type));
        EXPECT_EQ(ours->block_elements, ggml_blck_size(type)) << ours->name;
        EXPECT_EQ(ours->block_bytes, ggml_type_size(type)) << ours->name;
    }
    EXPECT_EQ(GGUF_TYPE_COUNT, 13);
    EXPECT_EQ(GGML_MAX_NAME, 64);
    EXPECT_EQ(GGML_MAX_DIMS, 4);
    EXPECT_EQ(GGUF_DEFAULT_ALIGNMENT, 32);
    EXPECT_EQ(GGUF_VERSION, 3);
}

TEST(GgufTypes, ArchitecturesAreLlamaCpps) {
    const std::string table =
        between(source("llama-arch.cpp"), "LLM_ARCH_NAMES = {", "LLM_KV_NAMES = {");
    std::set<std::string> theirs = matches(table, R"(LLM_ARCH_\w+,\s*"([^"]+)\")");
    // Names without a model behind them.
    theirs.erase("gptj");
    theirs.erase("(unknown)");
    std::set<std::string> ours;
    for (const Architecture &architecture : architectures()) {
        ours.emplace(architecture.name);
    }
    EXPECT_EQ(ours, theirs);
}

TEST(GgufTypes, TokenizersAreLlamaCpps) {
    const std::string vocab = source("llama-vocab.cpp");
    EXPECT_EQ(set_of(tokenizer_models()), matches(vocab, R"(tokenizer_model == "([^"]+)\")"));
    EXPECT_EQ(set_of(pre_tokenizers()), matches(vocab, R"(tokenizer_pre == "([^"]+)\")"));
}

TEST(GgufTypes, TensorNamesAreLlamaCpps) {
    const std::string table =
        between(source("llama-arch.cpp"), "LLM_TENSOR_NAMES = {", "LLM_TENSOR_INFOS");
    std::set<std::string> theirs;
    for (const std::string &name : matches(table, R"(LLM_TENSOR_\w+,\s*"([^"]+)\")")) {
        theirs.insert(std::regex_replace(name, std::regex("%d"), "#"));
    }
    EXPECT_EQ(set_of(tensor_stems()), theirs);
    for (const std::string_view stem : elementwise_stems()) {
        EXPECT_TRUE(theirs.contains(std::string(stem))) << stem;
    }
    EXPECT_TRUE(is_elementwise("blk.3.attn_norm.weight"));
    EXPECT_TRUE(is_elementwise("blk.3.attn_q.bias"));
    EXPECT_TRUE(is_elementwise("blk.3.attn_q.input_scale"));
    EXPECT_FALSE(is_elementwise("blk.3.attn_q.weight"));
    EXPECT_TRUE(is_tensor_name("blk.12.ffn_up.weight"));
    EXPECT_TRUE(is_tensor_name("blk.0.ffn_norm"));
    EXPECT_TRUE(is_tensor_name("blk.0.ffn_up.7.weight"));
    EXPECT_FALSE(is_tensor_name("blk.0.mystery.weight"));
    EXPECT_FALSE(is_tensor_name("weight"));
    EXPECT_FALSE(is_tensor_name(""));
}

TEST(GgufTypes, LimitsAreLlamaCpps) {
    const std::string hparams = source("llama-hparams.h");
    EXPECT_EQ(matches(hparams, R"(#define LLAMA_MAX_LAYERS\s+(\d+))"),
              std::set<std::string>{"512"});
    EXPECT_EQ(matches(hparams, R"(#define LLAMA_MAX_EXPERTS\s+(\d+))"),
              std::set<std::string>{"1024"});
}

class MemorySource final : public Source {
public:
    explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
    [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
    void read(std::uint64_t offset, std::span<std::byte> to) const override {
        const auto all = std::as_bytes(std::span(bytes_));
        std::ranges::copy(all.subspan(static_cast<std::size_t>(offset), to.size()), to.begin());
    }

private:
    std::string bytes_;
};

struct FreeContext {
    void operator()(gguf_context *context) const { gguf_free(context); }
};

// Whatever we read of a file, ggml reads the same.
TEST(GgufTypes, FilesReadAsGgmlReadsThem) {
    int read = 0;
    for (const auto &entry : fs::directory_iterator(MULLAMA_TEST_FIXTURES)) {
        const fs::path &path = entry.path();
        if (path.extension() != ".gguf" || path.filename().string().starts_with("broken_")) {
            continue;
        }
        const File ours = File::parse(MemorySource(text_of(path)));
        const std::unique_ptr<gguf_context, FreeContext> theirs(
            gguf_init_from_file(path.string().c_str(), {true, nullptr}));
        ASSERT_NE(theirs, nullptr) << path;
        ++read;
        EXPECT_EQ(ours.version(), gguf_get_version(theirs.get()));
        EXPECT_EQ(ours.alignment(), gguf_get_alignment(theirs.get()));
        EXPECT_EQ(ours.metadata().size(), gguf_get_n_kv(theirs.get())) << path;
        for (std::size_t i = 0; i < ours.metadata().size(); ++i) {
            const auto at = static_cast<std::int64_t>(i);
            const Entry &own = ours.metadata()[i];
            EXPECT_EQ(own.key, gguf_get_key(theirs.get(), at));
            EXPECT_EQ(static_cast<int>(own.value.type()), gguf_get_kv_type(theirs.get(), at));
            if (own.value.is_array()) {
                EXPECT_EQ(own.value.count(), gguf_get_arr_n(theirs.get(), at));
                EXPECT_EQ(static_cast<int>(own.value.element_type()),
                          gguf_get_arr_type(theirs.get(), at));
            }
        }
        ASSERT_EQ(ours.tensors().size(), gguf_get_n_tensors(theirs.get()));
        for (std::size_t i = 0; i < ours.tensors().size(); ++i) {
            const auto at = static_cast<std::int64_t>(i);
            const TensorInfo &own = ours.tensors()[i];
            EXPECT_EQ(own.name, gguf_get_tensor_name(theirs.get(), at));
            EXPECT_EQ(own.offset, gguf_get_tensor_offset(theirs.get(), at));
            EXPECT_EQ(own.nbytes, gguf_get_tensor_size(theirs.get(), at));
            EXPECT_EQ(static_cast<int>(own.type->id), gguf_get_tensor_type(theirs.get(), at));
        }
        if (!ours.tensors().empty()) {
            EXPECT_EQ(ours.data_offset(), gguf_get_data_offset(theirs.get())) << path;
        }
    }
    EXPECT_GT(read, 0);
}

} // namespace

// Real files: every good one must pass all checks, every broken one must not. The fixtures are
// written by models/fixtures; the vocabularies come with llama.cpp's source.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "core/gguf/check_model.hpp"
#include "core/gguf/fingerprint.hpp"
#include "core/gguf/split.hpp"

namespace {

using namespace mullama::core::gguf;
using mullama::base::Error;
namespace fs = std::filesystem;

class FileSource final : public Source {
public:
    explicit FileSource(const fs::path &path)
        : in_(path, std::ios::binary), size_(fs::file_size(path)) {}
    [[nodiscard]] std::uint64_t size() const override { return size_; }
    void read(std::uint64_t offset, std::span<std::byte> to) const override {
        in_.clear();
        in_.seekg(static_cast<std::streamoff>(offset));
        in_.read(reinterpret_cast<char *>(to.data()), static_cast<std::streamsize>(to.size()));
        ASSERT_EQ(in_.gcount(), static_cast<std::streamsize>(to.size()));
    }

private:
    mutable std::ifstream in_;
    std::uint64_t size_;
};

// One model: its files, read and checked as loading does it.
struct Model {
    std::vector<std::unique_ptr<FileSource>> sources;
    std::vector<File> files;

    explicit Model(const fs::path &first) {
        add(first);
        const auto info = split_info(files.front());
        if (info) {
            const auto names = split_names(first.string(), *info);
            for (std::size_t i = 1; i < names.size(); ++i) {
                add(names[i]);
            }
        }
    }
    void add(const fs::path &path) {
        sources.push_back(std::make_unique<FileSource>(path));
        files.push_back(File::parse(*sources.back()));
    }
    void check(bool vocab_only) const {
        std::vector<const File *> parts;
        for (const File &file : files) {
            parts.push_back(&file);
        }
        CheckOptions options;
        options.vocab_only = vocab_only;
        check_model(parts, options);
    }
    [[nodiscard]] std::string fingerprint() const {
        std::vector<Part> parts;
        for (std::size_t i = 0; i < files.size(); ++i) {
            parts.push_back({&files[i], sources[i].get()});
        }
        return mullama::core::gguf::fingerprint(parts);
    }
};

std::vector<fs::path> files_in(const fs::path &folder) {
    std::vector<fs::path> files;
    if (fs::is_directory(folder)) {
        for (const auto &entry : fs::directory_iterator(folder)) {
            if (entry.path().extension() == ".gguf") {
                files.push_back(entry.path());
            }
        }
    }
    return files;
}

bool is_adapter(const std::string &name) {
    return name.starts_with("broken_adapter_") || name.starts_with("vector_") ||
           (name.starts_with("lora_") && !name.ends_with("_merged.gguf"));
}

bool is_later_part(const std::string &name) {
    return name.find("-of-") != std::string::npos && name.find("-00001-of-") == std::string::npos;
}

TEST(GgufFixtures, GoodOnesPass) {
    const auto files = files_in(MULLAMA_TEST_FIXTURES);
    ASSERT_FALSE(files.empty());
    for (const fs::path &path : files) {
        const std::string name = path.filename().string();
        if (name.starts_with("broken_") || is_later_part(name) || is_adapter(name)) {
            continue;
        }
        try {
            const Model model(path);
            model.check(name.starts_with("vocab_"));
            EXPECT_EQ(model.fingerprint().size(), 32U);
        } catch (const Error &error) {
            ADD_FAILURE() << name << ": " << error.message() << " (" << error.parts().actual << ")";
        }
    }
}

// What no look at metadata and shapes can find: numbers in the data (llama.cpp's own check of the
// tensors is for those), and a head size that happens to divide everything.
bool is_beyond_checks(const std::string &name) {
    return name == "broken_tensor_nan.gguf" || name == "broken_tensor_infinite.gguf" ||
           name == "broken_tensor_scale_nan.gguf" || name == "broken_wkv_head_size_32.gguf" ||
           name == "broken_folder.gguf" || name == "broken_n_tensors_one_fewer.gguf";
}

TEST(GgufFixtures, BrokenOnesAreRefusedWithACause) {
    for (const fs::path &path : files_in(MULLAMA_TEST_FIXTURES)) {
        const std::string name = path.filename().string();
        if (!name.starts_with("broken_") || is_later_part(name) || is_beyond_checks(name) ||
            is_adapter(name)) {
            continue;
        }
        try {
            Model(path).check(false);
            ADD_FAILURE() << name << " passes";
        } catch (const Error &error) {
            const auto code = error.code();
            EXPECT_TRUE(code == MULLAMA_ERROR_BAD_FILE || code == MULLAMA_ERROR_BAD_MODEL ||
                        code == MULLAMA_ERROR_UNKNOWN_MODEL)
                << name << ": " << error.message();
            EXPECT_GT(error.message().size(), 20U) << name;
        } catch (const fs::filesystem_error &) {
            // A part that is not there: for the caller to report, who opens it.
        }
    }
}

TEST(GgufFixtures, AModelInPartsHasTheFingerprintOfTheWhole) {
    const fs::path folder(MULLAMA_TEST_FIXTURES);
    fs::path first;
    for (const fs::path &path : files_in(folder)) {
        if (path.filename().string().starts_with("llama_split-00001-of-")) {
            first = path;
        }
    }
    if (first.empty()) {
        GTEST_SKIP() << "the fixtures have no model in parts";
    }
    EXPECT_EQ(Model(first).fingerprint(), Model(folder / "llama.gguf").fingerprint());
}

TEST(GgufFixtures, VocabulariesOfLlamaCppPass) {
    const auto files = files_in(fs::path(MULLAMA_TEST_LLAMA_CPP_DIR) / "models");
    if (files.empty()) {
        GTEST_SKIP() << "llama.cpp's source is not there";
    }
    for (const fs::path &path : files) {
        try {
            Model(path).check(true);
        } catch (const Error &error) {
            ADD_FAILURE() << path << ": " << error.message() << " (" << error.parts().actual << ")";
        }
    }
}

TEST(GgufFixtures, SharedModelsPass) {
    const auto files = files_in(MULLAMA_TEST_SHARED_MODELS);
    if (files.empty()) {
        GTEST_SKIP() << "there are no shared models";
    }
    for (const fs::path &path : files) {
        try {
            Model(path).check(false);
        } catch (const Error &error) {
            ADD_FAILURE() << path << ": " << error.message() << " (" << error.parts().actual << ")";
        }
    }
}

} // namespace

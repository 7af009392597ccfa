// A folder that a test fills, deleted with all that is in it.
#pragma once

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>

namespace mullama::test {

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::random_device random;
        path_ = std::filesystem::temp_directory_path() /
                ("mullama-test-" + std::to_string(random()) + std::to_string(random()));
        std::filesystem::create_directory(path_);
    }
    TemporaryFolder(const TemporaryFolder &) = delete;
    TemporaryFolder &operator=(const TemporaryFolder &) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::string path() const { return utf8(path_); }

    // The path of something in the folder, UTF-8 as the library wants it.
    [[nodiscard]] std::string path(std::string_view name) const {
        return utf8(path_ / native(name));
    }

    // Writes a file, and the folders on its way; returns its path.
    std::string write(std::string_view name, std::string_view content) const {
        const std::filesystem::path file = path_ / native(name);
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << content;
        return utf8(file);
    }

private:
    static std::filesystem::path native(std::string_view name) {
        return {std::u8string(name.begin(), name.end())};
    }
    static std::string utf8(const std::filesystem::path &path) {
        const std::u8string text = path.u8string();
        return {text.begin(), text.end()};
    }

    std::filesystem::path path_;
};

} // namespace mullama::test

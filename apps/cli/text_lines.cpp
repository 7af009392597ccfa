#include "cli/text_lines.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>

#include "cli/terminal.hpp"
#include "cli/usage_error.hpp"
#include "client/failure.hpp"

namespace mullama::cli {
namespace {

client::Failure unreadable(const std::string &path, int error) {
    return client::Failure(
        {.code = error == ENOENT ? MULLAMA_ERROR_NOT_FOUND : MULLAMA_ERROR_IO,
         .message = "cannot read '" + path + "': " + std::generic_category().message(error),
         .parameter = "file"});
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        lines.emplace_back(line);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    return lines;
}

} // namespace

std::string read_file(const std::string &path) {
    struct Close {
        void operator()(std::FILE *file) const noexcept { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
    if (!file) {
        throw unreadable(path, errno);
    }
    std::string text;
    char buffer[65536];
    for (;;) {
        const std::size_t size = std::fread(buffer, 1, sizeof buffer, file.get());
        text.append(buffer, size);
        if (size < sizeof buffer) {
            if (std::ferror(file.get()) != 0) {
                throw unreadable(path, errno);
            }
            return text;
        }
    }
}

std::vector<std::string> texts_of(std::vector<std::string> arguments,
                                  const std::optional<std::string> &file, const std::string &name) {
    if (file) {
        if (!arguments.empty()) {
            throw UsageError("give " + name + " as arguments or in --file, not both");
        }
        return lines_of(read_file(*file));
    }
    const bool dash = arguments.size() == 1 && arguments.front() == "-";
    if (!arguments.empty() && !dash) {
        return arguments;
    }
    if (!dash && !input_is_given()) {
        throw UsageError(name +
                         " is missing: give it as an argument, with --file, or one a line on "
                         "standard input");
    }
    return lines_of(read_input());
}

} // namespace mullama::cli

// Texts that a command works on: arguments, or the lines of a file or of standard input.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mullama::cli {

// All of a file. Throws client::Failure, naming --file.
[[nodiscard]] std::string read_file(const std::string &path);

// The arguments; without any, or with "-" alone, the lines of `file`, or of standard input where
// that is given. A line break at the very end begins no line. `name`: of the arguments, for the
// error where there is nothing.
[[nodiscard]] std::vector<std::string> texts_of(std::vector<std::string> arguments,
                                                const std::optional<std::string> &file,
                                                const std::string &name);

} // namespace mullama::cli

// Help as wide as the terminal.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace mullama::cli {

class HelpFormatter : public CLI::Formatter {
public:
    explicit HelpFormatter(int width);

    std::string make_help(const CLI::App *app, std::string name,
                          CLI::AppFormatMode mode) const override;
    std::string make_option_opts(const CLI::Option *option) const override;
    std::string make_option(const CLI::Option *option, bool is_positional) const override;
    std::string make_subcommand(const CLI::App *command) const override;
    std::string make_footer(const CLI::App *app) const override;

private:
    [[nodiscard]] std::string entry(const std::string &name, const std::string &text) const;

    std::size_t width_;
};

} // namespace mullama::cli

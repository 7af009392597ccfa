#include "cli/help_formatter.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "cli/utf8.hpp"

namespace mullama::cli {
namespace {

constexpr std::size_t name_width = 30;

} // namespace

HelpFormatter::HelpFormatter(int width)
    : width_(static_cast<std::size_t>(std::clamp(width, 60, 100))) {
    label("OPTIONS", "options");
    label("SUBCOMMAND", "COMMAND");
    label("Positionals", "Arguments");
}

std::string HelpFormatter::make_help(const CLI::App *app, std::string name,
                                     CLI::AppFormatMode mode) const {
    // CLI11 parts some groups by two empty lines.
    std::string text = Formatter::make_help(app, std::move(name), mode);
    for (std::size_t at = text.find("\n\n\n"); at != text.npos; at = text.find("\n\n\n", at)) {
        text.erase(at, 1);
    }
    return text;
}

std::string HelpFormatter::make_option_opts(const CLI::Option *option) const {
    if (option->get_positional() || option->get_type_size() == 0) {
        return {};
    }
    return " " + option->get_type_name();
}

std::string HelpFormatter::make_option(const CLI::Option *option, bool is_positional) const {
    std::string name = make_option_name(option, is_positional);
    for (std::size_t comma = name.find(','); comma != name.npos;
         comma = name.find(',', comma + 2)) {
        name.insert(comma + 1, " ");
    }
    return entry(name + make_option_opts(option), make_option_desc(option));
}

std::string HelpFormatter::make_subcommand(const CLI::App *command) const {
    return entry(command->get_name(), command->get_description());
}

std::string HelpFormatter::make_footer(const CLI::App *app) const {
    const std::string footer = app->get_footer();
    return footer.empty() ? footer : footer + '\n';
}

// A name, and beside it, or below a long one, a text that is broken between words.
std::string HelpFormatter::entry(const std::string &name, const std::string &text) const {
    const std::string margin(name_width, ' ');
    std::string result;
    std::string line = "  " + name;
    if (line.size() + 2 > name_width) {
        result += line + '\n';
        line = margin;
    } else {
        line.resize(name_width, ' ');
    }
    std::istringstream words(text);
    std::string word;
    bool fresh = true;
    while (words >> word) {
        if (!fresh && count_characters(line) + 1 + count_characters(word) > width_) {
            result += line + '\n';
            line = margin;
            fresh = true;
        }
        line += (fresh ? "" : " ") + word;
        fresh = false;
    }
    return result + line + '\n';
}

} // namespace mullama::cli

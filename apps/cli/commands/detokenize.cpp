#include <memory>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/json_writer.hpp"
#include "cli/model_session.hpp"

namespace mullama::cli {
namespace {

constexpr const char *examples = R"(Examples:
  mullama detokenize model.gguf 15043 29892 3186
  mullama tokenize model.gguf "Hello, world" | mullama detokenize model.gguf -)";

struct Arguments {
    ModelArguments model;
    std::vector<std::string> ids;
    client::Detokenize settings;
    bool json = false;
};

// Ids between white space, commas or brackets, so that a JSON array will do as well.
void parse_ids(std::string_view text, std::vector<client::Token> &out) {
    constexpr std::string_view between = " \t\r\n,[]";
    for (;;) {
        const std::size_t begin = text.find_first_not_of(between);
        if (begin == text.npos) {
            return;
        }
        text.remove_prefix(begin);
        const std::size_t end = std::min(text.find_first_of(between), text.size());
        out.push_back(parse_integer<client::Token>("a token", text.substr(0, end)));
        text.remove_prefix(end);
    }
}

int run(Session &session, Arguments arguments) {
    if (auto first = take_argument_for_path(arguments.model)) {
        arguments.ids.insert(arguments.ids.begin(), std::move(*first));
    }
    if (arguments.ids.empty() && !input_is_given()) {
        throw UsageError("IDS are missing: give them as arguments or on standard input");
    }
    if (arguments.ids.empty() || (arguments.ids.size() == 1 && arguments.ids.front() == "-")) {
        arguments.ids = {read_input()};
    }
    std::vector<client::Token> tokens;
    for (const std::string &text : arguments.ids) {
        parse_ids(text, tokens);
    }
    arguments.model.settings.vocab_only = true;
    const auto model = open_model(session, arguments.model);
    const std::string text = model->detokenize(tokens, arguments.settings);
    if (arguments.json) {
        JsonWriter out;
        out.begin_object().member("text", text).end_object();
        session.out.write(out.text() + '\n');
    } else {
        session.out.write_foreign(text);
        if (session.out.is_terminal()) {
            session.out.write("\n");
        }
    }
    session.out.flush();
    return exit_ok;
}

} // namespace

Command add_detokenize(CLI::App &program) {
    CLI::App *app = program.add_subcommand("detokenize", "Turn tokens into text");
    app->footer(examples);
    const auto arguments = std::make_shared<Arguments>();
    add_model_path(*app, arguments->model);
    add_repeatable(*app, "IDS", "N", arguments->ids,
                   "The tokens; - or nothing: what comes in on standard input")
        ->expected(-1);
    app->add_flag_callback(
        "--remove-special", [arguments] { arguments->settings.remove_special = true; },
        "Leave out the beginning and end tokens that tokenizing would add");
    app->add_flag_callback(
        "--show-special", [arguments] { arguments->settings.unparse_special = true; },
        "Write special tokens in their spelling");
    add_json_flag(*app, arguments->json, "One JSON object");
    add_engine_options(*app, arguments->model);
    return {app, [arguments](Session &session) { return run(session, *arguments); },
            [arguments] { return arguments->json; }};
}

} // namespace mullama::cli

#include <memory>
#include <optional>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/json_writer.hpp"
#include "cli/model_session.hpp"
#include "cli/token_text.hpp"

namespace mullama::cli {
namespace {

constexpr const char *examples = R"(Examples:
  mullama tokenize model.gguf "Hello, world"
  mullama tokenize --pieces model.gguf "Hello, world"
  mullama tokenize model.gguf - < notes.txt)";

struct Arguments {
    ModelArguments model;
    std::optional<std::string> text;
    client::Tokenize settings;
    bool pieces = false;
    bool json = false;
};

std::string to_json(const std::vector<client::Token> &tokens,
                    const std::optional<std::vector<std::string>> &pieces) {
    JsonWriter out;
    out.begin_object().key("tokens").begin_array();
    for (const client::Token token : tokens) {
        out.value(token);
    }
    out.end_array();
    if (pieces) {
        out.key("pieces").begin_array();
        for (const std::string &piece : *pieces) {
            write_piece(out, piece);
        }
        out.end_array();
    }
    out.end_object();
    return out.text() + '\n';
}

std::string to_text(const std::vector<client::Token> &tokens,
                    const std::optional<std::vector<std::string>> &pieces) {
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (pieces) {
            text += std::to_string(tokens[i]) + '\t' + quote_piece((*pieces)[i]) + '\n';
        } else {
            text += (i > 0 ? " " : "") + std::to_string(tokens[i]);
        }
    }
    return pieces ? text : text + '\n';
}

int run(Session &session, Arguments arguments) {
    if (auto first = take_argument_for_path(arguments.model)) {
        if (arguments.text) {
            throw UsageError("the echo engine takes no PATH, only TEXT");
        }
        arguments.text = std::move(first);
    }
    if (!arguments.text && !input_is_given()) {
        throw UsageError("TEXT is missing: give it as an argument or on standard input");
    }
    if (!arguments.text || *arguments.text == "-") {
        arguments.text = read_input();
    }
    arguments.model.settings.vocab_only = true;
    const auto model = open_model(session, arguments.model);
    const std::vector<client::Token> tokens = model->tokenize(*arguments.text, arguments.settings);
    std::optional<std::vector<std::string>> pieces;
    if (arguments.pieces) {
        pieces = model->pieces(tokens);
    }
    session.out.write(arguments.json ? to_json(tokens, pieces) : to_text(tokens, pieces));
    session.out.flush();
    return exit_ok;
}

} // namespace

Command add_tokenize(CLI::App &program) {
    CLI::App *app = program.add_subcommand("tokenize", "Turn text into tokens");
    app->footer(examples);
    const auto arguments = std::make_shared<Arguments>();
    add_model_path(*app, arguments->model);
    app->add_option("TEXT", arguments->text,
                    "The text; - or nothing: what comes in on standard input");
    app->add_flag("--pieces", arguments->pieces, "Show the text of each token, one on a line");
    app->add_flag_callback(
        "--no-special", [arguments] { arguments->settings.add_special = false; },
        "Do not add the beginning and end tokens that the model wants");
    app->add_flag_callback(
        "--parse-special", [arguments] { arguments->settings.parse_special = true; },
        "Read the spelling of a special token, such as </s>, as that token");
    add_json_flag(*app, arguments->json, "One JSON object");
    add_engine_options(*app, arguments->model);
    return {app, [arguments](Session &session) { return run(session, *arguments); },
            [arguments] { return arguments->json; }};
}

} // namespace mullama::cli

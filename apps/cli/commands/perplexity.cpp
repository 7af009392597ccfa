#include <memory>
#include <optional>
#include <vector>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/format.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_writer.hpp"
#include "cli/model_session.hpp"
#include "cli/progress.hpp"
#include "cli/text_lines.hpp"

namespace mullama::cli {
namespace {

constexpr const char *examples = R"(Examples:
  mullama perplexity model.gguf --file wiki.test.raw
  mullama perplexity model.gguf --file wiki.test.raw -c 2048 --chunks 16
  cat notes.txt | mullama perplexity model.gguf -c 256 --stride 128)";

struct Arguments {
    ModelArguments model;
    client::Perplexity request;
    std::optional<std::string> file;
    bool json = false;
};

std::string text_of(const Arguments &arguments) {
    if (arguments.file) {
        return read_file(*arguments.file);
    }
    if (!input_is_given()) {
        throw UsageError("the text is missing: give it with --file or on standard input");
    }
    return read_input();
}

std::string to_json(const client::PerplexityResult &made, const Arguments &arguments,
                    const std::vector<double> &so_far) {
    JsonWriter out;
    out.begin_object()
        .member("perplexity", made.perplexity.perplexity)
        .member("error", made.perplexity.error)
        .member("mean_logprob", made.perplexity.mean_logprob)
        .member("n_tokens", made.n_tokens)
        .member("n_scored", made.perplexity.n_scored)
        .member("window", made.window)
        .member("stride", arguments.request.stride.value_or(0));
    out.key("windows").begin_array();
    for (const double perplexity : so_far) {
        out.value(perplexity);
    }
    out.end_array().end_object();
    return out.text() + '\n';
}

std::string to_text(const client::PerplexityResult &made) {
    return format_fixed(made.perplexity.perplexity, 4) + " +/- " +
           format_fixed(made.perplexity.error, 5) + '\n';
}

int run(Session &session, Arguments arguments) {
    if (take_argument_for_path(arguments.model)) {
        throw UsageError("the echo engine takes no PATH");
    }
    const Interrupt interrupt;
    arguments.request.text = text_of(arguments);
    const auto model = open_model(session, arguments.model);
    std::vector<double> so_far;
    const client::PerplexityResult made = stoppable([&] {
        Progress progress(session.err, "reading");
        return model->perplexity(arguments.request, [&](const mullama_window_event_t &event) {
            so_far.push_back(event.perplexity);
            progress.label("window " + std::to_string(event.index + 1) + " of " +
                           std::to_string(event.count) + ", " + format_fixed(event.perplexity, 4));
            return progress.update(static_cast<float>(event.index + 1) /
                                   static_cast<float>(event.count));
        });
    });
    session.out.write(arguments.json ? to_json(made, arguments, so_far) : to_text(made));
    session.out.flush();
    return exit_ok;
}

} // namespace

Command add_perplexity(CLI::App &program) {
    CLI::App *app =
        program.add_subcommand("perplexity", "Measure how well a model foresees a text");
    app->footer(examples);
    const auto arguments = std::make_shared<Arguments>();
    client::Perplexity &request = arguments->request;
    add_model_path(*app, arguments->model);
    add_value(
        *app, "-f,--file", "PATH", [arguments](const std::string &path) { arguments->file = path; },
        "The text (default: what comes in on standard input)");
    add_integer(*app, "--stride", request.stride,
                "Begin a window every N tokens, and count its last N; 0: windows side by side, of "
                "which the second half counts (default)");
    add_integer(*app, "--chunks", request.max_windows,
                "Read the first N windows only; 0: all (default)");
    app->add_flag_callback(
        "--parse-special", [&request] { request.parse_special = true; },
        "Read the spelling of a special token in the text as that token");
    add_json_flag(*app, arguments->json, "One JSON object");
    add_context_options(*app, request.context);
    app->get_option("--ctx-size")
        ->description("Tokens of a window (default: 512, or what the model was trained for)");
    add_model_options(*app, arguments->model);
    add_adapter_options(*app, arguments->model);
    return {app, [arguments](Session &session) { return run(session, *arguments); },
            [arguments] { return arguments->json; }};
}

} // namespace mullama::cli

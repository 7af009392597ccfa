#include <chrono>
#include <memory>
#include <optional>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/format.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_writer.hpp"
#include "cli/model_session.hpp"
#include "cli/progress.hpp"
#include "client/failure.hpp"
#include "client/names.hpp"

namespace mullama::cli {
namespace {

constexpr const char *examples = R"(Examples:
  mullama run model.gguf "Once upon a time"
  mullama run model.gguf "Once upon a time" -n 64 --temperature 0 --stats
  cat notes.txt | mullama run model.gguf "In short:"
  mullama run model.gguf "Once upon a time" --json
  mullama run model.gguf "Once upon a time" -n 64 --state-save story.state
  mullama run model.gguf --state-load story.state -n 64)";

using Clock = std::chrono::steady_clock;

struct Arguments {
    ModelArguments model;
    client::Generate request;
    std::optional<std::string> prompt;
    bool stats = false;
    bool json = false;
};

// Standard input, where it was given, comes before the argument, as Ollama has it.
std::string prompt_of(const Arguments &arguments) {
    const std::optional<std::string> &argument = arguments.prompt;
    if (argument == "-") {
        return read_input();
    }
    std::string prompt = input_is_given() ? read_input() : std::string();
    if (!argument) {
        if (prompt.empty() && arguments.request.state_load.empty()) {
            throw UsageError("PROMPT is missing: give it as an argument or on standard input");
        }
        return prompt;
    }
    const bool apart =
        prompt.empty() || argument->empty() || prompt.ends_with('\n') || prompt.ends_with(' ');
    return prompt + (apart ? "" : " ") + *argument;
}

std::string token_line(const mullama_token_event_t &event, bool logprobs) {
    JsonWriter out;
    out.begin_object()
        .member("type", "token")
        .member("index", event.index)
        .member("token", event.token)
        .member("text", std::string_view(event.text, event.text_size));
    if (logprobs) {
        out.member("logprob", event.logprob).key("top").begin_array();
        for (std::size_t i = 0; i < event.top_count; ++i) {
            out.begin_object()
                .member("token", event.top_tokens[i])
                .member("logprob", event.top_logprobs[i])
                .end_object();
        }
        out.end_array();
    }
    out.end_object();
    return out.text() + '\n';
}

std::string done_line(const Arguments &arguments, const client::Generation &made,
                      Clock::duration load) {
    const mullama_generate_stats_t &stats = made.stats;
    const bool stopped = stats.stop_index >= 0 &&
                         static_cast<std::size_t>(stats.stop_index) < arguments.request.stop.size();
    JsonWriter out;
    out.begin_object()
        .member("type", "done")
        .member("text", made.text)
        .member("stop_reason", client::name_of(client::stop_reasons, stats.stop_reason));
    out.key("stop");
    if (stopped) {
        out.value(arguments.request.stop[static_cast<std::size_t>(stats.stop_index)]);
    } else {
        out.null();
    }
    out.member("prompt_tokens", stats.prompt_tokens)
        .member("generated_tokens", stats.generated_tokens)
        .member("load_ns", std::chrono::nanoseconds(load).count())
        .member("tokenize_ns", stats.tokenize_ns)
        .member("prefill_ns", stats.prefill_ns)
        .member("generate_ns", stats.generate_ns)
        .member("n_ctx", made.context.n_ctx)
        .member("n_threads", made.context.n_threads)
        .member("n_threads_batch", made.context.n_threads_batch)
        .end_object();
    return out.text() + '\n';
}

// The figures of `ollama run --verbose`, under its names, and what stopped the text.
std::string stats_text(const client::Generation &made, Clock::duration load,
                       Clock::duration total) {
    const mullama_generate_stats_t &stats = made.stats;
    const auto nanoseconds = [](std::uint64_t count) {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(count));
    };
    const auto rate = [&](std::uint64_t count, std::uint64_t time) {
        return format_fixed(rate_of(count, nanoseconds(time)), 2) + " tokens/s";
    };
    std::string text;
    const auto add = [&](std::string label, const std::string &value) {
        label += ':';
        label.resize(22, ' ');
        text += label + value + '\n';
    };
    add("total duration", format_duration(total));
    add("load duration", format_duration(load));
    add("prompt eval count", std::to_string(stats.prompt_tokens) + " token(s)");
    add("prompt eval duration", format_duration(nanoseconds(stats.prefill_ns)));
    add("prompt eval rate", rate(stats.prompt_tokens, stats.prefill_ns));
    add("eval count", std::to_string(stats.generated_tokens) + " token(s)");
    add("eval duration", format_duration(nanoseconds(stats.generate_ns)));
    add("eval rate", rate(stats.generated_tokens, stats.generate_ns));
    add("threads", std::to_string(made.context.n_threads) +
                       " (prompt: " + std::to_string(made.context.n_threads_batch) + ")");
    add("stop reason", std::string(client::name_of(client::stop_reasons, stats.stop_reason)));
    return text;
}

// Writes pieces as they come, and the rest of the text at the end.
class TextStream {
public:
    explicit TextStream(Terminal &out) : out_(out) {}

    void write(std::string_view piece) {
        if (piece.empty()) {
            return;
        }
        out_.write_foreign(piece);
        out_.flush();
        written_ += piece.size();
        ends_line_ = piece.back() == '\n';
    }

    void finish(const std::string &text) {
        write(std::string_view(text).substr(std::min(written_, text.size())));
        // A shell's prompt belongs on a line of its own; in a pipe goes the text alone.
        if (out_.is_terminal() && !ends_line_) {
            out_.write("\n");
            out_.flush();
        }
    }

private:
    Terminal &out_;
    std::size_t written_ = 0;
    bool ends_line_ = true;
};

int run(Session &session, Arguments arguments) {
    if (auto first = take_argument_for_path(arguments.model)) {
        if (arguments.prompt) {
            throw UsageError("the echo engine takes no PATH, only PROMPT");
        }
        arguments.prompt = std::move(first);
    }
    const Interrupt interrupt;
    arguments.request.prompt = prompt_of(arguments);

    const Clock::time_point begin = Clock::now();
    const auto model = open_model(session, arguments.model);
    const Clock::duration load = Clock::now() - begin;

    TextStream stream(session.out);
    const bool logprobs = arguments.request.top_logprobs >= 0;
    auto progress = std::make_unique<Progress>(session.err, "reading the prompt");
    const client::GenerateEvents events{
        .on_token =
            [&](const mullama_token_event_t &event) {
                progress.reset();
                if (arguments.json) {
                    session.out.write(token_line(event, logprobs));
                    session.out.flush();
                } else {
                    stream.write({event.text, event.text_size});
                }
                return !Interrupt::requested();
            },
        .on_prefill = [&](float done) { return progress == nullptr || progress->update(done); },
    };
    client::Generation made;
    try {
        made = model->generate(arguments.request, events);
    } catch (const client::Failure &failure) {
        if (failure.code() == MULLAMA_ERROR_CANCELLED && Interrupt::requested()) {
            throw Interrupted();
        }
        throw;
    }
    progress.reset();
    if (arguments.json) {
        session.out.write(done_line(arguments, made, load));
        session.out.flush();
    } else {
        stream.finish(made.text);
    }
    if (arguments.stats) {
        session.err.write("\n" + stats_text(made, load, Clock::now() - begin));
        session.err.flush();
    }
    return made.stats.stop_reason == MULLAMA_STOP_CANCELLED ? exit_interrupted : exit_ok;
}

} // namespace

Command add_run(CLI::App &program, client::Client &client) {
    CLI::App *app = program.add_subcommand("run", "Generate text from a prompt");
    app->footer(examples);
    const auto arguments = std::make_shared<Arguments>();
    client::Generate &request = arguments->request;
    add_model_path(*app, arguments->model);
    app->add_option("PROMPT", arguments->prompt,
                    "What the text begins with. What comes in on standard input, if it is a pipe "
                    "or a file, is put before it; - stands for standard input alone");
    add_integer(*app, "-n,--max-tokens", request.max_tokens,
                "The most tokens to generate; -1: until the model ends or the context is full "
                "(default)");
    add_repeatable(*app, "--stop", "TEXT", request.stop,
                   "End before this text, which is not shown; can be repeated");
    app->add_flag_callback(
        "--ignore-end", [&request] { request.ignore_end = true; },
        "Go on when the model says that it is done");
    app->add_flag_callback(
        "--no-special", [&request] { request.add_special = false; },
        "Do not begin with the token that the model wants there");
    app->add_flag_callback(
        "--parse-special", [&request] { request.parse_special = true; },
        "Read the spelling of a special token in the prompt as that token");
    app->add_flag_callback(
        "--show-special", [&request] { request.unparse_special = true; },
        "Write special tokens in their spelling");
    add_value(
        *app, "--state-load", "FILE",
        [&request](const std::string &path) { request.state_load = path; },
        "Go on from what --state-save left there: the prompt is appended to it, and need not be "
        "given");
    add_value(
        *app, "--state-save", "FILE",
        [&request](const std::string &path) { request.state_save = path; },
        "Write what the context holds at the end to this file");
    app->add_flag("--stats,--verbose", arguments->stats,
                  "Show figures at the end, on standard error");
    add_json_flag(*app, arguments->json, "One JSON object a line: each token, and what was done");
    add_integer(*app, "--logprobs", request.top_logprobs,
                "With --json: each token's log-probability, and those of the N likeliest");
    add_sampling_options(*app, client.sampling_stages(), client.sampling_presets(),
                         request.sampling);
    add_context_options(*app, request.context);
    add_model_options(*app, arguments->model);
    add_adapter_options(*app, arguments->model);
    return {app, [arguments](Session &session) { return run(session, *arguments); },
            [arguments] { return arguments->json; }};
}

} // namespace mullama::cli

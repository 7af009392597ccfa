// The program `mullama`: reads the command line, runs one command, and says what went wrong.

#include <csignal>
#include <cstdio>
#include <memory>
#include <system_error>
#include <vector>

#include "cli/command.hpp"
#include "cli/errors.hpp"
#include "cli/help_formatter.hpp"
#include "cli/interrupt.hpp"
#include "cli/usage_error.hpp"
#include "client/in_process.hpp"

namespace mullama::cli {
namespace {

constexpr const char *examples = R"(Examples:
  mullama run model.gguf "Once upon a time"
  mullama show model.gguf
  mullama bench model.gguf

`mullama COMMAND --help` explains a command.)";

// The command that was named, nullptr for none.
const Command *chosen(const std::vector<Command> &commands) {
    for (const Command &command : commands) {
        if (command.app->parsed()) {
            return &command;
        }
    }
    return nullptr;
}

std::string name_of(const Command *command) {
    return command == nullptr ? "mullama" : "mullama " + command->app->get_name();
}

int run(int argc, char **argv, Terminal &out, Terminal &err) {
    const std::unique_ptr<client::Client> client = client::in_process();
    Session session{*client, out, err};

    CLI::App program("Runs large language models on this machine.", "mullama");
    program.formatter(std::make_shared<HelpFormatter>(out.width()));
    program.footer(examples);
    // Not require_subcommand(1), which would hide what stands in the command's place.
    program.require_subcommand(0, 1);
    program.set_version_flag("--version", [&] { return "mullama " + client->version().library; });
    const std::vector<Command> commands{
        add_run(program, *client), add_show(program),       add_bench(program),
        add_tokenize(program),     add_detokenize(program), add_embed(program),
        add_rerank(program),       add_perplexity(program), add_devices(program),
        add_version(program),      add_probe(program),
    };
    const auto reporter = [&] {
        const Command *command = chosen(commands);
        return Reporter{err, command != nullptr && command->json && command->json()};
    };

    try {
        program.parse(argc, argv);
        const Command *command = chosen(commands);
        if (command == nullptr) {
            throw UsageError("which command? One has to be named");
        }
        return command->run(session);
    } catch (const CLI::CallForHelp &) {
        const Command *command = chosen(commands);
        out.write(command == nullptr ? program.help() : command->app->help("mullama"));
        out.flush();
        return exit_ok;
    } catch (const CLI::CallForVersion &request) {
        out.write(std::string(request.what()) + '\n');
        out.flush();
        return exit_ok;
    } catch (const CLI::ParseError &error) {
        reporter().usage(error.what(), name_of(chosen(commands)));
        return exit_usage;
    } catch (const UsageError &error) {
        reporter().usage(error.what(), name_of(chosen(commands)));
        return exit_usage;
    } catch (const Interrupted &) {
        return exit_interrupted;
    } catch (const client::Failure &failure) {
        reporter().failure(failure);
        return exit_code_of(failure);
    } catch (const OutputClosed &) {
        return exit_output_closed;
    } catch (const std::exception &error) {
        reporter().other(error);
        return exit_failure;
    }
}

// The same, with somebody to tell when even the library cannot be used.
int run_or_report(int argc, char **argv) {
    Terminal out(stdout);
    Terminal err(stderr);
    try {
        return run(argc, argv, out, err);
    } catch (const client::Failure &failure) {
        Reporter{err, false}.failure(failure);
        return exit_failure;
    }
}

} // namespace
} // namespace mullama::cli

int main(int argc, char **argv) {
    // A reader that went away shows as a failed write, here and in the sockets of a daemon.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    try {
        return mullama::cli::run_or_report(argc, argv);
    } catch (const std::exception &) {
        // Standard error itself is gone: nobody is left to tell.
        return mullama::cli::exit_failure;
    }
}

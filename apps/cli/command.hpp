// What a command is, and what it is given.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "cli/terminal.hpp"
#include "client/client.hpp"

namespace mullama::cli {

// What commands work with.
struct Session {
    client::Client &client;
    Terminal &out;
    Terminal &err;
};

// A command puts its arguments into a CLI::App; `run` is called after a successful parse, and
// answers the exit code. `json`: whether the parsed arguments ask for JSON, errors included.
struct Command {
    CLI::App *app;
    std::function<int(Session &)> run;
    std::function<bool()> json;
};

// Each in commands/<name>.cpp.
Command add_run(CLI::App &program, client::Client &client);
Command add_tokenize(CLI::App &program);
Command add_detokenize(CLI::App &program);
Command add_show(CLI::App &program);
Command add_bench(CLI::App &program);
Command add_embed(CLI::App &program);
Command add_rerank(CLI::App &program);
Command add_perplexity(CLI::App &program);
Command add_devices(CLI::App &program);
Command add_version(CLI::App &program);
Command add_probe(CLI::App &program);

} // namespace mullama::cli

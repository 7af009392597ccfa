// Opening the model that a command works on, as all commands do it.
#pragma once

#include <memory>
#include <string>

#include "cli/args.hpp"
#include "cli/command.hpp"

namespace mullama::cli {

// With a bar on a terminal, and the engine's words on standard error where they were asked for.
// Throws LoadFailure, or Interrupted.
[[nodiscard]] std::unique_ptr<client::Model> open_model(Session &session,
                                                        const ModelArguments &arguments);

// Where this program lies: what loads a model in a process of its own first.
[[nodiscard]] std::string program_path();

} // namespace mullama::cli

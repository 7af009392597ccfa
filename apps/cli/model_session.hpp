// Opening the model that a command works on, as all commands do it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "cli/args.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "client/failure.hpp"

namespace mullama::cli {

// With a bar on a terminal, and the engine's words on standard error where they were asked for.
// Throws LoadFailure, or Interrupted.
[[nodiscard]] std::unique_ptr<client::Model> open_model(Session &session,
                                                        const ModelArguments &arguments);

// Runs what Ctrl-C can stop by way of a callback: that it did is no failure. Throws Interrupted.
template <class Call>
[[nodiscard]] auto stoppable(Call &&call) {
    try {
        return std::forward<Call>(call)();
    } catch (const client::Failure &failure) {
        if (failure.code() == MULLAMA_ERROR_CANCELLED && Interrupt::requested()) {
            throw Interrupted();
        }
        throw;
    }
}

// Where this program lies: what loads a model in a process of its own first.
[[nodiscard]] std::string program_path();

} // namespace mullama::cli

// Failures as a person reads them: "mullama: error: ...", and below it what is known besides.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "cli/exit_codes.hpp"
#include "cli/terminal.hpp"
#include "client/failure.hpp"

namespace mullama::cli {

// A model that could not be opened; what() is its failure's.
class LoadFailure : public client::Failure {
public:
    explicit LoadFailure(const client::Failure &failure) : Failure(failure) {}
};

struct Reporter {
    Terminal &err;
    // One JSON object on one line instead of text.
    bool json;

    // Where help is found: "mullama run".
    void usage(std::string_view message, std::string_view command) const;
    void failure(const client::Failure &failure) const;
    void other(const std::exception &error) const;
};

// Which exit code a failure means.
[[nodiscard]] ExitCode exit_code_of(const client::Failure &failure);

} // namespace mullama::cli

// What every function of a client throws: a failed call, wherever it ran.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include "mullama/error.h"

namespace mullama::client {

// The parts of mullama_error_t, as values: a daemon's failures come as text, not as objects.
struct FailureParts {
    mullama_error_code_t code = MULLAMA_ERROR_INTERNAL;
    std::string message = {};
    std::string parameter = {};
    std::string expected = {};
    std::string actual = {};
    // The engine's own lines.
    std::string log = {};
    // -1: none.
    std::int64_t offset = -1;
    bool retryable = false;
};

class Failure : public std::exception {
public:
    explicit Failure(FailureParts parts) : parts_(std::move(parts)) {}

    [[nodiscard]] const FailureParts &parts() const noexcept { return parts_; }
    [[nodiscard]] mullama_error_code_t code() const noexcept { return parts_.code; }
    // "bad_file"
    [[nodiscard]] const char *code_name() const noexcept {
        return mullama_error_code_name(parts_.code);
    }
    [[nodiscard]] const char *what() const noexcept override { return parts_.message.c_str(); }

private:
    FailureParts parts_;
};

} // namespace mullama::client

// The library's own errors as a client's.
#pragma once

#include "client/failure.hpp"
#include "mullama/mullama.hpp"

#include <string>
#include <utility>

namespace mullama::client {

[[nodiscard]] inline Failure failure_of(const Error &error) {
    const auto position = error.position();
    return Failure({.code = error.code(),
                    .message = std::string(error.message()),
                    .parameter = std::string(error.parameter()),
                    .expected = std::string(error.expected()),
                    .actual = std::string(error.actual()),
                    .log = std::string(error.log()),
                    .offset = position ? position->offset : -1,
                    .retryable = error.retryable()});
}

// The same, said of what the caller of the client gave.
[[nodiscard]] inline Failure failure_of(const Error &error, std::string parameter) {
    FailureParts parts = failure_of(error).parts();
    parts.parameter = std::move(parameter);
    return Failure(std::move(parts));
}

} // namespace mullama::client

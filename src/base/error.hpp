// The one exception type of the library. Everything below src/capi throws it; src/capi turns it
// into a mullama_error_t and lets nothing else through.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/number_text.hpp"
#include "mullama/error.h"

namespace mullama::base {

using ErrorCode = mullama_error_code_t;

// Built in one expression:
//     throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "n_ctx is too large for this model")
//         .parameter("n_ctx").expected("1 to 4096").actual(9000);
// Copying is cheap and cannot throw: the parts are shared, as exception types require.
class Error : public std::exception {
public:
    struct Parts {
        ErrorCode code = MULLAMA_ERROR_INTERNAL;
        std::string message;
        std::string parameter;
        std::string expected;
        std::string actual;
        std::string log;
        std::int64_t offset = -1;
        std::int64_t line = 0;
        std::int64_t column = 0;
        bool retryable = false;
        std::shared_ptr<const Parts> cause;
    };

    Error(ErrorCode code, std::string_view message) : parts_(std::make_shared<Parts>()) {
        parts_->code = code;
        parts_->message = message;
    }

    Error &parameter(std::string_view name) { return set(parts_->parameter, name); }
    Error &expected(std::string_view text) { return set(parts_->expected, text); }
    Error &actual(std::string_view text) { return set(parts_->actual, text); }
    Error &log(std::string_view lines) { return set(parts_->log, lines); }

    template <class Number>
        requires std::is_arithmetic_v<Number>
    Error &actual(Number value) {
        if constexpr (std::is_floating_point_v<Number>) {
            return actual(exact_text(value));
        } else {
            return actual(std::to_string(value));
        }
    }

    Error &offset(std::int64_t bytes) {
        parts_->offset = bytes;
        return *this;
    }
    Error &at(std::int64_t line, std::int64_t column) {
        parts_->line = line;
        parts_->column = column;
        return *this;
    }
    Error &retryable() {
        parts_->retryable = true;
        return *this;
    }
    Error &cause(const Error &error) {
        parts_->cause = error.parts_;
        return *this;
    }

    [[nodiscard]] ErrorCode code() const noexcept { return parts_->code; }
    [[nodiscard]] const std::string &message() const noexcept { return parts_->message; }
    [[nodiscard]] const Parts &parts() const noexcept { return *parts_; }
    [[nodiscard]] std::shared_ptr<const Parts> share() const noexcept { return parts_; }
    [[nodiscard]] const char *what() const noexcept override { return parts_->message.c_str(); }

private:
    Error &set(std::string &field, std::string_view text) {
        field = text;
        return *this;
    }

    std::shared_ptr<Parts> parts_;
};

} // namespace mullama::base

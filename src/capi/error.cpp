#include "capi/error.hpp"

#include "base/utf8.hpp"
#include "capi/options.hpp"

#include <array>
#include <string>
#include <type_traits>

namespace {

using mullama::base::Error;

// Outlives everything, so that even a thread that runs while the process exits can read it.
constinit mullama_error out_of_memory_error{
    .code = MULLAMA_ERROR_OUT_OF_MEMORY,
    .retryable = true,
    .message = "out of memory",
};
static_assert(std::is_trivially_destructible_v<mullama_error>);

// One that came from an exception: the texts live in the exception's parts.
struct OwnedError final : mullama_error {
    explicit OwnedError(std::shared_ptr<const Error::Parts> from) : parts(clean(std::move(from))) {
        code = parts->code;
        retryable = parts->retryable;
        message = parts->message;
        parameter = parts->parameter;
        expected = parts->expected;
        actual = parts->actual;
        log = parts->log;
        offset = parts->offset;
        line = parts->line;
        column = parts->column;
        if (parts->cause) {
            owned_cause = std::make_unique<OwnedError>(parts->cause);
            cause = owned_cause.get();
        }
    }

    std::shared_ptr<const Error::Parts> parts;
    std::unique_ptr<OwnedError> owned_cause;

private:
    static constexpr std::array texts = {&Error::Parts::message, &Error::Parts::parameter,
                                         &Error::Parts::expected, &Error::Parts::actual,
                                         &Error::Parts::log};

    // Text that goes out is UTF-8, whatever a file's metadata or an engine put into it.
    static std::shared_ptr<const Error::Parts> clean(std::shared_ptr<const Error::Parts> parts) {
        std::shared_ptr<Error::Parts> copy;
        for (const auto text : texts) {
            const std::string &bytes = (*parts).*text;
            if (mullama::base::find_invalid_utf8(bytes) == std::string::npos)
                continue;
            if (!copy)
                copy = std::make_shared<Error::Parts>(*parts);
            (*copy).*text = mullama::base::replace_invalid_utf8(bytes);
        }
        if (copy)
            return copy;
        return parts;
    }
};

const char *part(const mullama_error_t *error, std::string_view mullama_error::*field,
                 size_t *size) noexcept {
    const std::string_view text = error == nullptr ? std::string_view("") : error->*field;
    if (size != nullptr)
        *size = text.size();
    return text.data();
}

} // namespace

namespace mullama::capi {

mullama_error_t *new_error(const Error &error) {
    return new OwnedError(error.share());
}

mullama_error_t *out_of_memory() noexcept {
    return &out_of_memory_error;
}

} // namespace mullama::capi

void mullama_error_free(mullama_error_t *error) {
    if (error != &out_of_memory_error)
        delete static_cast<OwnedError *>(error);
}

mullama_error_code_t mullama_error_code(const mullama_error_t *error) {
    return error == nullptr ? MULLAMA_OK : error->code;
}

const char *mullama_error_code_name(mullama_error_code_t code) {
    static constexpr std::array names = {
        "ok",
        "internal",
        "out_of_memory",
        "invalid_argument",
        "out_of_range",
        "invalid_utf8",
        "invalid_state",
        "busy",
        "cancelled",
        "unsupported",
        "forked",
        "not_found",
        "permission",
        "io",
        "bad_file",
        "bad_model",
        "unknown_model",
        "no_space",
        "engine",
        "crashed",
        "abi",
        "bad_state",
    };
    static_assert(names.size() == static_cast<std::size_t>(MULLAMA_ERROR_BAD_STATE) + 1);
    int number = 0;
    std::memcpy(&number, &code, sizeof number); // a caller may pass any value
    if (number < 0 || number >= static_cast<int>(names.size()))
        return "unknown";
    return names[static_cast<std::size_t>(number)];
}

const char *mullama_error_message(const mullama_error_t *error, size_t *size) {
    return part(error, &mullama_error::message, size);
}

const char *mullama_error_parameter(const mullama_error_t *error, size_t *size) {
    return part(error, &mullama_error::parameter, size);
}

const char *mullama_error_expected(const mullama_error_t *error, size_t *size) {
    return part(error, &mullama_error::expected, size);
}

const char *mullama_error_actual(const mullama_error_t *error, size_t *size) {
    return part(error, &mullama_error::actual, size);
}

const char *mullama_error_log(const mullama_error_t *error, size_t *size) {
    return part(error, &mullama_error::log, size);
}

bool mullama_error_retryable(const mullama_error_t *error) {
    return error != nullptr && error->retryable;
}

const mullama_error_t *mullama_error_cause(const mullama_error_t *error) {
    return error == nullptr ? nullptr : error->cause;
}

void mullama_error_position_init(mullama_error_position_t *position, size_t struct_size) {
    mullama::capi::init_struct(position, struct_size,
                               {.struct_size = 0, .offset = -1, .line = 0, .column = 0});
}

bool mullama_error_get_position(const mullama_error_t *error, mullama_error_position_t *position) {
    using mullama::capi::max_struct_size;
    using mullama::capi::min_struct_size;
    const bool somewhere =
        error != nullptr && (error->offset >= 0 || error->line > 0 || error->column > 0);
    if (!somewhere || position == nullptr || position->struct_size < min_struct_size ||
        position->struct_size > max_struct_size) {
        return false;
    }
    mullama::capi::write_struct(position, mullama_error_position_t{.struct_size = 0,
                                                                   .offset = error->offset,
                                                                   .line = error->line,
                                                                   .column = error->column});
    return true;
}

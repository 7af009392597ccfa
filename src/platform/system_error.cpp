#include "platform/system_error.hpp"

#include "base/utf8.hpp"

namespace mullama::platform {

base::Error system_error(int code, std::string_view what) {
    std::string message = "cannot ";
    message += what;
    message += ": ";
    message += system_message(code);
    base::Error error(system_error_kind(code), message);
    if (system_error_passes(code))
        error.retryable();
    return error;
}

std::string quoted(std::string_view text) {
    return "'" + base::replace_invalid_utf8(text) + "'";
}

} // namespace mullama::platform

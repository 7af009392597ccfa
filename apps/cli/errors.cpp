#include "cli/errors.hpp"

#include <algorithm>

#include "cli/args.hpp"
#include "cli/json_writer.hpp"
#include "cli/utf8.hpp"

namespace mullama::cli {
namespace {

void write_head(Terminal &err, std::string_view message) {
    err.write("mullama: " + err.styled(Style::red, "error:") + ' ' + visible(message) + '\n');
}

void write_hint(Terminal &err, std::string_view label, std::string_view text) {
    if (!text.empty()) {
        err.write("  " + err.styled(Style::dim, label) + ' ' + visible(text) + '\n');
    }
}

void write_json(Terminal &err, JsonWriter &json) {
    err.write(json.end_object().end_object().text() + "\n");
}

JsonWriter begin_json(std::string_view code, std::string_view message) {
    JsonWriter json;
    json.begin_object().key("error").begin_object().member("code", code).member("message", message);
    return json;
}

} // namespace

void Reporter::usage(std::string_view message, std::string_view command) const {
    const std::string help = "`" + std::string(command) + " --help` shows what is possible";
    if (json) {
        JsonWriter out = begin_json("usage", message);
        out.member("hint", help);
        write_json(err, out);
    } else {
        write_head(err, message);
        write_hint(err, "hint:", help);
    }
    err.flush();
}

void Reporter::failure(const client::Failure &failure) const {
    const client::FailureParts &parts = failure.parts();
    const std::string flag = flag_of(parts.parameter);
    if (json) {
        JsonWriter out = begin_json(failure.code_name(), parts.message);
        const auto member = [&](const char *name, const std::string &text) {
            if (!text.empty()) {
                out.member(name, text);
            }
        };
        member("parameter", flag);
        member("expected", parts.expected);
        member("actual", parts.actual);
        if (parts.offset >= 0) {
            out.member("offset", parts.offset);
        }
        member("engine_log", parts.log);
        out.member("retryable", parts.retryable);
        write_json(err, out);
    } else {
        write_head(err, parts.message);
        write_hint(err, "at:      ", flag);
        write_hint(err, "expected:", parts.expected);
        write_hint(err, "actual:  ", parts.actual);
        if (parts.offset >= 0) {
            write_hint(err, "offset:  ", std::to_string(parts.offset));
        }
        std::string_view log = parts.log;
        while (!log.empty()) {
            const std::size_t end = std::min(log.find('\n'), log.size());
            write_hint(err, "engine:  ", log.substr(0, end));
            log.remove_prefix(std::min(end + 1, log.size()));
        }
    }
    err.flush();
}

void Reporter::other(const std::exception &error) const {
    if (json) {
        JsonWriter out = begin_json("failure", error.what());
        write_json(err, out);
    } else {
        write_head(err, error.what());
    }
    err.flush();
}

ExitCode exit_code_of(const client::Failure &failure) {
    switch (failure.code()) {
    case MULLAMA_ERROR_INVALID_ARGUMENT:
    case MULLAMA_ERROR_OUT_OF_RANGE:
    case MULLAMA_ERROR_INVALID_UTF8:
        return exit_usage;
    case MULLAMA_ERROR_NOT_FOUND:
    case MULLAMA_ERROR_UNSUPPORTED:
        // No device, stage or engine of that name: what was typed is wrong, not the model.
        if (flag_of(failure.parts().parameter).starts_with("--")) {
            return exit_usage;
        }
        break;
    default:
        break;
    }
    return dynamic_cast<const LoadFailure *>(&failure) != nullptr ? exit_model : exit_failure;
}

} // namespace mullama::cli

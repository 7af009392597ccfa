#include "capi/guard.hpp"

#include "base/utf8.hpp"
#include "capi/error.hpp"
#include "capi/handles.hpp"
#include "capi/options.hpp"

#include <exception>
#include <limits>
#include <new>
#include <string>

namespace mullama::capi {

using base::Error;

mullama_error_t *current_error() noexcept {
    try {
        try {
            throw;
        } catch (const Error &error) {
            return new_error(error);
        } catch (const std::bad_alloc &) {
            return out_of_memory();
        } catch (const std::exception &error) {
            return new_error(
                Error(MULLAMA_ERROR_INTERNAL,
                      std::string("defect in mullama, please report it: ") + error.what()));
        } catch (...) {
            return new_error(Error(MULLAMA_ERROR_INTERNAL,
                                   "defect in mullama, please report it: an exception of an "
                                   "unknown type reached the border of the library"));
        }
    } catch (...) {
        return out_of_memory();
    }
}

void refuse_null(std::string_view parameter) {
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, std::string(parameter) + " must not be NULL")
        .parameter(parameter)
        .expected("a pointer")
        .actual("NULL");
}

void refuse_count(std::string_view parameter, std::size_t count, std::size_t most) {
    throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                std::string(parameter) + " cannot be as long as " + std::to_string(count))
        .parameter(parameter)
        .expected("at most " + std::to_string(most))
        .actual(count);
}

void refuse_enum(std::string_view parameter, int value, int first, int last) {
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                std::string(parameter) + " has no such value: " + std::to_string(value) +
                    "; this library knows " + std::to_string(first) + " to " + std::to_string(last))
        .parameter(parameter)
        .expected(std::to_string(first) + " to " + std::to_string(last))
        .actual(value);
}

void refuse_nul(std::string_view parameter, std::size_t offset) {
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, std::string(parameter) +
                                                    " must hold no NUL, and has one at offset " +
                                                    std::to_string(offset))
        .parameter(parameter)
        .expected("no NUL")
        .actual("NUL")
        .offset(static_cast<std::int64_t>(offset));
}

std::string_view text(const char *data, std::size_t size, std::string_view parameter) {
    constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
    const std::string_view view = bytes(data, size, parameter);
    if (view.size() > most)
        refuse_count(parameter, size, most);
    base::require_utf8(view, parameter);
    return view;
}

std::string_view c_text(const char *data, std::string_view parameter) {
    require(data, parameter);
    return text(data, std::strlen(data), parameter);
}

std::string_view path(const char *data, std::size_t size, std::string_view parameter) {
    require(data, parameter);
    const std::string_view view = text(data, size, parameter);
    if (view.empty()) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, std::string(parameter) + " is empty")
            .parameter(parameter)
            .expected("a path")
            .actual("\"\"");
    }
    if (const std::size_t nul = view.find('\0'); nul != std::string_view::npos)
        refuse_nul(parameter, nul);
    return view;
}

void refuse_struct_size(std::string_view parameter, std::string_view init, std::size_t size) {
    throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, std::string(parameter) + "->struct_size is " +
                                                    std::to_string(size) + ": call " +
                                                    std::string(init) + "() on the struct first")
        .parameter(std::string(parameter) + "->struct_size")
        .expected("what " + std::string(init) + "() sets")
        .actual(size);
}

void refuse_unknown_field(std::string_view parameter, std::size_t known, std::size_t offset) {
    throw Error(MULLAMA_ERROR_UNSUPPORTED,
                std::string(parameter) +
                    " asks for something that this library is too old for: a field at offset " +
                    std::to_string(offset) + " is set, and the struct ends at " +
                    std::to_string(known) + " here; load a newer mullama, or leave it unset")
        .parameter(parameter)
        .expected("zeros from offset " + std::to_string(known) + " on")
        .actual("a field set at offset " + std::to_string(offset))
        .offset(static_cast<std::int64_t>(offset));
}

void refuse_forked(std::string_view object) {
    throw Error(MULLAMA_ERROR_FORKED,
                "the process forked after the " + std::string(object) +
                    " was made, and its threads and locks stayed in the parent: make the " +
                    std::string(object) + " in the child")
        .parameter(object);
}

void refuse_busy(std::string_view object) {
    throw Error(MULLAMA_ERROR_BUSY,
                "the " + std::string(object) +
                    " is in use, by another thread or by the call whose callback this is; one "
                    "thread uses it at a time")
        .parameter(object)
        .retryable();
}

} // namespace mullama::capi

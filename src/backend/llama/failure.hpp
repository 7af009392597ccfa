// What llama.cpp's failures become.
#pragma once

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "backend/llama/log.hpp"
#include "base/error.hpp"

namespace mullama::backend::llama {

// Calls llama.cpp, whose C functions let C++ exceptions through. `what`, for the message: "decode".
template <class Call>
auto guarded(std::string_view what, const LogCapture &capture, Call &&call) {
    const auto failed = [&](base::ErrorCode code, std::string_view why) {
        return base::Error(code,
                           "llama.cpp failed to " + std::string(what) + ": " + std::string(why))
            .log(capture.text());
    };
    try {
        return call();
    } catch (const base::Error &) {
        throw;
    } catch (const std::bad_alloc &) {
        throw failed(MULLAMA_ERROR_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception &error) {
        throw failed(MULLAMA_ERROR_ENGINE, error.what());
    }
}

} // namespace mullama::backend::llama

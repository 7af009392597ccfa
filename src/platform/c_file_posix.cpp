#include "platform/c_file.hpp"

#include "platform/system_error.hpp"

#include <cerrno>

namespace mullama::platform {

CFile to_c_file(Handle handle, std::string_view path) {
    CFile file(::fdopen(handle.get(), "rb"));
    if (!file)
        throw system_error(errno, "open " + quoted(path)).parameter("path");
    static_cast<void>(handle.release()); // the C file closes it
    return file;
}

} // namespace mullama::platform

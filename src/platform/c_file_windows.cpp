#include "platform/c_file.hpp"

#include "platform/system_error.hpp"

#include <cstdint>

#include <fcntl.h>
#include <io.h>

namespace mullama::platform {
namespace {

base::Error too_many_files(std::string_view path) {
    return base::Error(MULLAMA_ERROR_IO, "cannot open " + quoted(path) +
                                             ": the C library has no room for another file")
        .parameter("path")
        .retryable();
}

} // namespace

CFile to_c_file(Handle handle, std::string_view path) {
    const int descriptor = ::_open_osfhandle(reinterpret_cast<std::intptr_t>(handle.get()),
                                             _O_RDONLY | _O_BINARY | _O_NOINHERIT);
    if (descriptor < 0)
        throw too_many_files(path);
    static_cast<void>(handle.release()); // the descriptor closes it
    CFile file(::_fdopen(descriptor, "rb"));
    if (!file) {
        ::_close(descriptor);
        throw too_many_files(path);
    }
    return file;
}

} // namespace mullama::platform

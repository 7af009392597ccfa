#include "platform/system_error.hpp"

#include <cerrno>
#include <system_error>

namespace mullama::platform {

std::string system_message(int code) {
    return std::system_category().message(code);
}

base::ErrorCode system_error_kind(int code) noexcept {
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return MULLAMA_ERROR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return MULLAMA_ERROR_PERMISSION;
    case ENOMEM:
        return MULLAMA_ERROR_OUT_OF_MEMORY;
    case ENOSPC:
    case EDQUOT:
        return MULLAMA_ERROR_NO_SPACE;
    case ENOSYS:
        return MULLAMA_ERROR_UNSUPPORTED;
    default:
        return MULLAMA_ERROR_IO;
    }
}

bool system_error_passes(int code) noexcept {
    switch (code) {
    case EAGAIN:
    case EBUSY:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
    case ETXTBSY:
        return true;
    default:
        return false;
    }
}

} // namespace mullama::platform

#include "platform/handle.hpp"

#include "platform/system_windows.hpp"

namespace mullama::platform {

Handle::Handle(Native native) noexcept : native_(native == INVALID_HANDLE_VALUE ? none : native) {
}

Handle::~Handle() {
    if (native_ != none)
        ::CloseHandle(native_);
}

} // namespace mullama::platform

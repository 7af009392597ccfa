#include "platform/handle.hpp"

#include <unistd.h>

namespace mullama::platform {

Handle::Handle(Native native) noexcept : native_(native < 0 ? none : native) {
}

Handle::~Handle() {
    // Not tried again on EINTR: the descriptor is gone by then, and its number may be another's.
    if (native_ != none)
        ::close(native_);
}

} // namespace mullama::platform

#include "platform/notifier.hpp"

#include "platform/system_error.hpp"
#include "platform/system_windows.hpp"

namespace mullama::platform {

// Stays ready until it is reset, as a descriptor does.
Notifier::Notifier() : wait_(::CreateEventW(nullptr, TRUE, FALSE, nullptr)) {
    if (!wait_)
        throw system_error(last_error(), "make a handle to wait for");
}

void Notifier::signal() noexcept {
    ::SetEvent(wait_.get());
}

void Notifier::reset() noexcept {
    ::ResetEvent(wait_.get());
}

} // namespace mullama::platform

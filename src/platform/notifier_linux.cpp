#include "platform/notifier.hpp"

#include "platform/system_error.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace mullama::platform {

Notifier::Notifier() : wait_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wait_)
        throw system_error(errno, "make a handle to wait for");
}

void Notifier::signal() noexcept {
    const std::uint64_t one = 1;
    // Fails only where it is ready as often as it can count.
    while (::write(wait_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void Notifier::reset() noexcept {
    std::uint64_t count = 0;
    while (::read(wait_.get(), &count, sizeof count) < 0 && errno == EINTR) {
    }
}

} // namespace mullama::platform

#include "platform/notifier.hpp"

#include "platform/system_error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace mullama::platform {

Notifier::Notifier() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0)
        throw system_error(errno, "make a handle to wait for");
    wait_ = Handle(ends[0]);
    write_ = Handle(ends[1]);
    for (const int end : ends) {
        if (::fcntl(end, F_SETFD, FD_CLOEXEC) != 0 || ::fcntl(end, F_SETFL, O_NONBLOCK) != 0)
            throw system_error(errno, "make a handle to wait for");
    }
}

void Notifier::signal() noexcept {
    const char one = 1;
    // A full pipe is ready already.
    while (::write(write_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void Notifier::reset() noexcept {
    std::array<char, 64> bytes{};
    for (;;) {
        const ssize_t got = ::read(wait_.get(), bytes.data(), bytes.size());
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return;
    }
}

} // namespace mullama::platform

// Something that a poll, select or WaitForSingleObject can wait for: ready or not.
#pragma once

#include "platform/handle.hpp"

namespace mullama::platform {

// Thread safety: all of it.
class Notifier {
public:
    // Throws base::Error with MULLAMA_ERROR_IO where the system has no more handles.
    Notifier();

    // Ready from now on; more than once is the same as once.
    void signal() noexcept;
    // Not ready any more.
    void reset() noexcept;

    // To wait for: readable while ready. It lives as long as this.
    [[nodiscard]] Handle::Native handle() const noexcept { return wait_.get(); }

private:
    Handle wait_;
    // Where what is written becomes readable at the other end; empty where one handle does both.
    Handle write_;
};

} // namespace mullama::platform

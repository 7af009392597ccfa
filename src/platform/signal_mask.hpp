// Which threads hear signals.
#pragma once

#include <memory>

namespace mullama::platform {

// While it lives, the calling thread hears no signal, nor do threads that it starts, then or ever:
// what is sent to the process goes to the host's own threads, as if ours weren't there. Faults of a
// thread's own making (SIGSEGV and its like) still reach the host's handlers. Nothing on Windows,
// which has no such signals.
class SignalsBlocked {
public:
    SignalsBlocked() noexcept;
    SignalsBlocked(const SignalsBlocked &) = delete;
    SignalsBlocked &operator=(const SignalsBlocked &) = delete;
    ~SignalsBlocked();

private:
    struct Before;
    std::unique_ptr<Before> before_;
};

} // namespace mullama::platform

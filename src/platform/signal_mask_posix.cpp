#include "platform/signal_mask.hpp"

#include <csignal>
#include <new>

#include <pthread.h>

namespace mullama::platform {

struct SignalsBlocked::Before {
    sigset_t signals;
};

SignalsBlocked::SignalsBlocked() noexcept : before_(new(std::nothrow) Before) {
    if (!before_) {
        return;
    }
    sigset_t blocked;
    ::sigfillset(&blocked);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
        ::sigdelset(&blocked, fault);
    }
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before_->signals);
}

SignalsBlocked::~SignalsBlocked() {
    if (before_) {
        ::pthread_sigmask(SIG_SETMASK, &before_->signals, nullptr);
    }
}

} // namespace mullama::platform

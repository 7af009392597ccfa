#include "cli/interrupt.hpp"

namespace mullama::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

extern "C" void on_interrupt(int) {
    interrupted = 1;
}

} // namespace

Interrupt::Interrupt() {
    interrupted = 0;
    struct sigaction action{};
    action.sa_handler = on_interrupt;
    sigemptyset(&action.sa_mask);
    // Not SA_RESTART: a read from standard input has to end too.
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &previous_);
}

Interrupt::~Interrupt() {
    sigaction(SIGINT, &previous_, nullptr);
}

bool Interrupt::requested() noexcept {
    return interrupted != 0;
}

} // namespace mullama::cli

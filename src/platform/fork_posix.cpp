#include "platform/fork.hpp"

#include <atomic>
#include <pthread.h>

namespace mullama::platform {
namespace {

// Lock-free, so that the handler below may write it: it runs in a child that has one thread left.
std::atomic<std::uint32_t> count{0};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// The C library forgets the handler when the shared library that registered it is unloaded. Where
// it cannot register one (no memory at all), forks go unnoticed, as they do in most libraries.
const int registered =
    pthread_atfork(nullptr, nullptr, +[] { count.fetch_add(1, std::memory_order_relaxed); });

} // namespace

std::uint32_t fork_count() noexcept {
    return count.load(std::memory_order_relaxed);
}

} // namespace mullama::platform

#include "platform/thread.hpp"

#include "base/utf8.hpp"
#include "platform/system_file_linux.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <pthread.h>

namespace mullama::platform {

void set_thread_name(std::string_view name) noexcept {
    std::array<char, 16> text{}; // the system takes no more
    name = name.substr(0, text.size() - 1);
    name = name.substr(0, base::complete_utf8_prefix(name));
    std::copy(name.begin(), name.end(), text.begin());
    ::pthread_setname_np(::pthread_self(), text.data());
}

std::string thread_name() {
    std::array<char, 16> text{};
    ::pthread_getname_np(::pthread_self(), text.data(), text.size());
    return text.data();
}

std::size_t thread_count() {
    const std::string status = read_system_file("/proc/self/status");
    constexpr std::string_view key = "\nThreads:\t";
    const std::size_t at = status.find(key);
    std::size_t count = 0;
    if (at != std::string::npos)
        std::from_chars(status.data() + at + key.size(), status.data() + status.size(), count);
    return count;
}

} // namespace mullama::platform

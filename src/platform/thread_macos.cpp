#include "platform/thread.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <array>

#include <mach/mach.h>
#include <pthread.h>

namespace mullama::platform {

void set_thread_name(std::string_view name) noexcept {
    std::array<char, 64> text{}; // the system takes no more
    name = name.substr(0, text.size() - 1);
    name = name.substr(0, base::complete_utf8_prefix(name));
    std::copy(name.begin(), name.end(), text.begin());
    ::pthread_setname_np(text.data());
}

std::string thread_name() {
    std::array<char, 64> text{};
    ::pthread_getname_np(::pthread_self(), text.data(), text.size());
    return text.data();
}

std::size_t thread_count() {
    thread_act_array_t threads = nullptr;
    mach_msg_type_number_t count = 0;
    if (::task_threads(::mach_task_self(), &threads, &count) != KERN_SUCCESS)
        return 0;
    for (mach_msg_type_number_t i = 0; i < count; ++i)
        ::mach_port_deallocate(::mach_task_self(), threads[i]);
    ::vm_deallocate(::mach_task_self(), reinterpret_cast<vm_address_t>(threads),
                    count * sizeof(thread_act_t));
    return count;
}

} // namespace mullama::platform

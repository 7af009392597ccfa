#include "platform/thread.hpp"

#include "platform/handle.hpp"
#include "platform/system_windows.hpp"

#include <tlhelp32.h>

namespace mullama::platform {
namespace {

// Only Windows 10 and later have functions for names.
template <class Function>
Function from_kernel(const char *name) noexcept {
    const HMODULE kernel = ::GetModuleHandleW(L"kernel32.dll");
    if (kernel == nullptr)
        return nullptr;
    // By way of a plain function pointer: the compiler warns of casts between unlike types.
    return reinterpret_cast<Function>(reinterpret_cast<void (*)()>(::GetProcAddress(kernel, name)));
}

} // namespace

void set_thread_name(std::string_view name) noexcept {
    using Set = HRESULT(WINAPI *)(HANDLE, PCWSTR);
    static const Set set = from_kernel<Set>("SetThreadDescription");
    if (set == nullptr)
        return;
    try {
        set(::GetCurrentThread(), to_wide(name).c_str());
    } catch (...) {
        // No memory for a name: the thread does without.
    }
}

std::string thread_name() {
    using Get = HRESULT(WINAPI *)(HANDLE, PWSTR *);
    static const Get get = from_kernel<Get>("GetThreadDescription");
    PWSTR text = nullptr;
    if (get == nullptr || get(::GetCurrentThread(), &text) < 0 || text == nullptr)
        return {};
    std::string name = to_utf8(text);
    ::LocalFree(text);
    return name;
}

std::size_t thread_count() {
    const Handle snapshot(::CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0));
    THREADENTRY32 entry{};
    entry.dwSize = sizeof entry;
    if (!snapshot || ::Thread32First(snapshot.get(), &entry) == 0)
        return 0;
    std::size_t count = 0;
    do {
        if (entry.th32OwnerProcessID == ::GetCurrentProcessId())
            ++count;
    } while (::Thread32Next(snapshot.get(), &entry) != 0);
    return count;
}

} // namespace mullama::platform

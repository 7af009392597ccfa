#include "platform/location.hpp"

#include "platform/system_windows.hpp"

namespace mullama::platform {
namespace {

std::string module_path(HMODULE module) {
    std::wstring path(MAX_PATH, L'\0');
    while (true) {
        const DWORD size =
            ::GetModuleFileNameW(module, path.data(), static_cast<DWORD>(path.size()));
        if (size == 0)
            return {};
        if (size < path.size()) {
            path.resize(size);
            return to_utf8(path);
        }
        path.resize(path.size() * 2); // cut off
    }
}

} // namespace

std::string this_library_path() {
    HMODULE module = nullptr;
    if (::GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                 GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                             reinterpret_cast<LPCWSTR>(&this_library_path), &module) == 0) {
        return {};
    }
    return module_path(module);
}

std::string this_program_path() {
    return module_path(nullptr);
}

} // namespace mullama::platform

#include "platform/location.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>

#include <dlfcn.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#elif defined(__linux__)
#include <link.h>
#endif

namespace mullama::platform {
namespace {

struct Free {
    void operator()(char *text) const noexcept { std::free(text); }
};

std::string resolved(const char *path) {
    const std::unique_ptr<char, Free> real(::realpath(path, nullptr));
    return real ? real.get() : "";
}

#ifdef __linux__

// An object that is loaded into the process, and an address to find it by.
struct Search {
    std::uintptr_t address;
    bool found;
    std::string name;
};

int visit(dl_phdr_info *object, std::size_t, void *user_data) {
    auto &search = *static_cast<Search *>(user_data);
    for (unsigned i = 0; i < object->dlpi_phnum; ++i) {
        const auto &segment = object->dlpi_phdr[i];
        const std::uintptr_t start = object->dlpi_addr + segment.p_vaddr;
        if (segment.p_type == PT_LOAD && search.address >= start &&
            search.address - start < segment.p_memsz) {
            search.found = true;
            search.name = object->dlpi_name;
            return 1;
        }
    }
    return 0;
}

#endif

} // namespace

std::string this_library_path() {
#ifdef __linux__
    // Not dladdr(): for the program itself it repeats argv[0], which can be anything. Here the
    // program is the object without a name.
    Search search{reinterpret_cast<std::uintptr_t>(&this_library_path), false, {}};
    ::dl_iterate_phdr(visit, &search);
    if (!search.found)
        return {};
    return search.name.empty() ? this_program_path() : resolved(search.name.c_str());
#else
    Dl_info info{};
    if (::dladdr(reinterpret_cast<const void *>(&this_library_path), &info) == 0 ||
        info.dli_fname == nullptr) {
        return {};
    }
    return resolved(info.dli_fname);
#endif
}

std::string this_program_path() {
#if defined(__APPLE__)
    std::uint32_t size = 0;
    ::_NSGetExecutablePath(nullptr, &size);
    std::string path(size, '\0');
    if (::_NSGetExecutablePath(path.data(), &size) != 0)
        return {};
    return resolved(path.c_str());
#else
    return resolved("/proc/self/exe");
#endif
}

} // namespace mullama::platform

// A handle of the operating system that is closed with its owner.
#pragma once

#include <utility>

namespace mullama::platform {

class Handle {
public:
#ifdef _WIN32
    using Native = void *; // HANDLE
    static constexpr Native none = nullptr;
#else
    using Native = int; // file descriptor
    static constexpr Native none = -1;
#endif

    Handle() noexcept = default;
    // Takes ownership. Whatever the system returns for "no handle" makes an empty one.
    explicit Handle(Native native) noexcept;
    Handle(Handle &&other) noexcept : native_(std::exchange(other.native_, none)) {}
    Handle &operator=(Handle &&other) noexcept {
        Handle old(std::exchange(native_, std::exchange(other.native_, none)));
        return *this;
    }
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;
    ~Handle();

    [[nodiscard]] Native get() const noexcept { return native_; }
    [[nodiscard]] explicit operator bool() const noexcept { return native_ != none; }

    // Hands ownership to the caller.
    [[nodiscard]] Native release() noexcept { return std::exchange(native_, none); }

private:
    Native native_ = none;
};

} // namespace mullama::platform

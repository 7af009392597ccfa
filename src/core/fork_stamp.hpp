// Remembers the process that made an object.
#pragma once

#include <cstdint>

namespace mullama::core {

class ForkStamp {
public:
    ForkStamp() noexcept;

    // Whether this is a child that was forked after the object was made. Costs a call and a load.
    [[nodiscard]] bool forked() const noexcept;

private:
    std::uint32_t count_;
};

} // namespace mullama::core

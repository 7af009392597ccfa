#include "core/fork_stamp.hpp"

#include "platform/fork.hpp"

namespace mullama::core {

ForkStamp::ForkStamp() noexcept : count_(platform::fork_count()) {
}

bool ForkStamp::forked() const noexcept {
    return count_ != platform::fork_count();
}

} // namespace mullama::core

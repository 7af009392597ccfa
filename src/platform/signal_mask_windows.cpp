#include "platform/signal_mask.hpp"

namespace mullama::platform {

struct SignalsBlocked::Before {};

SignalsBlocked::SignalsBlocked() noexcept = default;
SignalsBlocked::~SignalsBlocked() = default;

} // namespace mullama::platform

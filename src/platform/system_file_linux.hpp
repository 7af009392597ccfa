// The files below /proc and /sys in which Linux tells about itself. For Linux sources only.
#pragma once

#include <string>

namespace mullama::platform {

// All of one such file; "" when it is missing or can't be read.
[[nodiscard]] std::string read_system_file(const std::string &path);

} // namespace mullama::platform

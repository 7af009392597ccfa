// A client that does the work in this process.
#pragma once

#include <memory>

#include "client/client.hpp"

namespace mullama::client {

// Throws Failure where the loaded library speaks another contract than this program.
[[nodiscard]] std::unique_ptr<Client> in_process();

} // namespace mullama::client

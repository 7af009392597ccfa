// Writing a file so that there is never half of one.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace mullama::platform {

// Makes the file at `path`, or what it is to hold from now on: written under a passing name beside
// it, handed to the disk, then renamed. On failure an older file is as it was, and nothing is left
// behind. Only this user may read it. A link is replaced, not what it names. Throws
// MULLAMA_ERROR_NO_SPACE, before anything is written where the disk is known to have too little
// room, and MULLAMA_ERROR_NOT_FOUND (no such folder), _PERMISSION or _IO (a folder or a device has
// that name, too).
void replace_file(std::string_view path, std::span<const std::byte> bytes);

// Below: what differs between systems.

// The rest of replace_file(): the disk has been looked at.
void write_and_rename(std::string_view path, std::span<const std::byte> bytes);

} // namespace mullama::platform

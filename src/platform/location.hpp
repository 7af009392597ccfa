// Where the code that is running lies on disk, to find what is installed beside it.
#pragma once

#include <string>

namespace mullama::platform {

// The file that this function was loaded from: the shared library, or the program when the library
// is linked into it. Absolute, without symbolic links. "" when the system doesn't tell.
[[nodiscard]] std::string this_library_path();

// The program that runs in this process, in the same form.
[[nodiscard]] std::string this_program_path();

} // namespace mullama::platform

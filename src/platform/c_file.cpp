#include "platform/c_file.hpp"

namespace mullama::platform {

CFile open_c_file(std::string_view path) {
    return to_c_file(File::open(path).release(), path);
}

} // namespace mullama::platform

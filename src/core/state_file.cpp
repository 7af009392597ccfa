#include "core/state_file.hpp"

#include "base/error.hpp"
#include "platform/file.hpp"
#include "platform/mapping.hpp"
#include "platform/replace_file.hpp"

namespace mullama::core {

void with_state_file(std::string_view path,
                     const std::function<void(std::span<const std::byte>)> &use) {
    const platform::Mapping mapping(platform::File::open(path));
    try {
        use(mapping.bytes());
    } catch (const base::Error &error) {
        if (error.code() != MULLAMA_ERROR_BAD_STATE) {
            throw;
        }
        base::Error named = error;
        throw named.parameter("path");
    }
}

void write_state_file(std::string_view path, std::string_view state) {
    platform::replace_file(path, std::as_bytes(std::span(state)));
}

} // namespace mullama::core

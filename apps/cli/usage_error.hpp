// Arguments that cannot be meant: the program says why, and where its help is.
#pragma once

#include <stdexcept>

namespace mullama::cli {

class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

} // namespace mullama::cli

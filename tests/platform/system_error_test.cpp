#include "platform/system_error.hpp"

#include <gtest/gtest.h>

#ifdef _WIN32
#include "platform/system_windows.hpp"
#else
#include <cerrno>
#endif

namespace mullama::platform {
namespace {

#ifdef _WIN32
constexpr int missing = ERROR_FILE_NOT_FOUND;
constexpr int denied = ERROR_ACCESS_DENIED;
constexpr int no_memory = ERROR_NOT_ENOUGH_MEMORY;
constexpr int full = ERROR_DISK_FULL;
constexpr int failed = ERROR_READ_FAULT;
#else
constexpr int missing = ENOENT;
constexpr int denied = EACCES;
constexpr int no_memory = ENOMEM;
constexpr int full = ENOSPC;
constexpr int failed = EIO;
#endif

TEST(SystemError, HasTheCodeThatFits) {
    EXPECT_EQ(system_error(missing, "open 'x'").code(), MULLAMA_ERROR_NOT_FOUND);
    EXPECT_EQ(system_error(denied, "open 'x'").code(), MULLAMA_ERROR_PERMISSION);
    EXPECT_EQ(system_error(no_memory, "open 'x'").code(), MULLAMA_ERROR_OUT_OF_MEMORY);
    EXPECT_EQ(system_error(full, "write 'x'").code(), MULLAMA_ERROR_NO_SPACE);
    EXPECT_EQ(system_error(failed, "open 'x'").code(), MULLAMA_ERROR_IO);
}

TEST(SystemError, SaysWhatAndWhy) {
    const base::Error error = system_error(missing, "open 'x'");
    EXPECT_EQ(error.message(), "cannot open 'x': " + system_message(missing));
    EXPECT_FALSE(system_message(missing).empty());
    EXPECT_FALSE(error.parts().retryable);
    EXPECT_TRUE(system_error(no_memory, "open 'x'").parts().retryable);
}

TEST(SystemError, QuotesAnyBytes) {
    EXPECT_EQ(quoted("a b"), "'a b'");
    EXPECT_EQ(quoted("a\xFF"), "'a\xEF\xBF\xBD'");
}

} // namespace
} // namespace mullama::platform

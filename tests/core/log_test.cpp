#include "core/log.hpp"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace {

using mullama::base::Error;
using mullama::core::Log;
using mullama::core::LogScope;
using mullama::core::with_log;

void keep_line(mullama_log_level_t, const char *text, size_t size, void *lines) {
    static_cast<std::vector<std::string> *>(lines)->emplace_back(text, size);
}

TEST(LogScope, SendsLinesOfItsThreadToItsLog) {
    Log outer_log;
    Log inner_log;
    std::vector<std::string> outer;
    std::vector<std::string> inner;
    outer_log.set_sink(MULLAMA_LOG_INFO, keep_line, &outer);
    inner_log.set_sink(MULLAMA_LOG_INFO, keep_line, &inner);
    {
        const LogScope outer_scope(outer_log);
        LogScope::route(MULLAMA_LOG_INFO, "one");
        {
            const LogScope inner_scope(inner_log);
            LogScope::route(MULLAMA_LOG_INFO, "two");
        }
        LogScope::route(MULLAMA_LOG_DEBUG, "too quiet");
        LogScope::route(MULLAMA_LOG_ERROR, "three");
        // Another thread works for somebody else.
        std::thread([] { LogScope::route(MULLAMA_LOG_ERROR, "elsewhere"); }).join();
    }
    LogScope::route(MULLAMA_LOG_ERROR, "nobody's");
    EXPECT_EQ(outer, (std::vector<std::string>{"one", "three"}));
    EXPECT_EQ(inner, (std::vector<std::string>{"two"}));
}

TEST(LogScope, GivesWarningsAndErrorsToTheFailure) {
    Log log;
    try {
        with_log(log, [] {
            LogScope::route(MULLAMA_LOG_INFO, "loading");
            LogScope::route(MULLAMA_LOG_WARN, "strange");
            LogScope::route(MULLAMA_LOG_ERROR, "wrong");
            throw Error(MULLAMA_ERROR_ENGINE, "it failed");
        });
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(error.parts().log, "strange\nwrong");
    }
    // An error that knows better keeps its own.
    try {
        with_log(log, [] {
            LogScope::route(MULLAMA_LOG_ERROR, "wrong");
            throw Error(MULLAMA_ERROR_ENGINE, "it failed").log("its own");
        });
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(error.parts().log, "its own");
    }
    EXPECT_EQ(with_log(log, [] { return 7; }), 7);
}

TEST(LogScope, KeepsTheNewestLines) {
    Log log;
    try {
        with_log(log, [] {
            for (int i = 0; i < 5000; ++i)
                LogScope::route(MULLAMA_LOG_WARN, "line " + std::to_string(i));
            throw Error(MULLAMA_ERROR_ENGINE, "it failed");
        });
        FAIL();
    } catch (const Error &error) {
        const std::string &kept = error.parts().log;
        EXPECT_LE(kept.size(), 16384U);
        EXPECT_GT(kept.size(), 8192U);
        EXPECT_TRUE(kept.starts_with("line ")) << kept.substr(0, 20);
        EXPECT_TRUE(kept.ends_with("line 4999"));
    }
}

TEST(Log, WritesUtf8Only) {
    Log log;
    std::vector<std::string> lines;
    log.set_sink(MULLAMA_LOG_INFO, keep_line, &lines);
    log.write(MULLAMA_LOG_INFO, "caf\xE9");
    EXPECT_EQ(lines, (std::vector<std::string>{"caf\xEF\xBF\xBD"}));
    EXPECT_TRUE(log.wants(MULLAMA_LOG_ERROR));
    EXPECT_FALSE(log.wants(MULLAMA_LOG_DEBUG));
    log.set_ring(MULLAMA_LOG_DEBUG, 1);
    EXPECT_TRUE(log.wants(MULLAMA_LOG_DEBUG));
}

} // namespace

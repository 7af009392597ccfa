// The table of engines.
#include <gtest/gtest.h>

#include <algorithm>

#include "backend/port.hpp"

namespace {

using namespace mullama::backend;

TEST(Registry, FindsEachEngineByItsName) {
    const auto names = backend_names();
    ASSERT_FALSE(names.empty());
    EXPECT_NE(std::ranges::find(names, "echo"), names.end());
    for (const std::string_view name : names) {
        const Backend *backend = find_backend(name);
        ASSERT_NE(backend, nullptr) << name;
        EXPECT_EQ(backend->name(), name);
        EXPECT_EQ(find_backend(name), backend) << "there is one instance";
        EXPECT_FALSE(backend->version().empty());
        EXPECT_FALSE(backend->devices().empty());
    }
}

TEST(Registry, KnowsNoOthers) {
    for (const std::string_view name : {"", "ECHO", "echo ", "llama.cpp"}) {
        EXPECT_EQ(find_backend(name), nullptr) << name;
    }
}

} // namespace

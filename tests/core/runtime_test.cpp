#include "core/runtime.hpp"

#include "base/error.hpp"

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace {

using mullama::base::Error;
using mullama::core::MemoryReservation;
using mullama::core::Runtime;

TEST(Runtime, ReservationsAreGivenBack) {
    const auto runtime = Runtime::create(1, 100);
    EXPECT_TRUE(runtime->limits_memory());
    MemoryReservation first = runtime->reserve(60, "the first");
    EXPECT_EQ(first.bytes(), 60U);
    try {
        static_cast<void>(runtime->reserve(41, "the second"));
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_NO_SPACE);
        EXPECT_EQ(error.parts().expected, "at most 40");
        EXPECT_EQ(error.parts().actual, "41");
        EXPECT_NE(error.message().find("the second"), std::string::npos);
    }
    {
        const MemoryReservation second = runtime->reserve(40, "the second");
        EXPECT_THROW(static_cast<void>(runtime->reserve(1, "the third")), Error);
    }
    // Moving takes the reservation along; assigning gives the old one back.
    MemoryReservation moved = std::move(first);
    EXPECT_EQ(moved.bytes(), 60U);
    moved = runtime->reserve(40, "another");
    EXPECT_EQ(moved.bytes(), 40U);
    MemoryReservation all = runtime->reserve(60, "the rest");
    moved.give_back();
    moved.give_back();
    EXPECT_EQ(moved.bytes(), 0U);
    EXPECT_NO_THROW(moved = runtime->reserve(40, "the rest"));
}

TEST(Runtime, WithoutABudgetEverythingFits) {
    const auto runtime = Runtime::create(1, 0);
    EXPECT_FALSE(runtime->limits_memory());
    const MemoryReservation huge = runtime->reserve(std::uint64_t{1} << 62, "much");
    EXPECT_NO_THROW(static_cast<void>(runtime->reserve(std::uint64_t{1} << 62, "more")));
}

TEST(Runtime, ReservationsOutliveItsOwner) {
    auto runtime = Runtime::create(1, 10);
    const MemoryReservation reservation = runtime->reserve(10, "all");
    runtime.reset();
    EXPECT_EQ(reservation.bytes(), 10U);
}

TEST(Runtime, ThreadsShareABudget) {
    const auto runtime = Runtime::create(1, 3);
    std::atomic<int> at_once{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 2000; ++round) {
                try {
                    const MemoryReservation one = runtime->reserve(1, "one");
                    EXPECT_LE(++at_once, 3);
                    --at_once;
                } catch (const Error &) {
                    std::this_thread::yield();
                }
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_NO_THROW(static_cast<void>(runtime->reserve(3, "all of it")));
}

TEST(Runtime, RemembersThreadsByModelAndConditions) {
    const auto runtime = Runtime::create(1, 0);
    EXPECT_FALSE(runtime->remembered("model", "key"));
    runtime->remember("model", "key", {2, 4});
    runtime->remember("model", "other key", {1, 1});
    const auto found = runtime->remembered("model", "key");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->n_threads, 2);
    EXPECT_EQ(found->n_threads_batch, 4);
    EXPECT_FALSE(runtime->remembered("another model", "key"));
    EXPECT_FALSE(Runtime::create(1, 0)->remembered("model", "key"));
    runtime->remember("model", "key", {3, 3});
    EXPECT_EQ(runtime->remembered("model", "key")->n_threads, 3);
}

TEST(Runtime, HasThreadsToComputeWith) {
    EXPECT_GE(Runtime::create(0, 0)->max_threads(), 1);
    EXPECT_EQ(Runtime::create(7, 0)->max_threads(), 7);
    EXPECT_EQ(Runtime::process_default(), Runtime::process_default());
}

TEST(Engines, AreFoundByName) {
    EXPECT_EQ(mullama::core::engine_named("echo").name(), "echo");
    try {
        static_cast<void>(mullama::core::engine_named("imaginary"));
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_UNSUPPORTED);
        EXPECT_EQ(error.parts().parameter, "backend");
        EXPECT_NE(error.message().find("echo"), std::string::npos);
    }
}

} // namespace

#include "support/capi.hpp"

#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

using namespace mullama::test;

namespace {

mullama_runtime_options_t runtime_options() {
    mullama_runtime_options_t options;
    mullama_runtime_options_init(&options, sizeof options);
    return options;
}

RuntimeHandle new_runtime(const mullama_runtime_options_t &options) {
    mullama_runtime_t *runtime = nullptr;
    EXPECT_OK(mullama_runtime_new(&options, &runtime));
    return RuntimeHandle(runtime);
}

ModelHandle echo_model_on(mullama_runtime_t *runtime) {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.backend = "echo";
    options.runtime = runtime;
    mullama_model_t *model = nullptr;
    EXPECT_OK(mullama_model_load(nullptr, 0, &options, &model));
    return ModelHandle(model);
}

struct Lines {
    std::mutex mutex;
    std::vector<std::pair<mullama_log_level_t, std::string>> all;

    static void take(mullama_log_level_t level, const char *text, size_t size, void *self) {
        auto &lines = *static_cast<Lines *>(self);
        const std::lock_guard lock(lines.mutex);
        EXPECT_EQ(std::strlen(text), size);
        EXPECT_EQ(std::string_view(text).find('\n'), std::string_view::npos);
        lines.all.emplace_back(level, std::string(text, size));
    }
};

TEST(Runtime, DefaultsAreFilled) {
    mullama_runtime_options_t options;
    std::memset(&options, 0xAB, sizeof options);
    mullama_runtime_options_init(&options, sizeof options);
    EXPECT_EQ(options.struct_size, sizeof options);
    EXPECT_EQ(options.max_threads, 0);
    EXPECT_EQ(options.max_memory, 0U);
    EXPECT_EQ(options.log, nullptr);
    EXPECT_EQ(options.log_user_data, nullptr);
    EXPECT_EQ(options.log_level, MULLAMA_LOG_WARN);
    EXPECT_EQ(options.log_ring_size, 0U);
    mullama_runtime_options_init(nullptr, sizeof options);
}

TEST(Runtime, IsMadeAndFreed) {
    mullama_runtime_t *runtime = nullptr;
    ASSERT_OK(mullama_runtime_new(nullptr, &runtime));
    ASSERT_NE(runtime, nullptr);
    mullama_runtime_free(runtime);
    mullama_runtime_free(nullptr);
}

TEST(Runtime, RefusesWhatCannotBe) {
    mullama_runtime_t *runtime = nullptr;
    EXPECT_REFUSED(mullama_runtime_new(nullptr, nullptr), MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    auto options = runtime_options();
    options.max_threads = -1;
    EXPECT_REFUSED(mullama_runtime_new(&options, &runtime), MULLAMA_ERROR_OUT_OF_RANGE,
                   "max_threads");
    options = runtime_options();
    options.max_threads = 513;
    EXPECT_REFUSED(mullama_runtime_new(&options, &runtime), MULLAMA_ERROR_OUT_OF_RANGE,
                   "max_threads");
    options = runtime_options();
    options.log_level = static_cast<mullama_log_level_t>(5);
    EXPECT_REFUSED(mullama_runtime_new(&options, &runtime), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "log_level");
    options = runtime_options();
    options.log_ring_size = 65537;
    EXPECT_REFUSED(mullama_runtime_new(&options, &runtime), MULLAMA_ERROR_OUT_OF_RANGE,
                   "log_ring_size");
    options = runtime_options();
    options.struct_size = 0;
    EXPECT_REFUSED(mullama_runtime_new(&options, &runtime), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "options->struct_size", {}, "mullama_runtime_options_init");
    EXPECT_EQ(runtime, nullptr);
}

TEST(Runtime, TakesOlderAndNewerOptions) {
    // An older caller: its struct ends after max_threads.
    auto older = runtime_options();
    older.struct_size = offsetof(mullama_runtime_options_t, log);
    older.log_level = static_cast<mullama_log_level_t>(7); // behind its end: not looked at
    mullama_runtime_t *runtime = nullptr;
    ASSERT_OK(mullama_runtime_new(&older, &runtime));
    mullama_runtime_free(std::exchange(runtime, nullptr));

    // A newer one: what it left at zero asks for nothing, anything else is refused.
    struct Newer {
        mullama_runtime_options_t known;
        std::uint64_t unknown;
    } newer{.known = {}, .unknown = 1};
    mullama_runtime_options_init(&newer.known, sizeof newer);
    EXPECT_EQ(newer.known.struct_size, sizeof newer);
    EXPECT_EQ(newer.unknown, 0U);
    ASSERT_OK(mullama_runtime_new(&newer.known, &runtime));
    mullama_runtime_free(std::exchange(runtime, nullptr));
    newer.unknown = 1;
    EXPECT_REFUSED(mullama_runtime_new(&newer.known, &runtime), MULLAMA_ERROR_UNSUPPORTED,
                   "options", sizeof(mullama_runtime_options_t));
    newer.known.struct_size = 1 << 20;
    EXPECT_REFUSED(mullama_runtime_new(&newer.known, &runtime), MULLAMA_ERROR_INVALID_ARGUMENT);
}

TEST(Runtime, SendsLinesToItsSink) {
    Lines lines;
    auto options = runtime_options();
    options.log = Lines::take;
    options.log_user_data = &lines;
    options.log_level = MULLAMA_LOG_INFO;
    const RuntimeHandle runtime = new_runtime(options);
    ASSERT_TRUE(echo_model_on(runtime.get()));
    ASSERT_FALSE(lines.all.empty());
    EXPECT_EQ(lines.all[0].first, MULLAMA_LOG_INFO);
    EXPECT_NE(lines.all[0].second.find("echo"), std::string::npos);

    // Below the level, to another runtime, or to nobody: not here.
    lines.all.clear();
    ASSERT_OK(mullama_runtime_set_log(runtime.get(), MULLAMA_LOG_WARN, Lines::take, &lines));
    ASSERT_TRUE(echo_model_on(runtime.get()));
    ASSERT_OK(mullama_runtime_set_log(runtime.get(), MULLAMA_LOG_DEBUG, nullptr, nullptr));
    ASSERT_TRUE(echo_model_on(runtime.get()));
    ASSERT_OK(mullama_runtime_set_log(runtime.get(), MULLAMA_LOG_DEBUG, Lines::take, &lines));
    ASSERT_TRUE(echo_model());
    EXPECT_TRUE(lines.all.empty());
}

TEST(Runtime, DefaultOneHasASinkToo) {
    Lines lines;
    ASSERT_OK(mullama_runtime_set_log(nullptr, MULLAMA_LOG_INFO, Lines::take, &lines));
    ASSERT_TRUE(echo_model());
    ASSERT_OK(mullama_runtime_set_log(nullptr, MULLAMA_LOG_NONE, nullptr, nullptr));
    EXPECT_FALSE(lines.all.empty());
    mullama_runtime_free(nullptr);
    EXPECT_REFUSED(
        mullama_runtime_set_log(nullptr, static_cast<mullama_log_level_t>(5), Lines::take, &lines),
        MULLAMA_ERROR_INVALID_ARGUMENT, "level");
}

TEST(Runtime, SinkLivesAsLongAsItsModels) {
    Lines lines;
    auto options = runtime_options();
    options.log = Lines::take;
    options.log_user_data = &lines;
    RuntimeHandle runtime = new_runtime(options);
    const ModelHandle model = echo_model_on(runtime.get());
    runtime.reset();
    mullama_tokens_t *tokens = nullptr;
    EXPECT_OK(mullama_model_tokenize(model.get(), "x", 1, nullptr, &tokens));
    mullama_tokens_free(tokens);
}

// When set_log() returns, the old sink's user_data may be destroyed.
TEST(Runtime, ReplacingTheSinkWaitsForThoseInside) {
    struct Sink {
        std::atomic<int> inside{0};
        std::atomic<bool> gone{false};
        static void take(mullama_log_level_t, const char *, size_t, void *self) {
            auto &sink = *static_cast<Sink *>(self);
            ++sink.inside;
            EXPECT_FALSE(sink.gone);
            std::this_thread::yield();
            EXPECT_FALSE(sink.gone);
            --sink.inside;
        }
    };
    const RuntimeHandle runtime = new_runtime(runtime_options());
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            while (!stop)
                EXPECT_TRUE(echo_model_on(runtime.get()));
        });
    }
    for (int round = 0; round < 100; ++round) {
        Sink sink;
        EXPECT_OK(mullama_runtime_set_log(runtime.get(), MULLAMA_LOG_DEBUG, Sink::take, &sink));
        std::this_thread::yield();
        EXPECT_OK(mullama_runtime_set_log(runtime.get(), MULLAMA_LOG_NONE, nullptr, nullptr));
        EXPECT_EQ(sink.inside, 0);
        sink.gone = true;
    }
    stop = true;
    for (std::thread &thread : threads)
        thread.join();
}

TEST(Runtime, RingKeepsTheNewestLines) {
    auto options = runtime_options();
    options.log_level = MULLAMA_LOG_INFO;
    options.log_ring_size = 2;
    const RuntimeHandle runtime = new_runtime(options);

    const auto next = [&] {
        mullama_log_level_t level = MULLAMA_LOG_NONE;
        mullama_text_t *line = nullptr;
        size_t lost = 99;
        EXPECT_OK(mullama_runtime_next_log(runtime.get(), &level, &line, &lost));
        const TextHandle owned(line);
        return std::tuple(line == nullptr ? std::string() : text_of(line), level, lost);
    };
    EXPECT_EQ(next(), std::tuple(std::string(), MULLAMA_LOG_NONE, size_t{0}));
    for (int i = 0; i < 5; ++i)
        ASSERT_TRUE(echo_model_on(runtime.get())); // one line each
    auto [line, level, lost] = next();
    EXPECT_NE(line, "");
    EXPECT_EQ(level, MULLAMA_LOG_INFO);
    EXPECT_EQ(lost, 3U);
    std::tie(line, level, lost) = next();
    EXPECT_NE(line, "");
    EXPECT_EQ(lost, 0U);
    EXPECT_EQ(std::get<0>(next()), "");

    // A smaller ring drops what doesn't fit, none drops all.
    ASSERT_TRUE(echo_model_on(runtime.get()));
    ASSERT_TRUE(echo_model_on(runtime.get()));
    ASSERT_OK(mullama_runtime_set_log_ring(runtime.get(), MULLAMA_LOG_INFO, 1));
    EXPECT_EQ(std::get<2>(next()), 1U);
    ASSERT_TRUE(echo_model_on(runtime.get()));
    ASSERT_OK(mullama_runtime_set_log_ring(runtime.get(), MULLAMA_LOG_INFO, 0));
    ASSERT_TRUE(echo_model_on(runtime.get()));
    EXPECT_EQ(std::get<0>(next()), "");

    EXPECT_REFUSED(mullama_runtime_set_log_ring(runtime.get(), MULLAMA_LOG_INFO, 65537),
                   MULLAMA_ERROR_OUT_OF_RANGE, "size");
    EXPECT_REFUSED(
        mullama_runtime_set_log_ring(runtime.get(), static_cast<mullama_log_level_t>(7), 1),
        MULLAMA_ERROR_INVALID_ARGUMENT, "level");
    EXPECT_REFUSED(mullama_runtime_next_log(runtime.get(), nullptr, nullptr, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "line");
}

TEST(Runtime, ListsDevices) {
    size_t count = 0;
    ASSERT_OK(mullama_runtime_device_count(nullptr, &count));
    ASSERT_GT(count, 0U);
    bool has_cpu = false;
    for (size_t i = 0; i < count; ++i) {
        mullama_device_info_t info;
        mullama_device_info_init(&info, sizeof info);
        EXPECT_STREQ(info.name, "");
        EXPECT_STREQ(info.reason, "");
        ASSERT_OK(mullama_runtime_get_device(nullptr, i, &info));
        EXPECT_EQ(info.available, std::string_view(info.reason).empty()) << info.reason;
        EXPECT_FALSE(info.available && std::string_view(info.name).empty());
        has_cpu = has_cpu || (info.type == MULLAMA_DEVICE_CPU && info.available);
        // The same strings each time: they live as long as the process.
        mullama_device_info_t again;
        mullama_device_info_init(&again, sizeof again);
        const RuntimeHandle runtime = new_runtime(runtime_options());
        ASSERT_OK(mullama_runtime_get_device(runtime.get(), i, &again));
        EXPECT_EQ(info.name, again.name);
        EXPECT_EQ(info.description, again.description);
    }
    EXPECT_TRUE(has_cpu);

    mullama_device_info_t info;
    mullama_device_info_init(&info, sizeof info);
    EXPECT_REFUSED(mullama_runtime_get_device(nullptr, count, &info), MULLAMA_ERROR_OUT_OF_RANGE,
                   "index");
    EXPECT_REFUSED(mullama_runtime_get_device(nullptr, 0, nullptr), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "info");
    EXPECT_REFUSED(mullama_runtime_device_count(nullptr, nullptr), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "count");
    info.struct_size = 3;
    EXPECT_REFUSED(mullama_runtime_get_device(nullptr, 0, &info), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "info->struct_size");
    mullama_device_info_init(nullptr, 1);
}

} // namespace

// What the engine does to the process: its log, its devices, its last words, its estimate.
#include "backend/llama/support.hpp"

#include <exception>
#include <mutex>

#include "backend/llama/log.hpp"
#include "backend/llama/process.hpp"
#include "backend/llama/unstable.hpp"

namespace mullama::test {
namespace {

std::mutex heard_mutex;
std::vector<std::pair<mullama_log_level_t, std::string>> heard;

void hear(mullama_log_level_t level, std::string_view line) {
    const std::lock_guard lock(heard_mutex);
    heard.emplace_back(level, line);
}

class Listening : public testing::Test {
protected:
    void SetUp() override {
        heard.clear();
        llama::backend().set_log_sink(hear);
    }
    void TearDown() override { llama::backend().set_log_sink(nullptr); }

    static bool was_heard(std::string_view words) {
        const std::lock_guard lock(heard_mutex);
        return std::ranges::any_of(
            heard, [&](const auto &line) { return line.second.find(words) != std::string::npos; });
    }
};

TEST_F(Listening, HearsWholeLines) {
    const auto model = load(fixture("llama"));
    ASSERT_FALSE(heard.empty());
    for (const auto &[level, line] : heard) {
        EXPECT_FALSE(line.empty());
        EXPECT_EQ(line.find('\n'), std::string::npos) << line;
        EXPECT_GE(level, MULLAMA_LOG_ERROR);
        EXPECT_LE(level, MULLAMA_LOG_DEBUG);
    }
    EXPECT_TRUE(was_heard("general.architecture"));
}

TEST_F(Listening, HearsLinesBuiltFromParts) {
    ModelParams params;
    params.overrides = {{"llama.context_length", std::int64_t{99}}};
    (void)load(fixture("llama"), params);
    EXPECT_TRUE(was_heard("'llama.context_length' = 99"));
}

TEST_F(Listening, HearsNothingOfQuestions) {
    EXPECT_FALSE(llama::backend().knows_architecture("nonsense"));
    EXPECT_TRUE(llama::backend().knows_architecture("llama"));
    (void)llama::backend().estimate({fixture("llama")}, {}, small_context());
    EXPECT_TRUE(heard.empty()) << heard.front().second;
}

TEST_F(Listening, GivesAnErrorTheLinesOfItsOwnCall) {
    const auto first = error_of([] { (void)load("/no/such/first.gguf"); });
    const auto second = error_of([] { (void)load("/no/such/second.gguf"); });
    EXPECT_NE(first.log.find("first.gguf"), std::string::npos);
    EXPECT_EQ(second.log.find("first.gguf"), std::string::npos);
    EXPECT_NE(second.log.find("second.gguf"), std::string::npos);
    EXPECT_TRUE(was_heard("first.gguf"));
}

TEST(LogCapture, KeepsTheFirstAndTheLastOfManyLines) {
    const llama::LogCapture capture(llama::LogCapture::Also::keep_quiet);
    for (int i = 0; i < 10'000; ++i) {
        llama::log_line(MULLAMA_LOG_WARN, "line " + std::to_string(i) + ".");
    }
    llama::log_line(MULLAMA_LOG_INFO, "no warning");
    const std::string text = capture.text();
    EXPECT_TRUE(text.starts_with("line 0.\n"));
    EXPECT_TRUE(text.ends_with("line 9999."));
    EXPECT_LT(text.size(), 20'000U);
    EXPECT_FALSE(capture.mentions("no warning"));
    EXPECT_EQ(capture.after("line 12"), ".");
    EXPECT_EQ(capture.after("line 9999"), ".");
    EXPECT_EQ(capture.after("no such line"), "");
}

TEST(Process, KeepsStandardStreamsAndTheTerminateHandler) {
    const auto before = std::get_terminate();
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto model = load(fixture("llama"));
    const auto context = model->new_context(small_context());
    (void)context->decode(batch_of(std::vector<Token>{1}, 0));
    (void)error_of([] { (void)load("/no/such/model.gguf"); });
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(std::get_terminate(), before);
}

TEST(ProcessDeathTest, SaysItsLastWordsToTheSinkAlone) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    // Only what the sink prints is on stderr: no message of ggml's, no backtrace.
    EXPECT_EXIT(
        {
            llama::start();
            llama::set_sink([](mullama_log_level_t level, std::string_view line) {
                std::fprintf(stderr, "[%d:%.*s]", level, static_cast<int>(line.size()),
                             line.data());
            });
            ggml_abort("file.c", 7, "reason %d", 42);
        },
        testing::KilledBySignal(SIGABRT), "^\\[1:file.c:7: reason 42\\]$");
}

TEST(Devices, AreTheProcessorAndReasonsForTheRest) {
    const auto devices = llama::backend().devices();
    const auto cpu = std::ranges::find(devices, MULLAMA_DEVICE_CPU, &Device::type);
    ASSERT_NE(cpu, devices.end());
    EXPECT_TRUE(cpu->available);
    EXPECT_EQ(cpu->name, "CPU");
    EXPECT_FALSE(cpu->features.empty());
    EXPECT_GT(cpu->memory_total, 0U);
    EXPECT_TRUE(cpu->reason.empty());
    for (const char *kind : {"CUDA", "Metal", "ROCm", "Vulkan", "OpenCL"}) {
        const auto row = std::ranges::find(devices, kind, &Device::backend);
        ASSERT_NE(row, devices.end()) << kind;
        EXPECT_NE(row->available, !row->reason.empty()) << kind;
    }
    // The available ones come first.
    EXPECT_TRUE(std::ranges::is_sorted(devices, std::ranges::greater{}, &Device::available));
}

TEST(Estimate, IsWhatIsTaken) {
    // Of a mapped file, weights that are repacked count twice: the pages, which the system can
    // drop, and the copy. The estimate has what stays.
    llama_model_params read = llama_model_default_params();
    read.load_mode = LLAMA_LOAD_MODE_NONE;
    const auto expect_near = [](std::uint64_t estimate, std::uint64_t actual, const char *name) {
        EXPECT_NEAR(static_cast<double>(estimate), static_cast<double>(actual),
                    0.02 * static_cast<double>(actual) + 4096)
            << name;
    };
    for (const char *name :
         {"llama", "moe", "recurrent", "hybrid", "swa", "t5", "bert_mean", "llama_q4_0"}) {
        for (const std::uint32_t n_ctx : {512U, 4096U}) {
            const auto estimate =
                llama::backend().estimate({fixture(name)}, {}, small_context(n_ctx));
            const Raw raw(fixture(name), raw_params(small_context(n_ctx)), read);
            const auto actual = llama::memory_of(*raw.context);
            EXPECT_EQ(estimate.n_ctx, actual.n_ctx) << name;
            EXPECT_EQ(estimate.host_context, actual.host_context) << name;
            expect_near(estimate.host_weights, actual.host_weights, name);
            expect_near(estimate.host_compute, actual.host_compute, name);
            EXPECT_GT(estimate.host_compute, 0U) << name;
        }
    }
}

TEST(Estimate, LeavesOthersAlone) {
    const auto model = load(fixture("llama"));
    const auto context = model->new_context(small_context());
    const auto prompt = tokenize(*model, "Undisturbed");
    const auto said = greedy(*model, *context, prompt, 64, 8);
    (void)llama::backend().estimate({fixture("llama")}, {}, small_context(4096));
    context->clear();
    EXPECT_EQ(greedy(*model, *context, prompt, 64, 8), said);
    EXPECT_EQ(
        error_of([] { (void)llama::backend().estimate({"/no/file"}, {}, small_context()); }).code,
        MULLAMA_ERROR_BAD_FILE);
}

TEST(Version, NamesTheEngine) {
    EXPECT_TRUE(llama::backend().version().starts_with("llama.cpp "));
    EXPECT_NE(llama::backend().version().find("ggml "), std::string::npos);
}

} // namespace
} // namespace mullama::test

// What becomes of the answers of a probing program. tests/cli has the real one.
#include "support/capi.hpp"
#include "support/manifest.hpp"
#include "support/temporary_folder.hpp"

#include <fstream>

#include <sys/stat.h>

using namespace mullama::test;

namespace {

class Probe : public testing::Test {
protected:
    // A program that does what `script` says, with its arguments in the file "arguments".
    void answer(const std::string &script) {
        program_ = folder_.write("probe.sh", "#!/bin/sh\nprintf '%s\\n' \"$@\" > '" +
                                                 folder_.path("arguments") + "'\n" + script);
        ASSERT_EQ(chmod(program_.c_str(), 0755), 0);
        options_.probe_program = program_.c_str();
    }

    mullama_error_t *load() {
        const std::string path = fixture_path("llama.gguf");
        return mullama_model_load(path.data(), path.size(), &options_, &model_);
    }

    std::string arguments() const {
        std::ifstream file(folder_.path("arguments"));
        std::string all;
        for (std::string line; std::getline(file, line);)
            all += (all.empty() ? "" : " ") + line;
        return all;
    }

    void SetUp() override { mullama_model_options_init(&options_, sizeof options_); }
    void TearDown() override { mullama_model_free(model_); }

    TemporaryFolder folder_;
    std::string program_;
    mullama_model_options_t options_;
    mullama_model_t *model_ = nullptr;
};

TEST_F(Probe, LoadsAfterAGoodAnswer) {
    answer("echo ok");
    ASSERT_OK(load());
    EXPECT_NE(model_, nullptr);
    EXPECT_EQ(arguments(), "probe --backend=llama -- " + fixture_path("llama.gguf"));
}

TEST_F(Probe, IsToldAllOptions) {
    answer("echo ok");
    const char *const overrides[] = {"llama.context_length=int:99", "a.b=str:x y",
                                     "general.name=str:", "c=float:0.5", "d=bool:true"};
    options_.metadata_overrides = overrides;
    options_.metadata_overrides_count = 5;
    const char *no_devices = nullptr;
    options_.devices = &no_devices;
    options_.devices_count = 0;
    options_.n_gpu_layers = 3;
    options_.load_mode = MULLAMA_LOAD_MODE_READ;
    options_.check_tensors = true;
    options_.repack = false;
    options_.split_mode = MULLAMA_SPLIT_MODE_NONE;
    ASSERT_OK(load());
    EXPECT_EQ(arguments(),
              "probe --backend=llama --n-gpu-layers=3 --split-mode=0 --cpu-only --load-mode=1 "
              "--check-tensors --no-repack --override=llama.context_length=int:99 "
              "--override=a.b=str:x y --override=general.name=str: --override=c=float:0.5 "
              "--override=d=bool:true -- " +
                  fixture_path("llama.gguf"));
}

TEST_F(Probe, AsksWithAllParts) {
    answer("echo ok");
    const std::string path = fixture_path("llama_split-00001-of-00003.gguf");
    ASSERT_OK(mullama_model_load(path.data(), path.size(), &options_, &model_));
    EXPECT_NE(arguments().find("-00003-of-00003.gguf"), std::string::npos) << arguments();
}

TEST_F(Probe, PassesOnARefusal) {
    answer("printf '15\\nllama.block_count\\nthat is no number\\nof blocks\\n'; exit 3");
    EXPECT_REFUSED(load(), MULLAMA_ERROR_BAD_MODEL, "llama.block_count", {},
                   "that is no number\nof blocks");
    EXPECT_EQ(model_, nullptr);
}

TEST_F(Probe, TellsHowItDied) {
    answer("echo 'GGML_ASSERT(n_head > 0) failed' >&2; kill -ABRT $$");
    const ErrorHandle error(load());
    EXPECT_EQ(mullama_error_code(error.get()), MULLAMA_ERROR_CRASHED);
    EXPECT_NE(message_of(error.get()).find("Abort"), std::string::npos) << message_of(error.get());
    EXPECT_NE(message_of(error.get()).find("llama.gguf"), std::string::npos);
    EXPECT_STREQ(mullama_error_log(error.get(), nullptr), "GGML_ASSERT(n_head > 0) failed");
    EXPECT_EQ(model_, nullptr);

    answer("kill -SEGV $$");
    EXPECT_REFUSED(load(), MULLAMA_ERROR_CRASHED, "path", {}, "egmentation");
}

// The end of what it said is what matters.
TEST_F(Probe, KeepsTheLastLinesOnly) {
    answer("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; kill -KILL $$");
    const ErrorHandle error(load());
    EXPECT_EQ(mullama_error_code(error.get()), MULLAMA_ERROR_CRASHED);
    const std::string log = mullama_error_log(error.get(), nullptr);
    EXPECT_LE(log.size(), 4096U);
    EXPECT_TRUE(log.starts_with("line ")) << log.substr(0, 40);
    EXPECT_TRUE(log.ends_with("line 1999"));
}

TEST_F(Probe, TrustsNothingElse) {
    for (const char *const script :
         {"exit 0", "echo ok; exit 1", "echo okay", "exit 3", "echo word; exit 3",
          "printf '0\\n\\nno error?'; exit 3", "exit 7"}) {
        answer(script);
        EXPECT_REFUSED(load(), MULLAMA_ERROR_CRASHED, "path") << script;
    }
    options_.probe_program = "/no/such/program";
    EXPECT_REFUSED(load(), MULLAMA_ERROR_NOT_FOUND, "probe_program");
    EXPECT_EQ(model_, nullptr);
}

// What our own checks find needs no child.
TEST_F(Probe, IsNotAskedAboutBrokenFiles) {
    answer("echo ok");
    const std::string path = fixture_path("broken_magic.gguf");
    EXPECT_REFUSED(mullama_model_load(path.data(), path.size(), &options_, &model_),
                   MULLAMA_ERROR_BAD_FILE);
    EXPECT_EQ(arguments(), "");
}

} // namespace

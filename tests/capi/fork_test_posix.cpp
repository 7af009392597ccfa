// After a fork, objects of the parent refuse to work, and new ones can be made.
#include "support/adapter.hpp"
#include "support/context.hpp"
#include "support/manifest.hpp"

#include <functional>

#include <sys/wait.h>
#include <unistd.h>

using namespace mullama::test;

namespace {

// Runs in a forked child, where nothing may reach the parent's test report but the exit code.
testing::AssertionResult in_child(const std::function<bool()> &check) {
    const pid_t child = fork();
    if (child == 0)
        _exit(check() ? 0 : 1);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return testing::AssertionFailure() << "no child";
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return testing::AssertionSuccess();
    return testing::AssertionFailure() << "the child ended with status " << status;
}

bool forked(mullama_error_t *error) {
    const ErrorHandle owned(error);
    return mullama_error_code(error) == MULLAMA_ERROR_FORKED && !message_of(error).empty();
}

TEST(Fork, ObjectsOfTheParentRefuse) {
    mullama_runtime_t *runtime = nullptr;
    ASSERT_OK(mullama_runtime_new(nullptr, &runtime));
    const RuntimeHandle owned(runtime);
    const ModelHandle model = echo_model();
    mullama_detokenizer_t *detokenizer = nullptr;
    ASSERT_OK(mullama_detokenizer_new(model.get(), nullptr, &detokenizer));
    const DetokenizerHandle owned_detokenizer(detokenizer);

    EXPECT_TRUE(in_child([&] {
        mullama_tokens_t *tokens = nullptr;
        const char *text = nullptr;
        size_t size = 0;
        size_t count = 0;
        mullama_model_options_t options;
        mullama_model_options_init(&options, sizeof options);
        options.backend = "echo";
        options.runtime = runtime;
        mullama_model_t *other = nullptr;
        return forked(mullama_model_tokenize(model.get(), "x", 1, nullptr, &tokens)) &&
               forked(mullama_detokenizer_push(detokenizer, 1, &text, &size)) &&
               forked(mullama_detokenizer_finish(detokenizer, &text, &size)) &&
               forked(mullama_runtime_set_log(runtime, MULLAMA_LOG_INFO, nullptr, nullptr)) &&
               forked(mullama_runtime_device_count(runtime, &count)) &&
               forked(mullama_model_load(nullptr, 0, &options, &other)) && other == nullptr;
    }));
    // The parent's are as they were.
    mullama_tokens_t *tokens = nullptr;
    EXPECT_OK(mullama_model_tokenize(model.get(), "x", 1, nullptr, &tokens));
    mullama_tokens_free(tokens);
}

TEST(Fork, AdaptersOfTheParentRefuse) {
    const ModelHandle model = load_model(fixture_path("llama.gguf"));
    const AdapterHandle adapter = load_adapter(model.get(), fixture_path("lora_llama.gguf"));
    const ContextHandle context = new_context(model.get());
    EXPECT_TRUE(in_child([&] {
        const std::string path = fixture_path("lora_llama.gguf");
        mullama_adapter_t *other = nullptr;
        mullama_adapter_info_t info;
        mullama_adapter_info_init(&info, sizeof info);
        mullama_adapter_t *const list = adapter.get();
        const float scale = 1;
        // What the parent left behind can be given back.
        mullama_adapter_free(mullama_adapter_retain(adapter.get()));
        return forked(
                   mullama_adapter_load(model.get(), path.data(), path.size(), nullptr, &other)) &&
               forked(mullama_adapter_get_info(adapter.get(), &info)) &&
               forked(mullama_context_set_adapters(context.get(), &list, &scale, 1));
    }));
    mullama_adapter_t *const list = adapter.get();
    const float scale = 1;
    EXPECT_OK(mullama_context_set_adapters(context.get(), &list, &scale, 1));
}

TEST(Fork, ChildrenMakeTheirOwn) {
    const ModelHandle of_parent = load_model(fixture_path("llama.gguf"));
    ASSERT_TRUE(of_parent);
    EXPECT_TRUE(in_child([&] {
        const std::string path = fixture_path("llama.gguf");
        mullama_model_t *model = nullptr;
        if (mullama_model_load(path.data(), path.size(), nullptr, &model) != nullptr)
            return false;
        mullama_tokens_t *tokens = nullptr;
        const bool works = mullama_model_tokenize(model, "x", 1, nullptr, &tokens) == nullptr;
        mullama_tokens_free(tokens);
        mullama_model_free(model);
        // What the parent left behind can be given back.
        mullama_model_free(mullama_model_retain(of_parent.get()));
        return works;
    }));
}

} // namespace

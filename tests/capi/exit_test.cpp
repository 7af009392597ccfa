// Objects that a host keeps in thread-local and static variables may end after what the library and
// llama.cpp keep there themselves. AddressSanitizer sees what is used too late, at the latest when
// the process of the test ends.
#include <thread>

#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;

struct Kept {
    ModelHandle model;
    ContextHandle context;

    // The variable exists before anything of the library's does, so that it ends after it.
    void fill() {
        model = load_model(fixture_path("llama.gguf"));
        context = new_context(model.get());
        const mullama_token_t token = 5;
        EXPECT_OK(mullama_context_prefill(context.get(), 0, &token, 1, MULLAMA_OUTPUT_LAST));
    }
};

TEST(Exit, AContextMayEndWithItsThread) {
    std::thread thread([] {
        thread_local Kept kept;
        kept.fill();
    });
    thread.join();
}

TEST(Exit, AContextMayEndWithTheProcess) {
    static Kept kept;
    kept.fill();
}

} // namespace

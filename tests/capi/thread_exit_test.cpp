// Objects that a host keeps in thread-local variables end after those of the library's own.
#include <thread>

#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;

struct Kept {
    ModelHandle model;
    ContextHandle context;
};
thread_local Kept kept;

// llama.cpp logs when a context ends. AddressSanitizer sees what would be written to.
TEST(ThreadExit, AContextMayEndWithItsThread) {
    std::thread thread([] {
        kept.model.reset(); // made before anything of the library's, so that it ends after it
        kept.model = load_model(fixture_path("llama.gguf"));
        kept.context = new_context(kept.model.get());
        const mullama_token_t token = 5;
        EXPECT_OK(
            mullama_context_prefill(kept.context.get(), 0, &token, 1, MULLAMA_OUTPUT_LAST));
    });
    thread.join();
}

} // namespace

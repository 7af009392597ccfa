// What Mullama adds to llama.cpp, and what it costs by itself.
//
//     overhead_bench [MODEL]
//
// Rows with a base compare a raw llama.cpp call with ours on the same model, token by token, on one
// thread. Rows without one are absolute, on the echo engine.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "compare.hpp"
#include "llama.h"
#include "mullama/mullama.hpp"

namespace {

constexpr std::uint32_t n_ctx = 512;

// A raw llama.cpp context beside ours: the same model, the same parameters.
class RawLlama {
public:
    explicit RawLlama(const std::string &path) {
        llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
        llama_backend_init();
        model_ = llama_model_load_from_file(path.c_str(), llama_model_default_params());
        auto params = llama_context_default_params();
        params.n_ctx = n_ctx;
        params.n_batch = n_ctx;
        params.n_threads = 1;
        params.n_threads_batch = 1;
        params.kv_unified = true;
        context_ = llama_init_from_model(model_, params);
        batch_ = llama_batch_init(1, 0, 1);
    }
    RawLlama(const RawLlama &) = delete;
    RawLlama &operator=(const RawLlama &) = delete;
    ~RawLlama() {
        llama_batch_free(batch_);
        llama_free(context_);
        llama_model_free(model_);
    }

    void clear() { llama_memory_clear(llama_get_memory(context_), true); }

    void decode(llama_token token, llama_pos position) {
        batch_.n_tokens = 1;
        batch_.token[0] = token;
        batch_.pos[0] = position;
        batch_.n_seq_id[0] = 1;
        batch_.seq_id[0][0] = 0;
        batch_.logits[0] = 1;
        if (llama_decode(context_, batch_) != 0 || llama_get_logits_ith(context_, 0) == nullptr) {
            std::abort();
        }
    }

    std::size_t tokenize(const std::string &text) {
        const auto size = static_cast<std::int32_t>(text.size());
        std::vector<llama_token> tokens(text.size() + 2);
        const std::int32_t count =
            llama_tokenize(llama_model_get_vocab(model_), text.data(), size, tokens.data(),
                           static_cast<std::int32_t>(tokens.size()), true, false);
        return static_cast<std::size_t>(count);
    }

private:
    llama_model *model_ = nullptr;
    llama_context *context_ = nullptr;
    llama_batch batch_{};
};

mullama_context_options_t context_options() {
    auto options = mullama::options<mullama_context_options_t>();
    options.n_ctx = n_ctx;
    options.n_batch = n_ctx;
    options.n_threads = 1;
    options.n_threads_batch = 1;
    return options;
}

void bench_decode(RawLlama &raw, const mullama::Model &model) {
    constexpr std::size_t length = 200;
    mullama::Context context(model, context_options());
    mullama::Batch batch;
    const auto result = bench::compare(
        20 * length,
        [&](std::size_t round) {
            if (round % length == 0) {
                raw.clear();
            }
            raw.decode(static_cast<llama_token>(3 + round % 50),
                       static_cast<llama_pos>(round % length));
        },
        [&](std::size_t round) {
            if (round % length == 0) {
                context.clear();
            }
            batch.clear();
            batch.add(static_cast<mullama_token_t>(3 + round % 50),
                      static_cast<mullama_pos_t>(round % length), 0, true);
            context.decode(batch);
            (void)context.logits(0);
        });
    bench::print("decode one token", result, "< 2000 ns, < 1 %");
}

void bench_tokenize(RawLlama &raw, const mullama::Model &model) {
    const std::string sentence = "Once upon a time there was a little girl who liked to read. ";
    for (const std::size_t repeats : {1, 10, 1000}) {
        std::string text;
        for (std::size_t i = 0; i < repeats; ++i) {
            text += sentence;
        }
        const std::size_t calls = 1000 / repeats + 1;
        auto options = mullama::options<mullama_tokenize_options_t>();
        const auto result = bench::compare(
            200,
            [&](std::size_t) {
                for (std::size_t i = 0; i < calls; ++i) {
                    (void)raw.tokenize(text);
                }
            },
            [&](std::size_t) {
                for (std::size_t i = 0; i < calls; ++i) {
                    mullama_tokens_t *tokens = nullptr;
                    mullama::check(mullama_model_tokenize(model.get(), text.data(), text.size(),
                                                          &options, &tokens));
                    mullama_tokens_free(tokens);
                }
            },
            static_cast<double>(calls));
        bench::print("tokenize " + std::to_string(text.size()) + " bytes", result, "< 5 %");
    }
}

void bench_echo() {
    auto model_options = mullama::options<mullama_model_options_t>();
    model_options.backend = "echo";
    const mullama::Model model("", model_options);
    mullama::Context context(model, context_options());
    constexpr std::size_t tokens = 256;
    auto options = mullama::options<mullama_generate_options_t>();
    options.max_tokens = tokens;
    options.ignore_end = true;
    std::size_t seen = 0;
    const auto generate = [&](bool callback) {
        context.clear();
        options.on_token = nullptr;
        if (callback) {
            options.user_data = &seen;
            options.on_token = [](const mullama_token_event_t *event, void *user_data) {
                *static_cast<std::size_t *>(user_data) += event->text_size;
                return true;
            };
        }
        mullama::check(mullama_context_generate(context.get(), nullptr, "The quick brown fox.", 20,
                                                &options, nullptr, nullptr));
    };
    const auto callback = bench::compare(
        500, [&](std::size_t) { generate(false); }, [&](std::size_t) { generate(true); }, tokens);
    bench::print("a token's callback (base: no callback)", callback, "< 200 ns");
    bench::print("a generated token, echo engine", callback.ours_ns, "");

    mullama::Batch batch;
    const double decode = bench::measure(20000, [&](std::size_t round) {
        if (round % 400 == 0) {
            context.clear();
        }
        batch.clear();
        batch.add(static_cast<mullama_token_t>(65 + round % 26),
                  static_cast<mullama_pos_t>(round % 400), 0, true);
        context.decode(batch);
    });
    bench::print("decode one token, echo engine", decode, "");
    const std::string text(64, 'x');
    bench::print("tokenize 64 bytes, echo engine",
                 bench::measure(
                     2000,
                     [&](std::size_t) {
                         for (int i = 0; i < 100; ++i) {
                             (void)model.tokenize(text);
                         }
                     },
                     100),
                 "");
}

std::string default_model() {
    const std::string story = std::string(MULLAMA_BENCH_SHARED_MODELS) + "/stories260K.gguf";
    return std::filesystem::exists(story) ? story
                                          : std::string(MULLAMA_BENCH_FIXTURES) + "/llama.gguf";
}

} // namespace

int main(int argc, char **argv) {
    const std::string path = argc > 1 ? argv[1] : default_model();
    try {
        RawLlama raw(path);
        const mullama::Model model(path);
        std::printf("model: %s\n%-44s %12s %12s %10s %10s   target\n", path.c_str(), "median ns",
                    "llama.cpp", "mullama", "extra", "extra");
        bench_decode(raw, model);
        bench_tokenize(raw, model);
        bench_echo();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "overhead_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}

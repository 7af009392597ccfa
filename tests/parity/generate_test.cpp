// Greedy output equals llama.cpp's own, token by token: every decoder fixture, every tensor type,
// mapped and read, in batches of several sizes. The reference is a llama.cpp of the test's own in
// the same process; the library's is hidden inside it.
#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "parity/raw_llama.hpp"
#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;
using Tokens = std::vector<mullama_token_t>;

constexpr std::uint32_t n_ctx = 768;
constexpr std::size_t n_generated = 32;

class Reference {
public:
    Reference(const std::string &path, bool mapped)
        : model_(load_raw(path, mapped ? LLAMA_LOAD_MODE_MMAP : LLAMA_LOAD_MODE_NONE)) {}

    [[nodiscard]] bool loaded() const { return model_ != nullptr; }

    // Without a chain: greedy.
    Tokens generate(const Tokens &prompt, std::uint32_t n_batch, llama_sampler *chain = nullptr) {
        llama_context_params params = raw_params(n_ctx);
        params.n_batch = n_batch;
        params.n_ubatch = n_batch;
        const RawContext context(llama_init_from_model(model_.get(), params));
        if (context == nullptr)
            return {};
        Tokens input = prompt;
        if (llama_model_has_encoder(model_.get())) {
            llama_batch whole =
                llama_batch_get_one(input.data(), static_cast<std::int32_t>(input.size()));
            if (llama_encode(context.get(), whole) != 0)
                return {};
            input = {llama_model_decoder_start_token(model_.get())};
        }
        for (std::size_t begin = 0; begin < input.size(); begin += n_batch) {
            const std::size_t count = std::min<std::size_t>(n_batch, input.size() - begin);
            if (llama_decode(
                    context.get(),
                    llama_batch_get_one(&input[begin], static_cast<std::int32_t>(count))) != 0)
                return {};
        }
        const std::int32_t n_vocab = n_vocab_of(model_.get());
        Tokens result;
        while (result.size() < n_generated) {
            const float *const logits = llama_get_logits_ith(context.get(), -1);
            mullama_token_t token = chain != nullptr
                                        ? llama_sampler_sample(chain, context.get(), -1)
                                        : static_cast<mullama_token_t>(
                                              std::max_element(logits, logits + n_vocab) - logits);
            result.push_back(token);
            if (result.size() < n_generated &&
                llama_decode(context.get(), llama_batch_get_one(&token, 1)) != 0)
                return {};
        }
        return result;
    }

private:
    RawModel model_;
};

ModelHandle load(const std::string &path, bool mapped) {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.load_mode = mapped ? MULLAMA_LOAD_MODE_MMAP : MULLAMA_LOAD_MODE_READ;
    options.n_gpu_layers = 0;
    return load_model(path, &options);
}

Tokens generate(mullama_model_t *model, const Tokens &prompt, std::uint32_t n_batch,
                mullama_sampler_t *sampler = nullptr) {
    mullama_context_options_t context_options = one_thread();
    context_options.n_ctx = n_ctx;
    context_options.n_batch = n_batch;
    context_options.n_ubatch = n_batch;
    const ContextHandle context = new_context(model, context_options);
    mullama_generate_options_t options = generate_options();
    options.max_tokens = n_generated;
    options.ignore_end = true;
    Tokens result;
    options.user_data = &result;
    options.on_token = [](const mullama_token_event_t *event, void *user_data) {
        static_cast<Tokens *>(user_data)->push_back(event->token);
        return true;
    };
    EXPECT_OK(mullama_context_generate_tokens(context.get(), sampler, prompt.data(), prompt.size(),
                                              &options, nullptr, nullptr));
    return result;
}

// Generates with both, mapped and read, in batches of these sizes.
void expect_parity(const Json &row, std::initializer_list<std::uint32_t> sizes) {
    SCOPED_TRACE(name_of(row));
    const std::string path = path_of(row);
    const Tokens prompt = prompt_of(130, row["n_vocab"].get<std::int32_t>(), 7);
    for (const bool mapped : {true, false}) {
        Reference reference(path, mapped);
        ASSERT_TRUE(reference.loaded());
        const ModelHandle model = load(path, mapped);
        ASSERT_NE(model, nullptr);
        for (const std::uint32_t n_batch : sizes) {
            // An encoder takes its text at once.
            if (has(row, "encoder") && n_batch < prompt.size())
                continue;
            SCOPED_TRACE("n_batch " + std::to_string(n_batch) + (mapped ? ", mapped" : ""));
            const Tokens expected = reference.generate(prompt, n_batch);
            ASSERT_EQ(expected.size(), n_generated);
            EXPECT_EQ(generate(model.get(), prompt, n_batch), expected);
        }
    }
}

TEST(GenerateParity, EveryKindOfDecoder) {
    int count = 0;
    for (const Json &row : fixtures("model")) {
        if (has(row, "decoder") && !row.contains("type")) {
            expect_parity(row, {1, 7, 64, 512});
            ++count;
        }
    }
    EXPECT_GE(count, 10);
}

TEST(GenerateParity, EveryTensorType) {
    int count = 0;
    for (const Json &row : fixtures("model")) {
        if (row.contains("type")) {
            // One size multiplies by vectors, the other by matrices.
            expect_parity(row, {1, 64});
            ++count;
        }
    }
    EXPECT_GE(count, 20);
}

// The chain that everybody uses, seeded, on a model's own logits: the prompt counts for the
// penalties here as there.
TEST(GenerateParity, SeededSampling) {
    constexpr std::uint32_t seed = 77;
    const std::string path = fixture_path("llama.gguf");
    Reference reference(path, true);
    ASSERT_TRUE(reference.loaded());
    const ModelHandle model = load(path, true);
    const Tokens prompt = prompt_of(40, 512, 3);

    mullama_sampler_t *sampler = nullptr;
    ASSERT_OK(mullama_sampler_new_default(&sampler));
    const SamplerHandle owned(sampler);
    set_float(sampler, 0, "repeat", 1.2);
    set_float(sampler, 0, "frequency", 0.1);
    set_int(sampler, mullama_sampler_count(sampler) - 1, "seed", seed);

    llama_sampler *const chain = llama_sampler_chain_init(llama_sampler_chain_default_params());
    llama_sampler_chain_add(chain, llama_sampler_init_penalties(512, 64, 1.2F, 0.1F, 0));
    llama_sampler_chain_add(chain, llama_sampler_init_top_k(40));
    llama_sampler_chain_add(chain, llama_sampler_init_top_p(0.95F, 0));
    llama_sampler_chain_add(chain, llama_sampler_init_min_p(0.05F, 0));
    llama_sampler_chain_add(chain, llama_sampler_init_temp(0.8F));
    llama_sampler_chain_add(chain, llama_sampler_init_dist(seed));
    for (const mullama_token_t token : prompt)
        llama_sampler_accept(chain, token);
    EXPECT_EQ(generate(model.get(), prompt, 64, sampler), reference.generate(prompt, 64, chain));
    llama_sampler_free(chain);
}

TEST(GenerateParity, ARealModel) {
    const std::string path = std::string(MULLAMA_TEST_SHARED_MODELS) + "/stories260K.gguf";
    if (!std::filesystem::exists(path))
        GTEST_SKIP() << "needs " << path;
    Reference reference(path, true);
    ASSERT_TRUE(reference.loaded());
    const ModelHandle model = load(path, true);
    for (const char *const text :
         {"Once upon a time", "Lily and her mom went to the park. There,", "The dog",
          "One day, a little boy named Tim found a big red ball. He was very happy and"}) {
        SCOPED_TRACE(text);
        const Tokens prompt = tokenize(model.get(), text);
        for (const std::uint32_t n_batch : {1U, 7U, 64U, 512U})
            EXPECT_EQ(generate(model.get(), prompt, n_batch), reference.generate(prompt, n_batch));
    }
}

} // namespace

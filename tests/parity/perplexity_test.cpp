// Perplexities equal those made by hand of raw llama.cpp's logits, over llama-perplexity's windows.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "support/embed.hpp"
#include "support/manifest.hpp"
#include "support/raw_llama.hpp"

namespace {

using namespace mullama::test;

constexpr std::size_t window = 64;
constexpr std::size_t n_batch = 48; // A window takes two decodes.

const std::string text = [] {
    std::string result;
    for (int i = 0; i < 60; ++i)
        result += i % 4 == 0   ? "the quick brown fox "
                  : i % 3 == 0 ? "jumps over 12 "
                               : "lazy dogs. ";
    return result;
}();

double logprob(const float *logits, std::int32_t n_vocab, llama_token token) {
    const float most = *std::max_element(logits, logits + n_vocab);
    double sum = 0;
    for (std::int32_t i = 0; i < n_vocab; ++i)
        sum += std::exp(static_cast<double>(logits[i] - most));
    return static_cast<double>(logits[token] - most) - std::log(sum);
}

// Of tokens[first] and those after it.
std::vector<double> logprobs_of(RawLlama &raw, const RawLlama::Tokens &tokens, std::size_t first) {
    llama_memory_clear(llama_get_memory(raw.context()), true);
    const std::int32_t n_vocab = llama_vocab_n_tokens(raw.vocab());
    std::vector<double> result;
    for (std::size_t begin = 0; begin < tokens.size(); begin += n_batch) {
        const std::size_t end = std::min(begin + n_batch, tokens.size());
        const RawLlama::Tokens part(tokens.begin() + static_cast<std::ptrdiff_t>(begin),
                                    tokens.begin() + static_cast<std::ptrdiff_t>(end));
        EXPECT_EQ(raw.append(part, static_cast<llama_pos>(begin)), 0);
        for (std::size_t i = std::max(begin, first - 1); i < end && i + 1 < tokens.size(); ++i) {
            const float *const logits =
                llama_get_logits_ith(raw.context(), static_cast<std::int32_t>(i - begin));
            result.push_back(logprob(logits, n_vocab, tokens[i + 1]));
        }
    }
    return result;
}

class Perplexity : public testing::TestWithParam<const char *> {};

TEST_P(Perplexity, IsLlamas) {
    const std::string path = fixture_path(std::string(GetParam()) + ".gguf");
    const ModelHandle model = load_model(path);
    RawLlama raw(path);
    raw.make_context([](llama_context_params &params) {
        params.n_batch = n_batch;
        params.n_ubatch = n_batch;
    });
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_batch = n_batch;
    const ContextHandle context = new_context(model.get(), options);
    const RawLlama::Tokens tokens = raw.tokenize(text, true, false);
    ASSERT_GT(tokens.size(), 3 * window);
    for (const std::size_t stride : {std::size_t{0}, std::size_t{24}}) {
        SCOPED_TRACE(stride);
        const std::size_t n_windows =
            stride == 0 ? tokens.size() / window : (tokens.size() - window + stride - 1) / stride;
        const std::size_t step = stride == 0 ? window : stride;
        const std::size_t first = stride == 0 ? window / 2 + 1 : window - stride;
        std::vector<double> all;
        for (std::size_t i = 0; i < n_windows; ++i) {
            const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(i * step);
            RawLlama::Tokens part(begin, begin + window);
            if (stride == 0 && llama_vocab_get_add_bos(raw.vocab()))
                part.front() = llama_vocab_bos(raw.vocab());
            const std::vector<double> some = logprobs_of(raw, part, first);
            ASSERT_EQ(some.size(), window - first);
            all.insert(all.end(), some.begin(), some.end());
        }
        double sum = 0;
        double squares = 0;
        for (const double number : all) {
            sum += number;
            squares += number * number;
        }
        const auto count = static_cast<double>(all.size());
        const double mean = sum / count;
        const double perplexity = std::exp(-mean);
        const double error = std::sqrt((squares / count - mean * mean) / (count - 1)) * perplexity;
        mullama_perplexity_options_t how;
        mullama_perplexity_options_init(&how, sizeof how);
        how.window = window;
        how.stride = stride;
        mullama_perplexity_t result;
        mullama_perplexity_init(&result, sizeof result);
        ASSERT_OK(
            mullama_context_perplexity(context.get(), tokens.data(), tokens.size(), &how, &result));
        EXPECT_EQ(result.n_windows, n_windows);
        EXPECT_EQ(result.n_scored, all.size());
        EXPECT_NEAR(result.mean_logprob, mean, 1e-6);
        EXPECT_NEAR(result.perplexity / perplexity, 1, 1e-6);
        EXPECT_NEAR(result.error / error, 1, 1e-4);
    }
}

INSTANTIATE_TEST_SUITE_P(Models, Perplexity,
                         testing::Values("llama", "qwen", "moe", "swa", "recurrent", "rwkv",
                                         "hybrid"));

} // namespace

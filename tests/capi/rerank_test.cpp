// Scores of documents: that one is its document's alone, how long ones are cut, and what is
// refused. That the numbers are llama.cpp's: tests/parity/rerank_test.cpp.
#include <string>
#include <vector>

#include "mullama/mullama.hpp"
#include "support/embed.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;

const std::vector<std::string> documents{"the fox is quick", "", "a lazy dog",
                                         "the quick brown fox jumps over the lazy dog", "a"};

mullama_context_options_t ranking(std::uint32_t n_seq_max, std::uint32_t n_ubatch = 256) {
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_batch = n_ubatch;
    options.n_ubatch = n_ubatch;
    options.n_seq_max = n_seq_max;
    // Flash attention rounds to half precision, each time another way.
    options.flash_attention = MULLAMA_SWITCH_OFF;
    return options;
}

class Rerank : public testing::TestWithParam<const char *> {};

TEST_P(Rerank, IsNotChangedByItsNeighbours) {
    const ModelHandle model = load_model(fixture_path(std::string(GetParam()) + ".gguf"));
    const auto width = static_cast<std::size_t>(info_of(model.get()).n_cls_out);
    const ContextHandle alone = new_context(model.get(), ranking(1));
    std::vector<float> wanted;
    ASSERT_OK(rerank(alone.get(), "what is quick", documents, wanted));
    ASSERT_EQ(wanted.size(), documents.size() * width);
    const ContextHandle together = new_context(model.get(), ranking(4));
    std::vector<float> scores;
    ASSERT_OK(rerank(together.get(), "what is quick", documents, scores));
    EXPECT_TRUE(alike(scores, wanted, 1e-3F));
    EXPECT_EQ(info_of(together.get()).n_used, 0u);
    std::vector<float> again;
    ASSERT_OK(rerank(together.get(), "what is quick", documents, again));
    EXPECT_EQ(again, scores);
    // The query counts, and so does the document.
    ASSERT_OK(rerank(together.get(), "what is lazy", documents, again));
    EXPECT_NE(again, scores);
    EXPECT_NE(scores[0], scores[2 * width]);
}

TEST_P(Rerank, CutsADocumentThatIsTooLong) {
    const ModelHandle model = load_model(fixture_path(std::string(GetParam()) + ".gguf"));
    const ContextHandle context = new_context(model.get(), ranking(1, 64));
    std::string words;
    for (int i = 0; i < 80; ++i)
        words += i % 3 == 0 ? "fox é " : "the dog ";
    std::vector<float> scores;
    EXPECT_REFUSED(rerank(context.get(), "what", {"a", words}, scores), MULLAMA_ERROR_NO_SPACE,
                   "documents[1]", 1, "n_ubatch");
    EXPECT_EQ(scores, std::vector<float>(scores.size(), 7));
    mullama_rerank_options_t options;
    mullama_rerank_options_init(&options, sizeof options);
    options.truncate = true;
    std::vector<float> cut;
    ASSERT_OK(rerank(context.get(), "what", {words}, cut, &options));
    // By hand: the longest beginning that is not refused.
    std::vector<float> wanted;
    for (std::size_t size = words.size(); size > 0; --size) {
        mullama_error_t *error = rerank(context.get(), "what", {words.substr(0, size)}, wanted);
        const ErrorHandle owned(error);
        if (error == nullptr)
            break;
    }
    EXPECT_EQ(cut, wanted);
    // Where the query leaves no room, nothing is left to cut.
    EXPECT_REFUSED(rerank(context.get(), words, {"a"}, scores, &options), MULLAMA_ERROR_NO_SPACE,
                   "documents[0]", 0);
}

INSTANTIATE_TEST_SUITE_P(Models, Rerank, testing::Values("bert_rank", "qwen_rank"));

TEST(Rerank, RefusesWhatIsNoReranker) {
    std::vector<float> scores(1, 7);
    for (const char *const name : {"llama", "bert_mean", "t5"}) {
        const ModelHandle model = load_model(fixture_path(std::string(name) + ".gguf"));
        const ContextHandle context = new_context(model.get(), ranking(1));
        EXPECT_REFUSED(rerank(context.get(), "what", {"a"}, scores), MULLAMA_ERROR_UNSUPPORTED, "",
                       std::nullopt, "reranker");
    }
    const ModelHandle echo = echo_model();
    const ContextHandle context = new_context(echo.get(), ranking(1));
    EXPECT_REFUSED(rerank(context.get(), "what", {"a"}, scores), MULLAMA_ERROR_UNSUPPORTED);
    const ModelHandle model = load_model(fixture_path("bert_rank.gguf"));
    mullama_context_options_t options = ranking(1);
    options.pooling = MULLAMA_POOLING_MEAN;
    const ContextHandle embedding = new_context(model.get(), options);
    EXPECT_REFUSED(rerank(embedding.get(), "what", {"a"}, scores), MULLAMA_ERROR_INVALID_STATE, "",
                   std::nullopt, "rank");
}

TEST(Rerank, RefusesWhatItCannotRead) {
    const ModelHandle model = load_model(fixture_path("bert_rank.gguf"));
    const ContextHandle context = new_context(model.get(), ranking(2));
    mullama_context_t *const it = context.get();
    std::vector<float> scores;
    EXPECT_OK(rerank(it, "", {}, scores));
    EXPECT_REFUSED(rerank(it, "ab\xFF", {"a"}, scores), MULLAMA_ERROR_INVALID_UTF8, "query", 2);
    EXPECT_REFUSED(rerank(it, "ab", {"a", "\xFF"}, scores), MULLAMA_ERROR_INVALID_UTF8,
                   "documents[1]", 0);
    EXPECT_EQ(scores, std::vector<float>(2, 7));
    const char *const text = "the";
    float score = 7;
    EXPECT_OK(mullama_context_rerank(it, text, 3, &text, nullptr, 1, nullptr, &score, 1));
    EXPECT_NE(score, 7);
    score = 7;
    EXPECT_REFUSED(mullama_context_rerank(it, nullptr, 3, &text, nullptr, 1, nullptr, &score, 1),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "query");
    EXPECT_REFUSED(mullama_context_rerank(it, text, 3, nullptr, nullptr, 1, nullptr, &score, 1),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "documents");
    EXPECT_REFUSED(mullama_context_rerank(it, text, 3, &text, nullptr, 1, nullptr, nullptr, 1),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "scores");
    EXPECT_REFUSED(mullama_context_rerank(it, text, 3, &text, nullptr, 1, nullptr, &score, 2),
                   MULLAMA_ERROR_OUT_OF_RANGE, "scores_count");
    EXPECT_REFUSED(mullama_context_rerank(nullptr, text, 3, &text, nullptr, 1, nullptr, &score, 1),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "context");
    mullama_rerank_options_t blank{};
    EXPECT_REFUSED(mullama_context_rerank(it, text, 3, &text, nullptr, 1, &blank, &score, 1),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "options->struct_size");
    EXPECT_EQ(score, 7);
    mullama_rerank_options_t stopping;
    mullama_rerank_options_init(&stopping, sizeof stopping);
    stopping.progress = [](float, void *) { return false; };
    EXPECT_REFUSED(rerank(it, "ab", documents, scores, &stopping), MULLAMA_ERROR_CANCELLED);
}

TEST(Rerank, IsWrappedForCpp) {
    const mullama::Model model(fixture_path("bert_rank.gguf"));
    mullama::Context context(model, ranking(4));
    const std::vector<std::string_view> views(documents.begin(), documents.end());
    std::size_t calls = 0;
    const auto scores =
        context.rerank("what is quick", views, mullama::options<mullama_rerank_options_t>(),
                       [&](float) { return ++calls < 99; });
    EXPECT_EQ(calls, 2u);
    std::vector<float> wanted;
    ASSERT_OK(rerank(context.get(), "what is quick", documents, wanted));
    EXPECT_EQ(scores, wanted);
}

} // namespace

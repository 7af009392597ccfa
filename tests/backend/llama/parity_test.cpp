// The port's output is llama.cpp's own, token by token.
#include "backend/llama/support.hpp"

namespace mullama::test {
namespace {

constexpr std::string_view prompt_text =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.";

void expect_parity(const std::string &path, const ContextParams &params, std::size_t chunk,
                   int count) {
    const auto model = load(path);
    const auto prompt = tokenize(*model, prompt_text);
    const auto context = model->new_context(params);
    Raw raw(path, raw_params(params));
    ASSERT_NE(raw.context, nullptr);
    EXPECT_EQ(greedy(*model, *context, prompt, chunk, count), raw_greedy(raw, prompt, chunk, count))
        << path << ", in parts of " << chunk;
}

class Parity : public testing::TestWithParam<const char *> {};

TEST_P(Parity, SaysWhatLlamaSays) {
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
        expect_parity(fixture(GetParam()), small_context(), chunk, 24);
    }
}

INSTANTIATE_TEST_SUITE_P(Decoders, Parity,
                         testing::Values("llama", "llama_tied", "qwen", "moe", "recurrent", "rwkv",
                                         "hybrid", "plamo2", "swa", "llama_q4_0", "llama_q4_k",
                                         "llama_iq2_xs", "llama_bf16"),
                         [](const auto &its) { return std::string(its.param); });

TEST(RealModel, SaysWhatLlamaSays) {
    const std::string path = shared_model("stories260K.gguf");
    if (path.empty()) {
        GTEST_SKIP() << "stories260K.gguf is not there";
    }
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
        expect_parity(path, small_context(), chunk, 100);
    }
    ContextParams threads = small_context();
    threads.n_threads = 2;
    threads.n_threads_batch = 2;
    expect_parity(path, threads, 64, 6);
}

TEST(EncoderDecoder, SaysWhatLlamaSays) {
    const auto model = load(fixture("t5"));
    const auto prompt = tokenize(*model, "Translate this.");
    const Token start = model->vocab().special(MULLAMA_SPECIAL_DECODER_START);
    ASSERT_NE(start, MULLAMA_TOKEN_NONE);
    const auto context = model->new_context(small_context());
    ASSERT_EQ(context->encode(batch_of(prompt, 0)), DecodeStatus::ok);

    Raw raw(fixture("t5"), raw_params(small_context()));
    auto tokens = prompt;
    ASSERT_EQ(
        llama_encode(raw.context.get(),
                     llama_batch_get_one(tokens.data(), static_cast<std::int32_t>(tokens.size()))),
        0);
    EXPECT_EQ(greedy(*model, *context, {start}, 64, 24), raw_greedy(raw, {start}, 64, 24));

    // Another text, another answer: the encoder starts anew while the decoder's memory is cleared.
    context->clear();
    ASSERT_EQ(context->encode(batch_of(tokenize(*model, "Quite another one"), 0)),
              DecodeStatus::ok);
    EXPECT_EQ(context->last_position(0), -1);
}

TEST(Sequences, ShareABatchWithoutTouchingEachOther) {
    const auto model = load(fixture("llama"));
    ContextParams params = small_context();
    params.n_seq_max = 3;
    for (const bool unified : {true, false}) {
        params.kv_unified = unified;
        const auto together = model->new_context(params);
        const std::vector<std::vector<Token>> texts{
            tokenize(*model, "one"), tokenize(*model, "another text"), tokenize(*model, "a third")};
        Batch batch;
        std::vector<std::int32_t> last;
        for (SequenceId s = 0; s < 3; ++s) {
            const auto &text = texts[static_cast<std::size_t>(s)];
            for (std::size_t i = 0; i < text.size(); ++i) {
                batch.add(text[i], static_cast<Position>(i), std::span(&s, 1),
                          i + 1 == text.size());
            }
            last.push_back(static_cast<std::int32_t>(batch.size()) - 1);
        }
        ASSERT_EQ(together->decode(batch), DecodeStatus::ok);
        for (std::size_t s = 0; s < 3; ++s) {
            const auto alone = model->new_context(small_context());
            ASSERT_EQ(alone->decode(batch_of(texts[s], 0)), DecodeStatus::ok);
            const auto n_vocab = model->vocab().size();
            const float *expected = alone->logits(static_cast<std::int32_t>(texts[s].size()) - 1);
            const float *actual = together->logits(last[s]);
            EXPECT_EQ(largest(actual, n_vocab), largest(expected, n_vocab));
            for (std::int32_t i = 0; i < n_vocab; ++i) {
                EXPECT_NEAR(actual[i], expected[i], 2e-2) << "token " << i;
            }
        }
    }
}

TEST(Sequences, ShareTheirBeginning) {
    for (const char *name : {"llama", "swa", "moe"}) {
        const auto model = load(fixture(name));
        ContextParams params = small_context();
        params.n_seq_max = 2;
        const auto context = model->new_context(params);
        const auto prefix = tokenize(*model, "A beginning that both have");
        const std::vector<SequenceId> both{0, 1};
        Batch batch;
        for (std::size_t i = 0; i < prefix.size(); ++i) {
            batch.add(prefix[i], static_cast<Position>(i), both, i + 1 == prefix.size());
        }
        ASSERT_EQ(context->decode(batch), DecodeStatus::ok);
        EXPECT_EQ(context->last_position(0), context->last_position(1));
        const Token next = tokenize(*model, "x").back();
        const auto said = greedy(*model, *context, {next}, 1, 8, 1);
        EXPECT_EQ(greedy(*model, *context, {next}, 1, 8, 0), said) << name;
    }
}

} // namespace
} // namespace mullama::test

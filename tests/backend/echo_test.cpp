// The pretend engine: its rule, its vocabulary, its memory, its errors.
#include "backend/echo/backend.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "backend/echo/vocab.hpp"

namespace {

using namespace mullama::backend;
using echo::token_assistant;
using echo::token_bos;
using echo::token_eos;
using echo::token_eot;
using echo::token_sep;
using echo::token_user;
using mullama::base::Error;

std::unique_ptr<Model> load(std::vector<MetadataOverride> overrides = {}) {
    ModelParams params;
    params.overrides = std::move(overrides);
    return echo::backend().load({}, params);
}

ContextParams context_params(std::uint32_t n_ctx = 256) {
    ContextParams params;
    params.n_ctx = n_ctx;
    params.n_batch = 64;
    params.n_ubatch = 16;
    return params;
}

Batch batch_of(std::span<const Token> tokens, Position begin, SequenceId sequence = 0,
               bool outputs = false) {
    Batch batch;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        batch.add(tokens[i], begin + static_cast<Position>(i), std::span(&sequence, 1),
                  outputs || i + 1 == tokens.size());
    }
    return batch;
}

Token largest(const float *logits, std::int32_t n_vocab) {
    return static_cast<Token>(std::max_element(logits, logits + n_vocab) - logits);
}

// Feeds the tokens in chunks, then follows the maximum until a token ends it.
std::vector<Token> greedy(Model &model, Context &context, const std::vector<Token> &prompt,
                          std::size_t chunk = 64, SequenceId sequence = 0) {
    std::vector<Token> said;
    Position position = context.last_position(sequence) + 1;
    std::size_t last = 0;
    for (std::size_t i = 0; i < prompt.size(); i += chunk) {
        const auto part = std::span(prompt).subspan(i, std::min(chunk, prompt.size() - i));
        EXPECT_EQ(context.decode(batch_of(part, position, sequence)), DecodeStatus::ok);
        position += static_cast<Position>(part.size());
        last = part.size() - 1;
    }
    while (said.size() < 1000) {
        const Token next =
            largest(context.logits(static_cast<std::int32_t>(last)), model.vocab().size());
        said.push_back(next);
        if ((model.vocab().attributes(next) & MULLAMA_TOKEN_END_OF_GENERATION) != 0) {
            break;
        }
        EXPECT_EQ(context.decode(batch_of(std::span(&next, 1), position++, sequence)),
                  DecodeStatus::ok);
        last = 0;
    }
    return said;
}

std::vector<Token> tokens_of(const Model &model, std::string_view text, bool special = true) {
    std::vector<Token> tokens;
    model.vocab().tokenize(text, special, special, tokens);
    return tokens;
}

std::vector<Token> bytes_then(std::string_view text, Token end) {
    std::vector<Token> tokens;
    for (const char c : text) {
        tokens.push_back(static_cast<unsigned char>(c));
    }
    tokens.push_back(end);
    return tokens;
}

TEST(EchoRule, RepeatsThePromptThenEnds) {
    const auto model = load();
    for (const std::string_view text : {"hi", "aaaa", "hello hello", "\n", "grüße", ""}) {
        const auto context = model->new_context(context_params());
        EXPECT_EQ(greedy(*model, *context, tokens_of(*model, text)), bytes_then(text, token_eos))
            << text;
    }
}

TEST(EchoRule, PutsASeparatorWhereThePromptHasNone) {
    const auto model = load();
    const auto context = model->new_context(context_params());
    auto expected = bytes_then("hi", token_eos);
    expected.insert(expected.begin(), token_sep);
    EXPECT_EQ(greedy(*model, *context, tokens_of(*model, "hi", false)), expected);
}

TEST(EchoRule, AnswersTheLastTurnOfAConversation) {
    const auto model = load();
    const auto context = model->new_context(context_params());
    const std::vector<Token> prompt{
        token_bos, token_user, 'a',        'b', token_eot, token_assistant, 'a',
        'b',       token_eot,  token_user, 'c', token_eot, token_assistant};
    EXPECT_EQ(greedy(*model, *context, prompt), bytes_then("c", token_eos));
}

TEST(EchoRule, LogitsDependOnTheTokensAlone) {
    const auto model = load();
    const auto n_vocab = static_cast<std::size_t>(model->vocab().size());
    const auto prompt = tokens_of(*model, "The same tokens, the same logits.");
    std::vector<std::vector<float>> rows;
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
        const auto context = model->new_context(context_params());
        std::size_t row = 0;
        for (std::size_t i = 0; i < prompt.size(); i += chunk) {
            const auto part = std::span(prompt).subspan(i, std::min(chunk, prompt.size() - i));
            ASSERT_EQ(context->decode(batch_of(part, static_cast<Position>(i), 0, true)),
                      DecodeStatus::ok);
            for (std::size_t j = 0; j < part.size(); ++j, ++row) {
                const float *logits = context->logits(static_cast<std::int32_t>(j));
                if (rows.size() == row) {
                    rows.emplace_back(logits, logits + n_vocab);
                } else {
                    EXPECT_TRUE(std::equal(logits, logits + n_vocab, rows[row].begin()));
                }
            }
        }
        EXPECT_EQ(row, prompt.size());
    }
}

TEST(EchoRule, LeavesRoomForSampling) {
    for (const std::int64_t size : {std::int64_t{265}, std::int64_t{100'000}}) {
        const auto model = load({{"echo.vocab_size", size}});
        const auto context = model->new_context(context_params());
        ASSERT_EQ(context->decode(batch_of(tokens_of(*model, "x"), 0)), DecodeStatus::ok);
        const float *logits = context->logits(2);
        double sum = 0;
        for (std::int64_t i = 0; i < size; ++i) {
            sum += std::exp(static_cast<double>(logits[i]));
        }
        EXPECT_NEAR(std::exp(static_cast<double>(logits['x'])) / sum, 6.0 / 7.0, 0.02);
    }
}

TEST(EchoVocab, ReadsAndWritesBytesAndSpecialTokens) {
    const auto model = load();
    const Vocab &vocab = model->vocab();
    std::vector<Token> tokens;
    vocab.tokenize("a<|eot|><|note|>", true, true, tokens);
    EXPECT_EQ(tokens, (std::vector<Token>{token_bos, 'a', token_eot, echo::token_note, token_sep}));

    tokens.clear();
    vocab.tokenize("<|eot|><|note|>", false, false, tokens);
    auto expected = bytes_then("<|eot|>", echo::token_note);
    EXPECT_EQ(tokens, expected) << "a user's text cannot forge a control token";

    const std::vector<Token> all{token_bos, 'a', 0, 0xFF, echo::token_note, token_eos};
    std::string text;
    vocab.detokenize(all, false, false, text);
    EXPECT_EQ(text, std::string("a\0\xFF<|note|>", 11));
    text.clear();
    vocab.detokenize(all, true, true, text);
    EXPECT_EQ(text, std::string("a\0\xFF<|note|><|eos|>", 18));
}

TEST(EchoVocab, DescribesItsTokens) {
    const auto model = load({{"echo.vocab_size", std::int64_t{300}}});
    const Vocab &vocab = model->vocab();
    EXPECT_EQ(vocab.type(), MULLAMA_VOCAB_BYTES);
    EXPECT_EQ(vocab.size(), 300);
    EXPECT_EQ(vocab.text('a'), "a");
    EXPECT_EQ(vocab.text('\n'), "<0x0A>");
    EXPECT_EQ(vocab.text(299), "<unused34>");
    EXPECT_EQ(vocab.attributes('a'), std::uint32_t{MULLAMA_TOKEN_NORMAL});
    EXPECT_EQ(vocab.attributes(0xE4), std::uint32_t{MULLAMA_TOKEN_BYTE});
    EXPECT_EQ(vocab.attributes(299), std::uint32_t{MULLAMA_TOKEN_UNUSED});
    EXPECT_EQ(vocab.attributes(token_eot),
              std::uint32_t{MULLAMA_TOKEN_CONTROL} | MULLAMA_TOKEN_END_OF_GENERATION);
    EXPECT_EQ(vocab.special(MULLAMA_SPECIAL_EOS), token_eos);
    EXPECT_EQ(vocab.special(MULLAMA_SPECIAL_MASK), MULLAMA_TOKEN_NONE);
}

TEST(EchoContext, RoundsAsLlamaDoes) {
    const auto model = load();
    auto params = context_params(1000);
    auto context = model->new_context(params);
    EXPECT_EQ(context->n_ctx(), 1024U);
    EXPECT_EQ(context->n_ctx_seq(), 1024U);
    params.kv_unified = false;
    params.n_seq_max = 3;
    context = model->new_context(params);
    EXPECT_EQ(context->n_ctx_seq(), 512U);
    EXPECT_EQ(context->n_ctx(), 1536U);
    EXPECT_EQ(context->n_seq_max(), 3U);
}

TEST(EchoContext, RunsOutOfSpaceAndChangesNothing) {
    const auto model = load();
    const auto context = model->new_context(context_params());
    const std::vector<Token> text(64, 'x');
    for (Position i = 0; i < 4; ++i) {
        ASSERT_EQ(context->decode(batch_of(text, 64 * i)), DecodeStatus::ok);
    }
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>{'y'}, 256)), DecodeStatus::no_space);
    EXPECT_EQ(context->last_position(0), 255);
    EXPECT_TRUE(context->truncate(0, 100));
    EXPECT_EQ(context->last_position(0), 99);
    EXPECT_EQ(context->first_position(0), 0);
    EXPECT_EQ(context->decode(batch_of(text, 100)), DecodeStatus::ok);
    context->clear();
    EXPECT_EQ(context->last_position(0), -1);
    EXPECT_EQ(context->first_position(0), -1);
    EXPECT_EQ(context->decode(batch_of(text, 0)), DecodeStatus::ok);
}

TEST(EchoContext, SharesCellsBetweenSequences) {
    const auto model = load();
    auto params = context_params();
    params.n_seq_max = 4;
    const auto context = model->new_context(params);
    const std::vector<SequenceId> all{0, 1, 2, 3};
    for (Position at = 0; at < 192; at += 64) {
        Batch batch;
        for (Position i = 0; i < 64; ++i) {
            batch.add('x', at + i, all, false);
        }
        ASSERT_EQ(context->decode(batch), DecodeStatus::ok);
    }
    // 192 cells are held four times; 64 are free.
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>(64, 'a'), 192, 1)), DecodeStatus::ok);
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>{'b'}, 192, 2)), DecodeStatus::no_space);
    EXPECT_TRUE(context->truncate(1, 0));
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>{'b'}, 192, 2)), DecodeStatus::ok);
    EXPECT_EQ(context->last_position(0), 191);
}

TEST(EchoContext, GivesEachSequenceItsPartWhenNotUnified) {
    const auto model = load();
    auto params = context_params(512);
    params.n_seq_max = 2;
    params.kv_unified = false;
    const auto context = model->new_context(params);
    for (Position i = 0; i < 4; ++i) {
        ASSERT_EQ(context->decode(batch_of(std::vector<Token>(64, 'x'), 64 * i)), DecodeStatus::ok);
    }
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>{'y'}, 256)), DecodeStatus::no_space);
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>{'y'}, 0, 1)), DecodeStatus::ok);
}

mullama_error_code_t refusal(Context &context, const Batch &batch, std::int64_t offset) {
    try {
        (void)context.decode(batch);
    } catch (const Error &error) {
        EXPECT_EQ(error.parts().offset, offset) << error.message();
        EXPECT_FALSE(error.parts().parameter.empty());
        return error.code();
    }
    return MULLAMA_OK;
}

TEST(EchoContext, RefusesBatchesThatBreakTheRules) {
    const auto model = load();
    auto params = context_params();
    params.n_seq_max = 2;
    const auto context = model->new_context(params);
    const std::vector<SequenceId> zero{0};
    const std::vector<SequenceId> both{0, 1};
    Batch batch;
    EXPECT_EQ(refusal(*context, batch, -1), MULLAMA_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(refusal(*context, batch_of(std::vector<Token>(65, 'x'), 0), -1),
              MULLAMA_ERROR_NO_SPACE);
    EXPECT_EQ(refusal(*context, batch_of(std::vector<Token>{'x', -1}, 0), 1),
              MULLAMA_ERROR_OUT_OF_RANGE);
    EXPECT_EQ(refusal(*context, batch_of(std::vector<Token>{265}, 0), 0),
              MULLAMA_ERROR_OUT_OF_RANGE);
    EXPECT_EQ(refusal(*context, batch_of(std::vector<Token>{'x'}, 1), 0),
              MULLAMA_ERROR_OUT_OF_RANGE);
    EXPECT_EQ(refusal(*context, batch_of(std::vector<Token>{'x'}, 0, 2), 0),
              MULLAMA_ERROR_OUT_OF_RANGE);
    EXPECT_EQ(refusal(*context, batch_of(std::vector<Token>{'x'}, 0, -1), 0),
              MULLAMA_ERROR_OUT_OF_RANGE);
    batch.add('x', 0, {}, false);
    EXPECT_EQ(refusal(*context, batch, 0), MULLAMA_ERROR_INVALID_ARGUMENT);
    batch.clear();
    batch.add('x', 0, std::vector<SequenceId>{1, 1}, false);
    EXPECT_EQ(refusal(*context, batch, 0), MULLAMA_ERROR_INVALID_ARGUMENT);
    batch.clear();
    batch.add('x', 0, zero, false);
    batch.add('y', 0, zero, false);
    EXPECT_EQ(refusal(*context, batch, 1), MULLAMA_ERROR_OUT_OF_RANGE);

    ASSERT_EQ(context->decode(batch_of(std::vector<Token>{'x'}, 0)), DecodeStatus::ok);
    batch.clear();
    batch.add('y', 0, std::vector<SequenceId>{1}, false);
    batch.add('z', 1, both, false);
    EXPECT_EQ(refusal(*context, batch, 1), MULLAMA_ERROR_INVALID_ARGUMENT) << "they have parted";
    EXPECT_EQ(context->last_position(0), 0);
    EXPECT_EQ(context->last_position(1), -1);

    params.kv_unified = false;
    batch.clear();
    batch.add('x', 0, both, false);
    EXPECT_EQ(refusal(*model->new_context(params), batch, 0), MULLAMA_ERROR_INVALID_ARGUMENT);
}

TEST(EchoContext, EndsTheDecodeWhenAborted) {
    const auto model = load({{"echo.microseconds_per_token", std::int64_t{100'000}}});
    const auto context = model->new_context(context_params());
    ASSERT_EQ(context->decode(batch_of(std::vector<Token>{'x'}, 0)), DecodeStatus::ok);
    std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        context->request_abort();
    });
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>(64, 'x'), 1)), DecodeStatus::aborted);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
    other.join();
    EXPECT_EQ(context->last_position(0), 0);

    context->request_abort();
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>{'y'}, 1)), DecodeStatus::aborted);
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>{'y'}, 1)), DecodeStatus::ok);
}

TEST(EchoContext, FailsWhenAskedTo) {
    const auto model = load({{"echo.fail_decode_at", std::int64_t{2}}});
    const auto context = model->new_context(context_params());
    ASSERT_EQ(context->decode(batch_of(std::vector<Token>{'x'}, 0)), DecodeStatus::ok);
    try {
        (void)context->decode(batch_of(std::vector<Token>{'y'}, 1));
        FAIL() << "the second decode should have failed";
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), MULLAMA_ERROR_ENGINE);
        EXPECT_NE(error.parts().log.find("decode 2"), std::string::npos);
    }
    EXPECT_EQ(context->last_position(0), 0);
    EXPECT_THROW((void)context->logits(0), Error);
    EXPECT_EQ(context->decode(batch_of(std::vector<Token>{'y'}, 1)), DecodeStatus::ok);
}

TEST(EchoContext, KeepsOnlyTheLogitsAskedFor) {
    const auto model = load();
    const auto context = model->new_context(context_params());
    EXPECT_THROW((void)context->logits(0), Error);
    ASSERT_EQ(context->decode(batch_of(std::vector<Token>{'x', 'y'}, 0)), DecodeStatus::ok);
    EXPECT_THROW((void)context->logits(0), Error);
    EXPECT_THROW((void)context->logits(2), Error);
    EXPECT_THROW((void)context->logits(-1), Error);
    EXPECT_EQ(largest(context->logits(1), model->vocab().size()), token_sep);
}

mullama_error_code_t load_error(const std::vector<std::string> &paths, const ModelParams &params) {
    try {
        (void)echo::backend().load(paths, params);
    } catch (const Error &error) {
        return error.code();
    }
    return MULLAMA_OK;
}

TEST(EchoModel, RefusesWhatItCannotBe) {
    ModelParams params;
    EXPECT_EQ(load_error({"model.gguf"}, params), MULLAMA_ERROR_INVALID_ARGUMENT);
    params.overrides = {{"echo.colour", std::int64_t{1}}};
    EXPECT_EQ(load_error({}, params), MULLAMA_ERROR_INVALID_ARGUMENT);
    params.overrides = {{"echo.vocab_size", 1.0}};
    EXPECT_EQ(load_error({}, params), MULLAMA_ERROR_INVALID_ARGUMENT);
    params.overrides = {{"echo.vocab_size", std::int64_t{264}}};
    EXPECT_EQ(load_error({}, params), MULLAMA_ERROR_OUT_OF_RANGE);
    params.overrides.clear();
    params.devices = {"CUDA0"};
    EXPECT_EQ(load_error({}, params), MULLAMA_ERROR_NOT_FOUND);
}

TEST(EchoModel, TellsProgressAndCanBeCancelled) {
    ModelParams params;
    std::vector<float> heard;
    params.progress = [&](float progress) {
        heard.push_back(progress);
        return true;
    };
    EXPECT_EQ(load_error({}, params), MULLAMA_OK);
    EXPECT_TRUE(std::ranges::is_sorted(heard));
    EXPECT_EQ(heard.back(), 1.0F);
    params.progress = [](float progress) { return progress < 0.5F; };
    EXPECT_EQ(load_error({}, params), MULLAMA_ERROR_CANCELLED);
}

TEST(EchoModel, MakesNoContextWithoutWeights) {
    ModelParams params;
    params.vocab_only = true;
    const auto model = echo::backend().load({}, params);
    EXPECT_EQ(model->vocab().size(), echo::smallest_vocabulary);
    EXPECT_THROW((void)model->new_context(context_params()), Error);
}

TEST(EchoModel, BringsAChatTemplate) {
    const auto model = load();
    ASSERT_TRUE(model->chat_template("").has_value());
    EXPECT_NE(model->chat_template("")->find("<|assistant|>"), std::string_view::npos);
    EXPECT_FALSE(model->chat_template("tool_use").has_value());
}

TEST(EchoBackend, EstimatesAndDescribesItself) {
    EXPECT_EQ(echo::backend().name(), "echo");
    EXPECT_FALSE(echo::backend().reads_files());
    EXPECT_TRUE(echo::backend().knows_architecture("echo"));
    ASSERT_EQ(echo::backend().devices().size(), 1U);
    EXPECT_TRUE(echo::backend().devices()[0].available);
    const auto small = echo::backend().estimate({}, {}, context_params(256));
    const auto large = echo::backend().estimate({}, {}, context_params(2560));
    EXPECT_EQ(small.n_ctx, 256U);
    EXPECT_EQ(large.host_context, 10 * small.host_context);
}

} // namespace

// Embeddings in one call: that a row is its text's alone, what happens to the context, and what is
// refused. That the numbers are llama.cpp's: tests/parity/embed_test.cpp.
#include <cmath>
#include <string>
#include <vector>

#include "mullama/mullama.hpp"
#include "support/embed.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;

const std::vector<std::string> texts{"the quick brown fox",
                                     "jumps over",
                                     "",
                                     "the lazy dog and the quick brown fox again and again",
                                     "a",
                                     "the quick brown fox"};

mullama_context_options_t pooled(mullama_pooling_t pooling, std::uint32_t n_seq_max) {
    mullama_context_options_t options = one_thread();
    options.n_ctx = 256;
    options.n_ubatch = 256;
    options.n_seq_max = n_seq_max;
    options.pooling = pooling;
    // Flash attention rounds to half precision, each time another way.
    options.flash_attention = MULLAMA_SWITCH_OFF;
    return options;
}

ModelHandle fixture_model(const std::string &name) {
    return name == "echo" ? echo_model() : load_model(fixture_path(name + ".gguf"));
}

mullama_error_t *prefill(mullama_context_t *context, const Tokens &tokens,
                         mullama_seq_id_t sequence = 0) {
    return mullama_context_prefill(context, sequence, tokens.data(), tokens.size(),
                                   MULLAMA_OUTPUT_LAST);
}

struct Case {
    const char *fixture;
    mullama_pooling_t pooling;
};

class EmbedEach : public testing::TestWithParam<Case> {};

TEST_P(EmbedEach, IsNotChangedByItsNeighbours) {
    const ModelHandle model = fixture_model(GetParam().fixture);
    const bool begins = info_of(model.get()).n_vocab > 0 && !tokenize(model.get(), "").empty();
    std::vector<std::string> some = texts;
    if (!begins)
        some.erase(some.begin() + 2); // The empty one is refused there.
    const ContextHandle alone = new_context(model.get(), pooled(GetParam().pooling, 1));
    ASSERT_NE(alone, nullptr);
    const Rows wanted = embedded(alone.get(), some);
    ASSERT_EQ(wanted.size(), some.size());
    EXPECT_EQ(wanted.front(), wanted.back());
    EXPECT_NE(wanted[0], wanted[1]);
    for (const Row &row : wanted) {
        double squares = 0;
        for (const float number : row)
            squares += static_cast<double>(number) * static_cast<double>(number);
        EXPECT_NEAR(squares, 1, 1e-5);
    }
    for (const std::uint32_t n_seq_max : {2U, 4U, 8U}) {
        const ContextHandle context =
            new_context(model.get(), pooled(GetParam().pooling, n_seq_max));
        const Rows rows = embedded(context.get(), some);
        ASSERT_EQ(rows.size(), wanted.size());
        for (std::size_t i = 0; i < rows.size(); ++i)
            EXPECT_TRUE(alike(rows[i], wanted[i], 1e-3F)) << i << " of " << n_seq_max;
        EXPECT_EQ(info_of(context.get()).n_used, 0u);
        // Again, and tokenized beforehand: the same to the last bit.
        EXPECT_EQ(embedded(context.get(), some), rows);
        std::vector<Tokens> tokens;
        for (const std::string &text : some)
            tokens.push_back(tokenize(model.get(), text));
        const List<Tokens> list(tokens);
        std::vector<float> numbers(rows.size() * rows[0].size());
        ASSERT_OK(mullama_context_embed_tokens(context.get(), list.data.data(), list.sizes.data(),
                                               tokens.size(), nullptr, numbers.data(),
                                               numbers.size()));
        EXPECT_EQ(rows_of(numbers, rows[0].size()), rows);
    }
}

// Rounding depends on how many tokens are computed together, and on nothing else of them.
TEST_P(EmbedEach, DoesNotSeeItsNeighbours) {
    const ModelHandle model = fixture_model(GetParam().fixture);
    const ContextHandle context = new_context(model.get(), pooled(GetParam().pooling, 4));
    const auto width = static_cast<std::size_t>(info_of(context.get()).n_embd_sequence);
    const Tokens text{5, 6, 7, 8, 9};
    const auto row_beside = [&](mullama_token_t other) {
        const std::vector<Tokens> lists{Tokens(7, other), text, Tokens(3, other + 1),
                                        Tokens(9, other + 2)};
        const List<Tokens> list(lists);
        std::vector<float> numbers(4 * width);
        EXPECT_OK(mullama_context_embed_tokens(context.get(), list.data.data(), list.sizes.data(),
                                               lists.size(), nullptr, numbers.data(),
                                               numbers.size()));
        return rows_of(numbers, width)[1];
    };
    EXPECT_EQ(row_beside(20), row_beside(90));
}

INSTANTIATE_TEST_SUITE_P(
    Models, EmbedEach,
    testing::Values(
        Case{"bert_mean", MULLAMA_POOLING_DEFAULT}, Case{"bert_cls", MULLAMA_POOLING_DEFAULT},
        Case{"bert_last", MULLAMA_POOLING_DEFAULT}, Case{"bert_none", MULLAMA_POOLING_MEAN},
        Case{"embedding_last", MULLAMA_POOLING_DEFAULT}, Case{"llama", MULLAMA_POOLING_MEAN},
        Case{"llama", MULLAMA_POOLING_LAST}, Case{"swa", MULLAMA_POOLING_MEAN},
        Case{"moe", MULLAMA_POOLING_LAST}, Case{"recurrent", MULLAMA_POOLING_LAST},
        Case{"recurrent", MULLAMA_POOLING_MEAN}, Case{"rwkv", MULLAMA_POOLING_MEAN},
        Case{"hybrid", MULLAMA_POOLING_MEAN}, Case{"echo", MULLAMA_POOLING_MEAN}),
    [](const testing::TestParamInfo<Case> &its) {
        return std::string(its.param.fixture) + "_" + std::to_string(its.param.pooling);
    });

TEST(Embed, WorksWithMemoriesApartAndWindowsAlone) {
    const ModelHandle model = fixture_model("swa");
    const ContextHandle plain = new_context(model.get(), pooled(MULLAMA_POOLING_MEAN, 1));
    const Rows wanted = embedded(plain.get(), texts);
    mullama_context_options_t options = pooled(MULLAMA_POOLING_MEAN, 4);
    options.n_ctx = 1024;
    options.kv_unified = false;
    const ContextHandle apart = new_context(model.get(), options);
    options = pooled(MULLAMA_POOLING_MEAN, 4);
    options.swa_full = false;
    const ContextHandle windows = new_context(model.get(), options);
    for (const ContextHandle *context : {&apart, &windows}) {
        const Rows rows = embedded(context->get(), texts);
        ASSERT_EQ(rows.size(), wanted.size());
        for (std::size_t i = 0; i < rows.size(); ++i)
            EXPECT_TRUE(alike(rows[i], wanted[i], 1e-3F)) << i;
    }
}

TEST(Embed, LeavesRowsAsLongAsTheyAre) {
    const ModelHandle model = fixture_model("bert_mean");
    const ContextHandle context = new_context(model.get(), pooled(MULLAMA_POOLING_DEFAULT, 4));
    mullama_embed_options_t options = embed_options();
    options.normalize = false;
    const Rows plain = embedded(context.get(), texts, options);
    const Rows scaled = embedded(context.get(), texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        Row row = plain[i];
        EXPECT_NE(row, scaled[i]);
        ASSERT_OK(mullama_vector_normalize(row.data(), row.size(), row.data()));
        EXPECT_EQ(row, scaled[i]);
    }
}

TEST(Embed, ReadsSpecialTokensAsAsked) {
    const ModelHandle model = fixture_model("llama");
    const ContextHandle context = new_context(model.get(), pooled(MULLAMA_POOLING_MEAN, 4));
    const auto row_with = [&](bool add_special, bool parse_special) {
        mullama_embed_options_t options = embed_options();
        options.add_special = add_special;
        options.parse_special = parse_special;
        return embedded(context.get(), {"the fox</s>"}, options).front();
    };
    EXPECT_NE(row_with(true, false), row_with(false, false));
    EXPECT_NE(row_with(true, false), row_with(true, true));
    // NUL-terminated texts are the same.
    const char *const text = "the fox</s>";
    Row row(row_with(true, false).size());
    ASSERT_OK(
        mullama_context_embed(context.get(), &text, nullptr, 1, nullptr, row.data(), row.size()));
    EXPECT_EQ(row, row_with(true, false));
}

TEST(Embed, UsesEmptySequencesAndLeavesTheOthers) {
    const ModelHandle model = fixture_model("llama");
    const ContextHandle plain = new_context(model.get(), pooled(MULLAMA_POOLING_LAST, 4));
    const Rows wanted = embedded(plain.get(), texts);
    const ContextHandle context = new_context(model.get(), pooled(MULLAMA_POOLING_LAST, 4));
    ASSERT_OK(prefill(context.get(), {5, 6, 7}, 1));
    ASSERT_OK(prefill(context.get(), {8, 9}, 3));
    EXPECT_FALSE(info_of(context.get()).embeddings);
    const Rows rows = embedded(context.get(), texts);
    for (std::size_t i = 0; i < rows.size(); ++i)
        EXPECT_TRUE(alike(rows[i], wanted[i], 1e-3F)) << i;
    EXPECT_FALSE(info_of(context.get()).embeddings);
    EXPECT_EQ(info_of(context.get()).n_used, 5u);
    const std::size_t sizes[] = {0, 3, 0, 2};
    for (mullama_seq_id_t sequence = 0; sequence < 4; ++sequence) {
        std::size_t size = 7;
        ASSERT_OK(mullama_context_sequence_size(context.get(), sequence, &size));
        EXPECT_EQ(size, sizes[sequence]);
    }
    // The logits of before are gone, rather than another text's.
    const float *logits = nullptr;
    std::size_t count = 0;
    EXPECT_REFUSED(mullama_context_logits(context.get(), -1, &logits, &count),
                   MULLAMA_ERROR_INVALID_STATE, "index");
    // What stayed goes on as it would have.
    const ContextHandle other = new_context(model.get(), pooled(MULLAMA_POOLING_LAST, 4));
    ASSERT_OK(prefill(other.get(), {5, 6, 7}, 1));
    const auto next = [](mullama_context_t *its) {
        EXPECT_OK(prefill(its, {10}, 1));
        const float *row = nullptr;
        std::size_t size = 0;
        EXPECT_OK(mullama_context_logits(its, -1, &row, &size));
        return Row(row, row + size);
    };
    EXPECT_TRUE(alike(next(context.get()), next(other.get()), 1e-4F));

    ASSERT_OK(prefill(context.get(), {5}, 0));
    ASSERT_OK(prefill(context.get(), {5}, 2));
    std::vector<float> numbers;
    EXPECT_REFUSED(embed(context.get(), texts, numbers), MULLAMA_ERROR_INVALID_STATE, "",
                   std::nullopt, "clear one");
}

TEST(Embed, FillsTheRoomThatIsLeft) {
    const ModelHandle model = fixture_model("llama");
    const ContextHandle context = new_context(model.get(), pooled(MULLAMA_POOLING_MEAN, 4));
    ASSERT_OK(prefill(context.get(), Tokens(240, 9)));
    // 16 cells are left for the texts, a few at a time.
    const std::vector<std::string> some{"the quick", "brown", "fox jumps", "over"};
    const Rows rows = embedded(context.get(), some);
    const ContextHandle plain = new_context(model.get(), pooled(MULLAMA_POOLING_MEAN, 4));
    const Rows wanted = embedded(plain.get(), some);
    for (std::size_t i = 0; i < rows.size(); ++i)
        EXPECT_TRUE(alike(rows[i], wanted[i], 1e-3F)) << i;
    std::vector<float> numbers;
    EXPECT_REFUSED(embed(context.get(), {"the", std::string(60, 'x')}, numbers),
                   MULLAMA_ERROR_NO_SPACE, "texts[1]", 1, "n_ctx");
    ASSERT_OK(prefill(context.get(), Tokens(16, 9)));
    EXPECT_REFUSED(embed(context.get(), {"the"}, numbers), MULLAMA_ERROR_NO_SPACE);
}

TEST(Embed, RefusesATextThatIsTooLongByName) {
    const ModelHandle model = fixture_model("bert_mean");
    mullama_context_options_t options = pooled(MULLAMA_POOLING_DEFAULT, 1);
    options.n_ubatch = 16;
    options.n_batch = 16;
    const ContextHandle context = new_context(model.get(), options);
    std::string words;
    for (int i = 0; i < 100; ++i)
        words += "the ";
    const std::size_t n_tokens = tokenize(model.get(), words).size();
    ASSERT_GT(n_tokens, 16u);
    std::vector<float> numbers;
    mullama_error_t *error = embed(context.get(), {"the", "fox", words}, numbers);
    EXPECT_EQ(std::string(mullama_error_actual(error, nullptr)), std::to_string(n_tokens));
    EXPECT_EQ(std::string(mullama_error_expected(error, nullptr)), "at most 16 tokens");
    EXPECT_REFUSED(error, MULLAMA_ERROR_NO_SPACE, "texts[2]", 2, "n_ubatch");
    EXPECT_EQ(numbers, std::vector<float>(numbers.size(), 7));

    // Cut, with the end that the model was trained to see.
    mullama_embed_options_t truncating = embed_options();
    truncating.truncate = true;
    const Row cut = embedded(context.get(), {words}, truncating).front();
    Tokens tokens = tokenize(model.get(), words);
    tokens[15] = tokens.back();
    tokens.resize(16);
    const mullama_token_t *data = tokens.data();
    const std::size_t size = tokens.size();
    Row row(cut.size());
    ASSERT_OK(mullama_context_embed_tokens(context.get(), &data, &size, 1, nullptr, row.data(),
                                           row.size()));
    EXPECT_EQ(row, cut);
    // Tokens are cut as they are.
    Tokens longer = tokenize(model.get(), words);
    data = longer.data();
    const std::size_t longer_size = longer.size();
    Row other(cut.size());
    EXPECT_REFUSED(mullama_context_embed_tokens(context.get(), &data, &longer_size, 1, nullptr,
                                                other.data(), other.size()),
                   MULLAMA_ERROR_NO_SPACE, "texts[0]", 0);
    ASSERT_OK(mullama_context_embed_tokens(context.get(), &data, &longer_size, 1, &truncating,
                                           other.data(), other.size()));
    longer.resize(16);
    data = longer.data();
    ASSERT_OK(mullama_context_embed_tokens(context.get(), &data, &size, 1, nullptr, row.data(),
                                           row.size()));
    EXPECT_EQ(row, other);
    EXPECT_NE(other, cut);
}

// llama.cpp looks learned positions up in a table, and ends the process where there is none.
TEST(Embed, GoesNoFurtherThanThePositionsThatTheModelKnows) {
    const ModelHandle model = fixture_model("bert_mean");
    const auto n_positions = static_cast<std::size_t>(info_of(model.get()).n_ctx_train);
    mullama_context_options_t options = one_thread();
    options.n_ctx = 2048;
    options.n_batch = 2048;
    options.n_ubatch = 2048;
    const ContextHandle context = new_context(model.get(), options);
    EXPECT_EQ(info_of(context.get()).n_ctx_seq, n_positions);
    Tokens tokens(n_positions + 1, 9);
    const mullama_token_t *data = tokens.data();
    std::size_t size = tokens.size();
    Row row(static_cast<std::size_t>(info_of(context.get()).n_embd_sequence));
    EXPECT_REFUSED(mullama_context_embed_tokens(context.get(), &data, &size, 1, nullptr, row.data(),
                                                row.size()),
                   MULLAMA_ERROR_NO_SPACE, "texts[0]", 0, "positions");
    --size;
    EXPECT_OK(mullama_context_embed_tokens(context.get(), &data, &size, 1, nullptr, row.data(),
                                           row.size()));
    const BatchHandle batch = new_batch();
    for (std::size_t i = 0; i < tokens.size(); ++i)
        ASSERT_OK(add(batch.get(), tokens[i], static_cast<mullama_pos_t>(i), {0}, true));
    EXPECT_REFUSED(mullama_context_decode(context.get(), batch.get()), MULLAMA_ERROR_OUT_OF_RANGE,
                   "position", static_cast<std::int64_t>(n_positions));
}

TEST(Embed, RefusesWhatItCannotDo) {
    const ModelHandle llama = fixture_model("llama");
    const ContextHandle unpooled = new_context(llama.get(), pooled(MULLAMA_POOLING_NONE, 2));
    std::vector<float> numbers;
    EXPECT_REFUSED(embed(unpooled.get(), texts, numbers), MULLAMA_ERROR_INVALID_STATE, "",
                   std::nullopt, "pooling");
    const ModelHandle ranker = fixture_model("bert_rank");
    const ContextHandle ranking = new_context(ranker.get(), pooled(MULLAMA_POOLING_DEFAULT, 2));
    EXPECT_REFUSED(embed(ranking.get(), texts, numbers), MULLAMA_ERROR_INVALID_STATE, "",
                   std::nullopt, "mullama_context_rerank");
    const ModelHandle t5 = fixture_model("t5");
    const ContextHandle both = new_context(t5.get(), pooled(MULLAMA_POOLING_DEFAULT, 2));
    EXPECT_REFUSED(embed(both.get(), texts, numbers), MULLAMA_ERROR_UNSUPPORTED, "", std::nullopt,
                   "encoder-decoder");

    const ContextHandle context = new_context(llama.get(), pooled(MULLAMA_POOLING_MEAN, 2));
    EXPECT_REFUSED(embed(context.get(), {"fine", "ab\xC3("}, numbers), MULLAMA_ERROR_INVALID_UTF8,
                   "texts[1]", 2);
    mullama_embed_options_t bare = embed_options();
    bare.add_special = false;
    EXPECT_REFUSED(embed(context.get(), {"fine", ""}, numbers, bare),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "texts[1]", 1, "empty");
    EXPECT_EQ(numbers, std::vector<float>(numbers.size(), 7));
    EXPECT_EQ(info_of(context.get()).n_used, 0u);

    const char *const text = "the";
    const char *const nothing = nullptr;
    const std::size_t size = 3;
    Row row(static_cast<std::size_t>(info_of(context.get()).n_embd_sequence));
    mullama_context_t *const it = context.get();
    EXPECT_OK(mullama_context_embed(it, nullptr, nullptr, 0, nullptr, nullptr, 0));
    EXPECT_REFUSED(mullama_context_embed(it, nullptr, &size, 1, nullptr, row.data(), row.size()),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "texts");
    EXPECT_REFUSED(mullama_context_embed(it, &nothing, &size, 1, nullptr, row.data(), row.size()),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "texts[0]");
    EXPECT_REFUSED(mullama_context_embed(it, &nothing, nullptr, 1, nullptr, row.data(), row.size()),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "texts[0]");
    EXPECT_REFUSED(mullama_context_embed(it, &text, &size, 1, nullptr, nullptr, row.size()),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "rows");
    EXPECT_REFUSED(mullama_context_embed(it, &text, &size, 1, nullptr, row.data(), row.size() - 1),
                   MULLAMA_ERROR_OUT_OF_RANGE, "rows_count");
    EXPECT_REFUSED(mullama_context_embed(nullptr, &text, &size, 1, nullptr, row.data(), row.size()),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "context");
    mullama_embed_options_t blank{};
    EXPECT_REFUSED(mullama_context_embed(it, &text, &size, 1, &blank, row.data(), row.size()),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "options->struct_size");
    const mullama_token_t beyond[] = {5, 100000};
    const mullama_token_t *list = beyond;
    const std::size_t two = 2;
    EXPECT_REFUSED(
        mullama_context_embed_tokens(it, &list, &two, 1, nullptr, row.data(), row.size()),
        MULLAMA_ERROR_OUT_OF_RANGE, "texts[0]", 1);
    EXPECT_REFUSED(
        mullama_context_embed_tokens(it, &list, nullptr, 1, nullptr, row.data(), row.size()),
        MULLAMA_ERROR_INVALID_ARGUMENT, "sizes");
    EXPECT_REFUSED(
        mullama_context_embed_each_token(it, &list, &two, 1, nullptr, row.data(), row.size()),
        MULLAMA_ERROR_INVALID_STATE, "", std::nullopt, "pooled");
}

TEST(Embed, GivesEachTokensRow) {
    const ModelHandle model = fixture_model("bert_none");
    const std::vector<Tokens> lists{{5, 6, 7}, {8}, {9, 10}};
    const List<Tokens> list(lists);
    const auto width = static_cast<std::size_t>(info_of(model.get()).n_embd_out);
    const auto rows_with = [&](std::uint32_t n_seq_max) {
        const ContextHandle context =
            new_context(model.get(), pooled(MULLAMA_POOLING_DEFAULT, n_seq_max));
        std::vector<float> numbers(6 * width);
        EXPECT_OK(mullama_context_embed_each_token(context.get(), list.data.data(),
                                                   list.sizes.data(), lists.size(), nullptr,
                                                   numbers.data(), numbers.size()));
        EXPECT_REFUSED(mullama_context_embed_each_token(context.get(), list.data.data(),
                                                        list.sizes.data(), lists.size(), nullptr,
                                                        numbers.data(), numbers.size() - width),
                       MULLAMA_ERROR_OUT_OF_RANGE, "rows_count");
        return rows_of(numbers, width);
    };
    const Rows alone = rows_with(1);
    const Rows together = rows_with(3);
    ASSERT_EQ(alone.size(), 6u);
    for (std::size_t i = 0; i < alone.size(); ++i)
        EXPECT_TRUE(alike(alone[i], together[i])) << i;
    EXPECT_NE(alone[0], alone[1]);
}

TEST(Embed, TellsHowFarItIsAndStops) {
    const ModelHandle model = fixture_model("llama");
    const ContextHandle context = new_context(model.get(), pooled(MULLAMA_POOLING_LAST, 2));
    mullama_embed_options_t options = embed_options();
    std::vector<float> heard;
    options.user_data = &heard;
    options.progress = [](float progress, void *user_data) {
        static_cast<std::vector<float> *>(user_data)->push_back(progress);
        return true;
    };
    embedded(context.get(), texts, options);
    ASSERT_EQ(heard.size(), 3u);
    EXPECT_EQ(heard.back(), 1);
    options.progress = [](float, void *) { return false; };
    std::vector<float> numbers;
    EXPECT_REFUSED(embed(context.get(), texts, numbers, options), MULLAMA_ERROR_CANCELLED);
    EXPECT_EQ(numbers, std::vector<float>(numbers.size(), 7));
    EXPECT_EQ(info_of(context.get()).n_used, 0u);
    ASSERT_OK(mullama_context_abort(context.get()));
    EXPECT_REFUSED(embed(context.get(), texts, numbers), MULLAMA_ERROR_CANCELLED);
    EXPECT_EQ(info_of(context.get()).n_used, 0u);
    EXPECT_OK(embed(context.get(), texts, numbers));
}

TEST(Embed, IsWrappedForCpp) {
    const mullama::Model model(fixture_path("bert_mean.gguf"));
    mullama_context_options_t how = pooled(MULLAMA_POOLING_DEFAULT, 4);
    mullama::Context context(model, how);
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    std::size_t calls = 0;
    const auto rows = context.embed(views, mullama::options<mullama_embed_options_t>(),
                                    [&](float) { return ++calls < 99; });
    EXPECT_EQ(calls, 2u);
    const auto width = static_cast<std::size_t>(context.info().n_embd_sequence);
    ASSERT_EQ(rows.size(), texts.size() * width);
    EXPECT_TRUE(alike(context.embed(views[1]), rows_of(rows, width)[1]));
    EXPECT_EQ(context.embed(std::span<const mullama::Token>(model.tokenize(views[1]))),
              context.embed(views[1]));
    EXPECT_THROW(static_cast<void>(context.embed(views, mullama::options<mullama_embed_options_t>(),
                                                 [](float) -> bool { throw 5; })),
                 int);
    const mullama::Model plain(fixture_path("bert_none.gguf"));
    mullama::Context tokens(plain, how);
    const std::vector<std::vector<mullama::Token>> lists{{5, 6}, {7}};
    EXPECT_EQ(tokens.embed_each_token(lists, width).size(), 3 * width);
}

} // namespace

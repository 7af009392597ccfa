#include "support/capi.hpp"
#include "support/manifest.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>
#include <vector>

using namespace mullama::test;

namespace {

using Tokens = std::vector<mullama_token_t>;

ModelHandle load_vocabulary(const std::string &path) {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.vocab_only = true;
    return load_model(path, &options);
}

Tokens tokenize(const mullama_model_t *model, std::string_view text, bool add_special = false,
                bool parse_special = false) {
    mullama_tokenize_options_t options;
    mullama_tokenize_options_init(&options, sizeof options);
    options.add_special = add_special;
    options.parse_special = parse_special;
    mullama_tokens_t *tokens = nullptr;
    EXPECT_OK(mullama_model_tokenize(model, text.data(), text.size(), &options, &tokens));
    const TokensHandle owned(tokens);
    size_t count = 0;
    const mullama_token_t *const data = mullama_tokens_data(tokens, &count);
    return {data, data + count};
}

std::string detokenize(const mullama_model_t *model, const Tokens &tokens,
                       const mullama_detokenize_options_t *options = nullptr) {
    mullama_text_t *text = nullptr;
    EXPECT_OK(mullama_model_detokenize(model, tokens.data(), tokens.size(), options, &text));
    return text_of(TextHandle(text).get());
}

// Whether `text` is UTF-8, and so whole characters.
bool is_utf8(std::string_view text) {
    const ModelHandle model = echo_model();
    mullama_tokens_t *tokens = nullptr;
    const ErrorHandle error(
        mullama_model_tokenize(model.get(), text.data(), text.size(), nullptr, &tokens));
    const TokensHandle owned(tokens);
    return error == nullptr;
}

std::string read_file(const std::filesystem::path &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// llama.cpp's own vocabularies, and the texts and ids that it tests them with.

struct VectorSet {
    std::string name;
    std::vector<std::string> texts;
    std::vector<Tokens> ids;
};

std::filesystem::path vector_folder() {
    return std::filesystem::path(MULLAMA_TEST_LLAMA_CPP_DIR) / "models";
}

std::vector<std::string> vector_set_names() {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(vector_folder())) {
        const std::filesystem::path path = entry.path();
        if (path.extension() == ".inp")
            names.push_back(path.stem().stem().string().substr(std::string("ggml-vocab-").size()));
    }
    std::sort(names.begin(), names.end());
    return names;
}

VectorSet read_vector_set(const std::string &name) {
    VectorSet set;
    set.name = name;
    const std::filesystem::path stem = vector_folder() / ("ggml-vocab-" + name + ".gguf");
    // A line of its own is between two texts, and in most files behind the last one.
    const std::string texts = read_file(stem.string() + ".inp");
    const std::string border = "\n__ggml_vocab_test__\n";
    size_t begin = 0;
    for (size_t end = texts.find(border); end != std::string::npos;
         end = texts.find(border, begin)) {
        set.texts.push_back(texts.substr(begin, end - begin));
        begin = end + border.size();
    }
    if (begin < texts.size())
        set.texts.push_back(texts.substr(begin));
    std::istringstream lines(read_file(stem.string() + ".out"));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream numbers(line);
        Tokens ids;
        for (mullama_token_t id = 0; numbers >> id;)
            ids.push_back(id);
        set.ids.push_back(ids);
    }
    return set;
}

class Vectors : public testing::TestWithParam<std::string> {};

TEST_P(Vectors, Match) {
    const VectorSet set = read_vector_set(GetParam());
    ASSERT_EQ(set.texts.size(), set.ids.size());
    ASSERT_GT(set.texts.size(), 40U);
    const ModelHandle model =
        load_vocabulary((vector_folder() / ("ggml-vocab-" + set.name + ".gguf")).string());
    ASSERT_TRUE(model);
    for (size_t i = 0; i < set.texts.size(); ++i)
        EXPECT_EQ(tokenize(model.get(), set.texts[i]), set.ids[i]) << set.texts[i];
}

INSTANTIATE_TEST_SUITE_P(LlamaCpp, Vectors, testing::ValuesIn(vector_set_names()),
                         [](const auto &row) {
                             std::string name = row.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST(VectorSets, AreAllThere) {
    EXPECT_EQ(vector_set_names().size(), 15U);
}

// Every kind of vocabulary.

std::vector<std::string> all_vocabularies() {
    std::vector<std::string> paths;
    for (const Json &row : fixtures("vocabulary"))
        paths.push_back(path_of(row));
    for (const std::string &name : vector_set_names())
        paths.push_back((vector_folder() / ("ggml-vocab-" + name + ".gguf")).string());
    return paths;
}

class Vocabulary : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(All, Vocabulary, testing::ValuesIn(all_vocabularies()),
                         [](const auto &row) {
                             std::string name = std::filesystem::path(row.param).stem().string();
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

// With the bytes that are no UTF-8 replaced as the contract says: through a vocabulary of bytes,
// whose detokenizer does nothing else.
std::string replace_bad_bytes(const mullama_model_t *bytes, std::string_view text) {
    mullama_detokenizer_t *detokenizer = nullptr;
    EXPECT_OK(mullama_detokenizer_new(const_cast<mullama_model_t *>(bytes), nullptr, &detokenizer));
    const DetokenizerHandle owned(detokenizer);
    std::string out;
    const char *part = nullptr;
    size_t size = 0;
    for (const char c : text) {
        EXPECT_OK(
            mullama_detokenizer_push(detokenizer, static_cast<unsigned char>(c), &part, &size));
        out.append(part, size);
    }
    EXPECT_OK(mullama_detokenizer_finish(detokenizer, &part, &size));
    return out.append(part, size);
}

TEST_P(Vocabulary, IncrementsJoinedAreTheWholeText) {
    const ModelHandle model = load_vocabulary(GetParam());
    ASSERT_TRUE(model);
    const ModelHandle bytes = echo_model();
    mullama_model_info_t info;
    mullama_model_info_init(&info, sizeof info);
    ASSERT_OK(mullama_model_get_info(model.get(), &info));
    ASSERT_GT(info.n_vocab, 0);

    // Texts that end up in many kinds of tokens, and lists of any tokens at all.
    const std::array<std::string, 10> texts = {
        "",
        " ",
        "Hello world",
        " leading and trailing ",
        "It 's what they 're , we 've ! ' quoted ' don 't I 'm you 'll he 'd ?",
        "a . b , c ! d ? e ' f 's ' ' ' 've",
        "\xF0\x9F\x99\x82 \xE7\x81\xAF\xE5\x8F\xB0 \xD9\x85\xD9\x86\xD8\xA7\xD8\xB1\xD8\xA9",
        "lines\n\n\ttabs\r\n   spaces",
        "<s></s><|endoftext|>[CLS][SEP]",
        "naive na\xC3\xAFve \xE2\x80\x94 \xE2\x80\xA6",
    };
    std::vector<Tokens> lists;
    for (const std::string &text : texts) {
        lists.push_back(tokenize(model.get(), text, false, true));
        lists.push_back(tokenize(model.get(), text, true, true));
    }
    std::minstd_rand random(7);
    std::uniform_int_distribution<mullama_token_t> any(0, info.n_vocab - 1);
    const std::array<mullama_token_t, 4> special = {
        mullama_model_special_token(model.get(), MULLAMA_SPECIAL_BOS),
        mullama_model_special_token(model.get(), MULLAMA_SPECIAL_EOS),
        mullama_model_special_token(model.get(), MULLAMA_SPECIAL_SEP),
        mullama_model_special_token(model.get(), MULLAMA_SPECIAL_PAD),
    };
    // Of the tokens that the spaces of WordPiece and SentencePiece depend on, more than chance
    // gives.
    const Tokens crafted = tokenize(model.get(), texts[5] + texts[4]);
    for (int i = 0; i < 400; ++i) {
        Tokens tokens;
        for (auto n = random() % 12; n > 0; --n) {
            const auto kind = random() % 8;
            const mullama_token_t token = kind == 0   ? special[random() % special.size()]
                                          : kind <= 4 ? crafted[random() % crafted.size()]
                                                      : any(random);
            if (token != MULLAMA_TOKEN_NONE)
                tokens.push_back(token);
        }
        lists.push_back(tokens);
    }

    for (unsigned bits = 0; bits < 4; ++bits) {
        mullama_detokenize_options_t options;
        mullama_detokenize_options_init(&options, sizeof options);
        options.remove_special = (bits & 1) != 0;
        options.unparse_special = (bits & 2) != 0;
        mullama_detokenizer_t *detokenizer = nullptr;
        ASSERT_OK(mullama_detokenizer_new(model.get(), &options, &detokenizer));
        const DetokenizerHandle owned(detokenizer);
        for (const Tokens &tokens : lists) {
            std::string joined;
            const char *part = nullptr;
            size_t size = 0;
            for (const mullama_token_t token : tokens) {
                ASSERT_OK(mullama_detokenizer_push(detokenizer, token, &part, &size));
                ASSERT_EQ(part[size], '\0');
                ASSERT_TRUE(is_utf8({part, size}));
                joined.append(part, size);
            }
            // As new afterwards: the next list starts a text of its own.
            ASSERT_OK(mullama_detokenizer_finish(detokenizer, &part, &size));
            joined.append(part, size);
            const std::string whole = detokenize(model.get(), tokens, &options);
            ASSERT_EQ(joined, is_utf8(whole) ? whole : replace_bad_bytes(bytes.get(), whole))
                << testing::PrintToString(tokens) << " remove " << options.remove_special
                << " unparse " << options.unparse_special;
        }
    }
}

TEST_P(Vocabulary, DescribesEveryToken) {
    const ModelHandle model = load_vocabulary(GetParam());
    ASSERT_TRUE(model);
    mullama_model_info_t model_info;
    mullama_model_info_init(&model_info, sizeof model_info);
    ASSERT_OK(mullama_model_get_info(model.get(), &model_info));
    size_t with_text = 0;
    for (mullama_token_t token = 0; token < model_info.n_vocab; ++token) {
        mullama_token_info_t info;
        mullama_token_info_init(&info, sizeof info);
        ASSERT_OK(mullama_model_get_token(model.get(), token, &info));
        ASSERT_EQ(info.text[info.text_size], '\0');
        ASSERT_EQ(info.piece[info.piece_size], '\0');
        with_text += info.piece_size > 0 ? 1 : 0;
    }
    EXPECT_GT(with_text, static_cast<size_t>(model_info.n_vocab) * 9 / 10);
    for (int which = MULLAMA_SPECIAL_BOS; which <= MULLAMA_SPECIAL_DECODER_START; ++which) {
        const mullama_token_t token =
            mullama_model_special_token(model.get(), static_cast<mullama_special_token_t>(which));
        EXPECT_TRUE(token == MULLAMA_TOKEN_NONE || (token >= 0 && token < model_info.n_vocab))
            << which << ": " << token;
    }
}

TEST(Vocab, TypesAreTold) {
    const std::array<std::pair<const char *, mullama_vocab_type_t>, 6> types = {{
        {"vocab_spm.gguf", MULLAMA_VOCAB_SPM},
        {"vocab_bpe.gguf", MULLAMA_VOCAB_BPE},
        {"vocab_wpm.gguf", MULLAMA_VOCAB_WPM},
        {"vocab_ugm.gguf", MULLAMA_VOCAB_UGM},
        {"vocab_rwkv.gguf", MULLAMA_VOCAB_RWKV},
        {"vocab_plamo2.gguf", MULLAMA_VOCAB_PLAMO2},
    }};
    for (const auto &[file, type] : types) {
        const ModelHandle model = load_vocabulary(fixture_path(file));
        ASSERT_TRUE(model);
        mullama_model_info_t info;
        mullama_model_info_init(&info, sizeof info);
        ASSERT_OK(mullama_model_get_info(model.get(), &info));
        EXPECT_EQ(info.vocab_type, type) << file;
    }
}

TEST(Vocab, UsersTextForgesNoSpecialToken) {
    const ModelHandle model = load_vocabulary(fixture_path("vocab_spm.gguf"));
    ASSERT_TRUE(model);
    const mullama_token_t eos = mullama_model_special_token(model.get(), MULLAMA_SPECIAL_EOS);
    mullama_token_info_t info;
    mullama_token_info_init(&info, sizeof info);
    ASSERT_OK(mullama_model_get_token(model.get(), eos, &info));
    EXPECT_NE(info.attributes & MULLAMA_TOKEN_CONTROL, 0U);
    EXPECT_NE(info.attributes & MULLAMA_TOKEN_END_OF_GENERATION, 0U);
    const std::string spelling(info.text, info.text_size);
    const Tokens plain = tokenize(model.get(), spelling);
    EXPECT_EQ(std::count(plain.begin(), plain.end(), eos), 0);
    const Tokens parsed = tokenize(model.get(), spelling, false, true);
    EXPECT_EQ(std::count(parsed.begin(), parsed.end(), eos), 1);
}

TEST(Vocab, NulsAreCharactersLikeAnyOther) {
    for (const char *const file : {"vocab_spm.gguf", "vocab_bpe.gguf", "vocab_rwkv.gguf"}) {
        const ModelHandle model = load_vocabulary(fixture_path(file));
        ASSERT_TRUE(model);
        const std::string text("a\0b", 3);
        const std::string back = detokenize(model.get(), tokenize(model.get(), text));
        EXPECT_NE(back.find(text), std::string::npos)
            << file << ": " << testing::PrintToString(back);
    }
}

TEST(Vocab, DefaultsAreFilled) {
    mullama_tokenize_options_t tokenize_options;
    mullama_tokenize_options_init(&tokenize_options, sizeof tokenize_options);
    EXPECT_EQ(tokenize_options.struct_size, sizeof tokenize_options);
    EXPECT_TRUE(tokenize_options.add_special);
    EXPECT_FALSE(tokenize_options.parse_special);
    mullama_detokenize_options_t detokenize_options;
    mullama_detokenize_options_init(&detokenize_options, sizeof detokenize_options);
    EXPECT_FALSE(detokenize_options.remove_special);
    EXPECT_FALSE(detokenize_options.unparse_special);
    mullama_tokenize_options_init(nullptr, 16);
    mullama_detokenize_options_init(nullptr, 16);
    mullama_token_info_init(nullptr, 16);

    // No options are the same as default ones.
    const ModelHandle model = echo_model();
    mullama_tokens_t *with = nullptr;
    mullama_tokens_t *without = nullptr;
    ASSERT_OK(mullama_model_tokenize(model.get(), "hi", 2, &tokenize_options, &with));
    ASSERT_OK(mullama_model_tokenize(model.get(), "hi", 2, nullptr, &without));
    const TokensHandle owned_with(with);
    const TokensHandle owned_without(without);
    size_t with_count = 0;
    size_t without_count = 0;
    const mullama_token_t *const a = mullama_tokens_data(with, &with_count);
    const mullama_token_t *const b = mullama_tokens_data(without, &without_count);
    EXPECT_EQ(Tokens(a, a + with_count), Tokens(b, b + without_count));
    EXPECT_EQ(with_count, 4U);
}

TEST(Vocab, RefusesWhatCannotBe) {
    const ModelHandle model = echo_model();
    auto *const untouched = reinterpret_cast<mullama_tokens_t *>(1);
    mullama_tokens_t *tokens = untouched;
    EXPECT_REFUSED(mullama_model_tokenize(nullptr, "x", 1, nullptr, &tokens),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "model");
    EXPECT_REFUSED(mullama_model_tokenize(model.get(), nullptr, 1, nullptr, &tokens),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "text");
    EXPECT_REFUSED(mullama_model_tokenize(model.get(), "x", 1, nullptr, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    const std::array<std::pair<std::string_view, std::int64_t>, 5> bad = {{
        {"\x80", 0},
        {"ab\xC0\xAF", 2},           // overlong
        {"abc\xED\xA0\x80", 3},      // a surrogate
        {"abcd\xF4\x90\x80\x80", 4}, // above U+10FFFF
        {"abcde\xF0\x9F\x99", 5},    // cut off
    }};
    for (const auto &[text, offset] : bad) {
        EXPECT_REFUSED(
            mullama_model_tokenize(model.get(), text.data(), text.size(), nullptr, &tokens),
            MULLAMA_ERROR_INVALID_UTF8, "text", offset);
    }
    mullama_tokenize_options_t options;
    mullama_tokenize_options_init(&options, sizeof options);
    options.struct_size = 1;
    EXPECT_REFUSED(mullama_model_tokenize(model.get(), "x", 1, &options, &tokens),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "options->struct_size", {},
                   "mullama_tokenize_options_init");
    EXPECT_EQ(tokens, untouched);

    auto *const untouched_text = reinterpret_cast<mullama_text_t *>(1);
    mullama_text_t *text = untouched_text;
    const Tokens outside = {'a', 265};
    EXPECT_REFUSED(mullama_model_detokenize(model.get(), outside.data(), 2, nullptr, &text),
                   MULLAMA_ERROR_OUT_OF_RANGE, "tokens", 1, "265");
    const Tokens negative = {-1};
    EXPECT_REFUSED(mullama_model_detokenize(model.get(), negative.data(), 1, nullptr, &text),
                   MULLAMA_ERROR_OUT_OF_RANGE, "tokens", 0);
    EXPECT_REFUSED(mullama_model_detokenize(model.get(), nullptr, 1, nullptr, &text),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "tokens");
    EXPECT_REFUSED(mullama_model_detokenize(nullptr, outside.data(), 1, nullptr, &text),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "model");
    EXPECT_REFUSED(mullama_model_detokenize(model.get(), outside.data(), 1, nullptr, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    EXPECT_EQ(text, untouched_text);

    mullama_token_info_t info;
    mullama_token_info_init(&info, sizeof info);
    EXPECT_REFUSED(mullama_model_get_token(model.get(), 265, &info), MULLAMA_ERROR_OUT_OF_RANGE,
                   "token");
    EXPECT_REFUSED(mullama_model_get_token(model.get(), MULLAMA_TOKEN_NONE, &info),
                   MULLAMA_ERROR_OUT_OF_RANGE, "token");
    EXPECT_REFUSED(mullama_model_get_token(model.get(), 1, nullptr), MULLAMA_ERROR_INVALID_ARGUMENT,
                   "info");
    EXPECT_STREQ(info.piece, "");

    EXPECT_EQ(mullama_model_special_token(nullptr, MULLAMA_SPECIAL_BOS), MULLAMA_TOKEN_NONE);
    EXPECT_EQ(mullama_model_special_token(model.get(), static_cast<mullama_special_token_t>(15)),
              MULLAMA_TOKEN_NONE);

    mullama_detokenizer_t *detokenizer = nullptr;
    EXPECT_REFUSED(mullama_detokenizer_new(nullptr, nullptr, &detokenizer),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "model");
    EXPECT_REFUSED(mullama_detokenizer_new(model.get(), nullptr, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "out");
    ASSERT_OK(mullama_detokenizer_new(model.get(), nullptr, &detokenizer));
    const DetokenizerHandle owned(detokenizer);
    const char *part = nullptr;
    size_t size = 0;
    EXPECT_REFUSED(mullama_detokenizer_push(detokenizer, 265, &part, &size),
                   MULLAMA_ERROR_OUT_OF_RANGE, "token");
    EXPECT_REFUSED(mullama_detokenizer_push(detokenizer, 1, nullptr, &size),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "text");
    EXPECT_REFUSED(mullama_detokenizer_push(detokenizer, 1, &part, nullptr),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "size");
    EXPECT_REFUSED(mullama_detokenizer_push(nullptr, 1, &part, &size),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "detokenizer");
    EXPECT_REFUSED(mullama_detokenizer_finish(nullptr, &part, &size),
                   MULLAMA_ERROR_INVALID_ARGUMENT, "detokenizer");
    EXPECT_EQ(part, nullptr);
    mullama_detokenizer_free(nullptr);
}

TEST(Detokenizer, HoldsBackHalfCharactersOnly) {
    ModelHandle model = echo_model();
    mullama_detokenizer_t *detokenizer = nullptr;
    ASSERT_OK(mullama_detokenizer_new(model.get(), nullptr, &detokenizer));
    const DetokenizerHandle owned(detokenizer);
    model.reset(); // the detokenizer keeps it

    const auto push = [&](mullama_token_t token) {
        const char *part = nullptr;
        size_t size = 0;
        EXPECT_OK(mullama_detokenizer_push(detokenizer, token, &part, &size));
        return std::string(part, size);
    };
    EXPECT_EQ(push('a'), "a");
    EXPECT_EQ(push(0xF0), "");
    EXPECT_EQ(push(0x9F), "");
    EXPECT_EQ(push(0x99), "");
    EXPECT_EQ(push(0x82), "\xF0\x9F\x99\x82");
    EXPECT_EQ(push(0xC3), "");
    EXPECT_EQ(push('b'), "\xEF\xBF\xBD"
                         "b");
    EXPECT_EQ(push(0), std::string(1, '\0'));
    EXPECT_EQ(push(0xE2), "");
    const char *part = nullptr;
    size_t size = 0;
    ASSERT_OK(mullama_detokenizer_finish(detokenizer, &part, &size));
    EXPECT_EQ(std::string(part, size), "\xEF\xBF\xBD");
    EXPECT_EQ(push('c'), "c");
}

TEST(Vocab, ThreadsShareIt) {
    const ModelHandle model = load_vocabulary(fixture_path("vocab_bpe.gguf"));
    ASSERT_TRUE(model);
    const Tokens expected = tokenize(model.get(), "many threads, one vocabulary");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 50; ++round) {
                const Tokens tokens = tokenize(model.get(), "many threads, one vocabulary");
                EXPECT_EQ(tokens, expected);
                // The table of pieces is made by whoever comes first.
                mullama_token_info_t info;
                mullama_token_info_init(&info, sizeof info);
                EXPECT_OK(mullama_model_get_token(model.get(), tokens[0], &info));
                EXPECT_GT(info.piece_size, 0U);
            }
        });
    }
    for (std::thread &thread : threads)
        thread.join();
}

} // namespace

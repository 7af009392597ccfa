#include "support/capi.hpp"

#include <array>
#include <vector>

using namespace mullama::test;

namespace {

std::vector<mullama_token_t> tokens_of(const mullama_model_t *model, std::string_view text) {
    mullama_tokenize_options_t options;
    mullama_tokenize_options_init(&options, sizeof options);
    options.add_special = false;
    mullama_tokens_t *tokens = nullptr;
    EXPECT_OK(mullama_model_tokenize(model, text.data(), text.size(), &options, &tokens));
    const TokensHandle owned(tokens);
    size_t count = 0;
    const mullama_token_t *const data = mullama_tokens_data(tokens, &count);
    return {data, data + count};
}

TEST(Text, NullIsEmpty) {
    size_t size = 3;
    EXPECT_STREQ(mullama_text_data(nullptr, &size), "");
    EXPECT_EQ(size, 0U);
    EXPECT_STREQ(mullama_text_data(nullptr, nullptr), "");
    mullama_text_free(nullptr);
    size_t count = 3;
    EXPECT_EQ(mullama_tokens_data(nullptr, &count), nullptr);
    EXPECT_EQ(count, 0U);
    EXPECT_EQ(mullama_tokens_data(nullptr, nullptr), nullptr);
    mullama_tokens_free(nullptr);
}

TEST(Text, HoldsNulsAndEndsWithOne) {
    const ModelHandle model = echo_model();
    const std::string text("a\0b\0", 4);
    const auto tokens = tokens_of(model.get(), text);
    EXPECT_EQ(tokens, (std::vector<mullama_token_t>{'a', 0, 'b', 0}));
    mullama_text_t *out = nullptr;
    ASSERT_OK(mullama_model_detokenize(model.get(), tokens.data(), tokens.size(), nullptr, &out));
    const TextHandle owned(out);
    EXPECT_EQ(text_of(out), text);
    EXPECT_EQ(mullama_text_data(out, nullptr)[4], '\0');
}

TEST(Text, HoldsBytesThatAreNoText) {
    const ModelHandle model = echo_model();
    const std::array<mullama_token_t, 3> tokens{0xFF, 0xC3, 'x'};
    mullama_text_t *out = nullptr;
    ASSERT_OK(mullama_model_detokenize(model.get(), tokens.data(), tokens.size(), nullptr, &out));
    EXPECT_EQ(text_of(TextHandle(out).get()), "\xFF\xC3x");
}

TEST(Tokens, EmptyListHasNoFirst) {
    const ModelHandle model = echo_model();
    mullama_tokenize_options_t options;
    mullama_tokenize_options_init(&options, sizeof options);
    options.add_special = false;
    mullama_tokens_t *tokens = nullptr;
    ASSERT_OK(mullama_model_tokenize(model.get(), nullptr, 0, &options, &tokens));
    const TokensHandle owned(tokens);
    ASSERT_NE(tokens, nullptr);
    size_t count = 3;
    EXPECT_EQ(mullama_tokens_data(tokens, &count), nullptr);
    EXPECT_EQ(count, 0U);
}

} // namespace

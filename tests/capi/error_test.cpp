#include "support/capi.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <set>

using namespace mullama::test;

namespace {

TEST(Version, IsTold) {
    EXPECT_EQ(mullama_abi_version(), MULLAMA_ABI_VERSION);
    const std::string version = mullama_version();
    EXPECT_EQ(std::count(version.begin(), version.end(), '.'), 2) << version;
    const std::string engine = mullama_engine_version();
    EXPECT_TRUE(engine == "none" || engine.starts_with("llama.cpp ")) << engine;
}

TEST(Error, NullIsNoError) {
    EXPECT_EQ(mullama_error_code(nullptr), MULLAMA_OK);
    for (const auto part : {mullama_error_message, mullama_error_parameter, mullama_error_expected,
                            mullama_error_actual, mullama_error_log}) {
        size_t size = 7;
        EXPECT_STREQ(part(nullptr, &size), "");
        EXPECT_EQ(size, 0U);
        EXPECT_STREQ(part(nullptr, nullptr), "");
    }
    EXPECT_FALSE(mullama_error_retryable(nullptr));
    EXPECT_EQ(mullama_error_cause(nullptr), nullptr);
    mullama_error_position_t position;
    mullama_error_position_init(&position, sizeof position);
    EXPECT_FALSE(mullama_error_get_position(nullptr, &position));
    mullama_error_free(nullptr);
}

TEST(Error, TellsEverything) {
    const ModelHandle model = echo_model();
    mullama_tokens_t *tokens = nullptr;
    const ErrorHandle error(mullama_model_tokenize(model.get(), "ab\xFF\0", 4, nullptr, &tokens));
    EXPECT_EQ(tokens, nullptr);
    EXPECT_EQ(mullama_error_code(error.get()), MULLAMA_ERROR_INVALID_UTF8);
    size_t size = 0;
    const char *const message = mullama_error_message(error.get(), &size);
    EXPECT_EQ(std::strlen(message), size);
    EXPECT_NE(std::string(message).find("offset 2"), std::string::npos) << message;
    EXPECT_STREQ(mullama_error_parameter(error.get(), nullptr), "text");
    EXPECT_STREQ(mullama_error_expected(error.get(), nullptr), "UTF-8");
    EXPECT_STREQ(mullama_error_actual(error.get(), nullptr), "byte 0xFF");
    EXPECT_FALSE(mullama_error_retryable(error.get()));
    EXPECT_EQ(mullama_error_cause(error.get()), nullptr);
}

TEST(Error, PositionFitsOlderAndNewerCallers) {
    const ModelHandle model = echo_model();
    mullama_tokens_t *tokens = nullptr;
    const ErrorHandle error(mullama_model_tokenize(model.get(), "abc\xC3", 4, nullptr, &tokens));

    mullama_error_position_t position;
    mullama_error_position_init(&position, sizeof position);
    EXPECT_EQ(position.offset, -1);
    EXPECT_EQ(position.line, 0);
    EXPECT_TRUE(mullama_error_get_position(error.get(), &position));
    EXPECT_EQ(position.struct_size, sizeof position);
    EXPECT_EQ(position.offset, 3);

    // A caller that knows only the offset: what lies behind it is not its struct.
    mullama_error_position_t older{.struct_size = 0, .offset = 1, .line = 77, .column = 78};
    mullama_error_position_init(&older, offsetof(mullama_error_position_t, line));
    EXPECT_TRUE(mullama_error_get_position(error.get(), &older));
    EXPECT_EQ(older.struct_size, offsetof(mullama_error_position_t, line));
    EXPECT_EQ(older.offset, 3);
    EXPECT_EQ(older.line, 77);

    // A caller from the future: what we don't know is zero, and stays so.
    struct Newer {
        mullama_error_position_t known;
        std::uint64_t unknown;
    } newer{.known = {}, .unknown = 79};
    mullama_error_position_init(&newer.known, sizeof newer);
    EXPECT_EQ(newer.unknown, 0U);
    EXPECT_TRUE(mullama_error_get_position(error.get(), &newer.known));
    EXPECT_EQ(newer.known.struct_size, sizeof newer);
    EXPECT_EQ(newer.known.offset, 3);

    // Nobody called init.
    mullama_error_position_t garbage{.struct_size = 0, .offset = 5, .line = 6, .column = 7};
    EXPECT_FALSE(mullama_error_get_position(error.get(), &garbage));
    EXPECT_EQ(garbage.offset, 5);
    EXPECT_FALSE(mullama_error_get_position(error.get(), nullptr));
    mullama_error_position_init(nullptr, sizeof garbage);
}

TEST(Error, OfAMissingPointerHasNoPosition) {
    const ErrorHandle error(mullama_runtime_new(nullptr, nullptr));
    EXPECT_EQ(mullama_error_code(error.get()), MULLAMA_ERROR_INVALID_ARGUMENT);
    mullama_error_position_t position;
    mullama_error_position_init(&position, sizeof position);
    EXPECT_FALSE(mullama_error_get_position(error.get(), &position));
    EXPECT_STREQ(mullama_error_parameter(error.get(), nullptr), "out");
    EXPECT_STREQ(mullama_error_actual(error.get(), nullptr), "NULL");
}

TEST(Error, CodesHaveStableNames) {
    std::set<std::string> names;
    for (int code = MULLAMA_OK; code <= MULLAMA_ERROR_BAD_STATE; ++code)
        names.insert(mullama_error_code_name(static_cast<mullama_error_code_t>(code)));
    EXPECT_EQ(names.size(), static_cast<size_t>(MULLAMA_ERROR_BAD_STATE) + 1);
    EXPECT_EQ(names.count("unknown"), 0U);
    EXPECT_STREQ(mullama_error_code_name(MULLAMA_OK), "ok");
    EXPECT_STREQ(mullama_error_code_name(MULLAMA_ERROR_INVALID_ARGUMENT), "invalid_argument");
    EXPECT_STREQ(mullama_error_code_name(MULLAMA_ERROR_BAD_MODEL), "bad_model");
    EXPECT_STREQ(mullama_error_code_name(MULLAMA_ERROR_ABI), "abi");
    EXPECT_STREQ(mullama_error_code_name(MULLAMA_ERROR_BAD_STATE), "bad_state");
    for (const int none : {MULLAMA_ERROR_BAD_STATE + 1, 31})
        EXPECT_STREQ(mullama_error_code_name(static_cast<mullama_error_code_t>(none)), "unknown");
}

} // namespace

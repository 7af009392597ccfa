// What tests of the contract share: errors that are looked at and given back, handles that free
// themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "mullama/mullama.h"

namespace mullama::test {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T *object) const noexcept {
        Free(object);
    }
};

using ErrorHandle = std::unique_ptr<mullama_error_t, Deleter<mullama_error_free>>;
using TextHandle = std::unique_ptr<mullama_text_t, Deleter<mullama_text_free>>;
using TokensHandle = std::unique_ptr<mullama_tokens_t, Deleter<mullama_tokens_free>>;
using RuntimeHandle = std::unique_ptr<mullama_runtime_t, Deleter<mullama_runtime_free>>;
using ModelHandle = std::unique_ptr<mullama_model_t, Deleter<mullama_model_free>>;
using DetokenizerHandle = std::unique_ptr<mullama_detokenizer_t, Deleter<mullama_detokenizer_free>>;

inline std::string message_of(const mullama_error_t *error) {
    size_t size = 0;
    const char *const text = mullama_error_message(error, &size);
    return {text, size};
}

// Success, or the error's own words. Takes the error.
[[nodiscard]] inline testing::AssertionResult succeeded(mullama_error_t *error) {
    const ErrorHandle owned(error);
    if (error == nullptr)
        return testing::AssertionSuccess();
    return testing::AssertionFailure() << mullama_error_code_name(mullama_error_code(error)) << ": "
                                       << message_of(error) << "\n"
                                       << mullama_error_log(error, nullptr);
}

struct Refusal {
    mullama_error_code_t code;
    std::string_view parameter = ""; // "": any
    std::optional<std::int64_t> offset = std::nullopt;
    std::string_view mentions = ""; // in the message
};

// Whether a call was refused, for the reason expected. Takes the error.
[[nodiscard]] inline testing::AssertionResult refused(mullama_error_t *error,
                                                      const Refusal &expected) {
    const ErrorHandle owned(error);
    if (error == nullptr)
        return testing::AssertionFailure() << "the call succeeded";
    const std::string message = message_of(error);
    const std::string parameter = mullama_error_parameter(error, nullptr);
    mullama_error_position_t position;
    mullama_error_position_init(&position, sizeof position);
    mullama_error_get_position(error, &position);
    const mullama_error_code_t code = mullama_error_code(error);
    if (code == expected.code && (expected.parameter.empty() || parameter == expected.parameter) &&
        (!expected.offset || position.offset == *expected.offset) &&
        message.find(expected.mentions) != std::string::npos && !message.empty()) {
        return testing::AssertionSuccess();
    }
    return testing::AssertionFailure()
           << "expected " << mullama_error_code_name(expected.code) << " of '" << expected.parameter
           << "' at " << expected.offset.value_or(-1) << " with \"" << expected.mentions
           << "\", got " << mullama_error_code_name(code) << " of '" << parameter << "' at "
           << position.offset << ": " << message << "\n"
           << mullama_error_log(error, nullptr);
}

#define ASSERT_OK(call) ASSERT_TRUE(::mullama::test::succeeded(call))
#define EXPECT_OK(call) EXPECT_TRUE(::mullama::test::succeeded(call))
#define EXPECT_REFUSED(call, ...)                                                                  \
    EXPECT_TRUE(::mullama::test::refused(call, ::mullama::test::Refusal{__VA_ARGS__}))

inline std::string text_of(const mullama_text_t *text) {
    size_t size = 0;
    const char *const data = mullama_text_data(text, &size);
    EXPECT_EQ(data[size], '\0');
    return {data, size};
}

// A model of the engine that needs no file.
inline ModelHandle echo_model() {
    mullama_model_options_t options;
    mullama_model_options_init(&options, sizeof options);
    options.backend = "echo";
    mullama_model_t *model = nullptr;
    EXPECT_OK(mullama_model_load(nullptr, 0, &options, &model));
    return ModelHandle(model);
}

// A model from a file; nullptr, and a failure, where it doesn't load.
inline ModelHandle load_model(const std::string &path,
                              const mullama_model_options_t *options = nullptr) {
    mullama_model_t *model = nullptr;
    EXPECT_OK(mullama_model_load(path.data(), path.size(), options, &model)) << path;
    return ModelHandle(model);
}

} // namespace mullama::test

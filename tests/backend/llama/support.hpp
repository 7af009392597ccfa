// What the tests of the llama engine share: fixtures, and the same work done by llama.cpp itself.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <llama.h>

#include "backend/llama/backend.hpp"

namespace mullama::test {

using namespace mullama::backend;
using mullama::base::Error;

inline std::string fixture(const std::string &name) {
    return std::string(MULLAMA_TEST_FIXTURES) + "/" + name + ".gguf";
}

// A real model, in a folder beside the repository that need not be there; empty without it.
inline std::string shared_model(const std::string &name) {
    const char *folder = std::getenv("MULLAMA_SHARED_MODELS");
    const auto path =
        std::filesystem::path(folder != nullptr ? folder : MULLAMA_TEST_SHARED_MODELS) / name;
    return std::filesystem::exists(path) ? path.string() : std::string();
}

inline std::unique_ptr<Model> load(const std::string &path, const ModelParams &params = {}) {
    return llama::backend().load({path}, params);
}

inline ContextParams small_context(std::uint32_t n_ctx = 512) {
    ContextParams params;
    params.n_ctx = n_ctx;
    params.n_batch = 64;
    params.n_ubatch = 32;
    return params;
}

inline Batch batch_of(std::span<const Token> tokens, Position begin, SequenceId sequence = 0,
                      bool outputs = false) {
    Batch batch;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        batch.add(tokens[i], begin + static_cast<Position>(i), std::span(&sequence, 1),
                  outputs || i + 1 == tokens.size());
    }
    return batch;
}

inline Token largest(const float *logits, std::int32_t n_vocab) {
    return static_cast<Token>(std::max_element(logits, logits + n_vocab) - logits);
}

inline std::vector<Token> tokenize(const Model &model, std::string_view text) {
    std::vector<Token> tokens;
    model.vocab().tokenize(text, true, false, tokens);
    return tokens;
}

// Feeds the prompt in parts of `chunk` tokens, then follows the maximum.
inline std::vector<Token> greedy(const Model &model, Context &context,
                                 const std::vector<Token> &prompt, std::size_t chunk, int count,
                                 SequenceId sequence = 0) {
    std::vector<Token> said;
    Position position = context.last_position(sequence) + 1;
    std::size_t last = 0;
    for (std::size_t i = 0; i < prompt.size(); i += chunk) {
        const auto part = std::span(prompt).subspan(i, std::min(chunk, prompt.size() - i));
        EXPECT_EQ(context.decode(batch_of(part, position, sequence)), DecodeStatus::ok);
        position += static_cast<Position>(part.size());
        last = part.size() - 1;
    }
    for (int i = 0; i < count; ++i) {
        const float *logits = context.logits(static_cast<std::int32_t>(last));
        said.push_back(largest(logits, model.vocab().size()));
        EXPECT_EQ(context.decode(batch_of(std::span(&said.back(), 1), position++, sequence)),
                  DecodeStatus::ok);
        last = 0;
    }
    return said;
}

struct Raw {
    struct FreeModel {
        void operator()(llama_model *freed) const { llama_model_free(freed); }
    };
    struct FreeContext {
        void operator()(llama_context *freed) const { llama_free(freed); }
    };

    explicit Raw(const std::string &path, llama_context_params params,
                 llama_model_params model_params = llama_model_default_params()) {
        model.reset(llama_model_load_from_file(path.c_str(), model_params));
        context.reset(llama_init_from_model(model.get(), params));
    }

    [[nodiscard]] const llama_vocab *vocab() const { return llama_model_get_vocab(model.get()); }

    std::unique_ptr<llama_model, FreeModel> model;
    std::unique_ptr<llama_context, FreeContext> context;
};

inline llama_context_params raw_params(const ContextParams &params) {
    llama_context_params raw = llama_context_default_params();
    raw.n_ctx = params.n_ctx;
    raw.n_batch = params.n_batch;
    raw.n_ubatch = params.n_ubatch;
    raw.n_seq_max = params.n_seq_max;
    raw.n_threads = params.n_threads;
    raw.n_threads_batch = params.n_threads_batch;
    raw.kv_unified = params.kv_unified;
    return raw;
}

// The same as greedy(), by llama.cpp's own calls.
inline std::vector<Token> raw_greedy(Raw &raw, std::vector<Token> prompt, std::size_t chunk,
                                     int count) {
    std::vector<Token> said;
    for (std::size_t i = 0; i < prompt.size(); i += chunk) {
        const auto size = static_cast<std::int32_t>(std::min(chunk, prompt.size() - i));
        EXPECT_EQ(llama_decode(raw.context.get(), llama_batch_get_one(prompt.data() + i, size)), 0);
    }
    for (int i = 0; i < count; ++i) {
        said.push_back(largest(llama_get_logits_ith(raw.context.get(), -1),
                               llama_vocab_n_tokens(raw.vocab())));
        EXPECT_EQ(llama_decode(raw.context.get(), llama_batch_get_one(&said.back(), 1)), 0);
    }
    return said;
}

// The error that a call throws; an empty one when it throws none.
template <class Call>
Error::Parts error_of(Call &&call) {
    try {
        call();
    } catch (const Error &error) {
        return error.parts();
    }
    Error::Parts none;
    none.code = MULLAMA_OK;
    return none;
}

} // namespace mullama::test

// What an engine says in each of many streams at once, fed alone to llama.cpp, is at every token
// llama.cpp's own maximum, or within the rounding that llama.cpp itself shows between shapes of
// batches; where the margin is larger, it is equal.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <llama.h>

#include "parity/raw_llama.hpp"
#include "support/engine.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;
using Tokens = std::vector<mullama_token_t>;
using Rows = std::vector<std::vector<float>>;

constexpr std::uint32_t n_ctx_raw = 512;

std::uint32_t seed_of_today() {
    const char *const seed = std::getenv("MULLAMA_TEST_SEED");
    return seed == nullptr ? 1 : static_cast<std::uint32_t>(std::strtoul(seed, nullptr, 10));
}

// llama.cpp's logits after each token from `first` on, all but the last. `chunk`: tokens of a
// batch.
Rows rows_of(llama_model *model, const Tokens &tokens, std::size_t first, std::size_t chunk) {
    llama_context_params params = raw_params(n_ctx_raw);
    params.n_batch = n_ctx_raw;
    params.n_ubatch = n_ctx_raw;
    const RawContext context(llama_init_from_model(model, params));
    const auto n_vocab = static_cast<std::size_t>(n_vocab_of(model));
    Rows rows;
    for (std::size_t begin = 0; begin + 1 < tokens.size(); begin += chunk) {
        const std::size_t end = std::min(begin + chunk, tokens.size() - 1);
        RawBatch batch(static_cast<std::int32_t>(end - begin));
        for (std::size_t i = begin; i < end; ++i)
            batch.add(tokens[i], static_cast<llama_pos>(i), 0);
        EXPECT_EQ(llama_decode(context.get(), batch.get()), 0);
        for (std::size_t i = begin; i < end; ++i) {
            if (i + 1 < first)
                continue;
            const float *const row =
                llama_get_logits_ith(context.get(), static_cast<std::int32_t>(i - begin));
            rows.emplace_back(row, row + n_vocab);
        }
    }
    return rows;
}

// How far what was said is from what the rows say.
struct Verdict {
    std::size_t tokens = 0;
    // What llama.cpp's own logits differ by between shapes of batches, at most.
    float rounding = 0;
    // How far below the maximum those tokens lie that are none.
    std::vector<float> margins;

    [[nodiscard]] std::size_t beyond_rounding() const {
        return static_cast<std::size_t>(std::count_if(
            margins.begin(), margins.end(), [this](float margin) { return margin > rounding; }));
    }
};

void judge(llama_model *model, const Tokens &prompt, const Tokens &said, Verdict &verdict) {
    Tokens all = prompt;
    all.insert(all.end(), said.begin(), said.end());
    const std::vector<Rows> shapes{rows_of(model, all, prompt.size(), 1),
                                   rows_of(model, all, prompt.size(), n_ctx_raw),
                                   rows_of(model, all, prompt.size(), 7)};
    float &rounding = verdict.rounding;
    for (std::size_t i = 0; i < said.size(); ++i) {
        for (std::size_t v = 0; v < shapes[0][i].size(); ++v) {
            rounding = std::max({rounding, std::abs(shapes[0][i][v] - shapes[1][i][v]),
                                 std::abs(shapes[0][i][v] - shapes[2][i][v])});
        }
    }
    for (std::size_t i = 0; i < said.size(); ++i) {
        float margin = INFINITY;
        for (const Rows &rows : shapes) {
            const float most = *std::max_element(rows[i].begin(), rows[i].end());
            margin = std::min(margin, most - rows[i][static_cast<std::size_t>(said[i])]);
        }
        ++verdict.tokens;
        if (margin > 0)
            verdict.margins.push_back(margin);
    }
}

class Engine : public testing::TestWithParam<Json> {
protected:
    void SetUp() override {
        raw_ = load_raw(path_of(GetParam()));
        model_ = load_model(path_of(GetParam()));
        n_vocab_ = n_vocab_of(raw_.get());
    }

    // Submits all, hears all, and judges each.
    void run(const mullama_context_options_t &context, const std::vector<Tokens> &prompts,
             bool cache) {
        mullama_engine_options_t options = engine_options(&context);
        options.prefix_cache = cache;
        options.max_iteration_ms = 5;
        mullama_engine_t *made = nullptr;
        ASSERT_OK(mullama_engine_new(model_.get(), &options, &made));
        const EngineHandle engine(made);
        std::vector<StreamHandle> streams;
        mullama_request_options_t how = request_options();
        how.ignore_end = true;
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            how.max_tokens = static_cast<std::int64_t>(4 + (i * 7) % 36);
            streams.push_back(submit(engine.get(), new_request(prompts[i], how)));
        }
        Verdict verdict;
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            const Heard heard = hear(streams[i].get()).front();
            ASSERT_EQ(heard.result.stop_reason, MULLAMA_STOP_LENGTH)
                << i << ": " << message_of(failure_of(streams[i].get()).get());
            ASSERT_EQ(heard.tokens.size(), 4 + (i * 7) % 36);
            judge(raw_.get(), prompts[i], heard.tokens, verdict);
        }
        const mullama_engine_stats_t stats = stats_of(engine.get());
        const std::size_t beyond = verdict.beyond_rounding();
        const float worst = verdict.margins.empty()
                                ? 0
                                : *std::max_element(verdict.margins.begin(), verdict.margins.end());
        std::cout << verdict.tokens << " tokens, " << verdict.margins.size() - beyond
                  << " within rounding (" << verdict.rounding << "), " << beyond
                  << " beyond, the farthest " << worst << " below the maximum; "
                  << stats.cached_tokens << " cached, " << stats.preemptions << " preempted, "
                  << stats.evictions << " evicted\n";
        // A router that decides otherwise by a rounding gives another expert's numbers.
        const bool routes = GetParam()["n_expert"].get<int>() > 0;
        EXPECT_LE(beyond, routes ? verdict.tokens / 200 : 0);
        cached_ = stats.cached_tokens;
    }

    [[nodiscard]] std::vector<Tokens> prompts(std::size_t count, std::size_t shared) const {
        std::mt19937 random(seed_of_today());
        const Tokens beginning = prompt_of(shared, n_vocab_, seed_of_today());
        std::vector<Tokens> all;
        for (std::size_t i = 0; i < count; ++i) {
            Tokens prompt = beginning;
            const Tokens rest =
                prompt_of(1 + random() % 40, n_vocab_, static_cast<std::uint32_t>(random()));
            prompt.insert(prompt.end(), rest.begin(), rest.end());
            all.push_back(prompt);
        }
        return all;
    }

    RawModel raw_;
    ModelHandle model_;
    std::int32_t n_vocab_ = 0;
    std::uint64_t cached_ = 0;
};

TEST_P(Engine, SaysInSixtyFourStreamsWhatLlamaSaysAlone) {
    run(engine_context(8192, 64), prompts(64, 0), true);
}

TEST_P(Engine, SharesABeginning) {
    run(engine_context(8192, 64), prompts(64, 100), true);
    // A state cannot be taken from the middle.
    if (!has(GetParam(), "recurrent") && !has(GetParam(), "hybrid")) {
        EXPECT_GE(cached_, 60U * 100U);
    }
}

TEST_P(Engine, GoesOnWithLittleRoom) {
    run(engine_context(256, 16), prompts(48, 0), true);
}

TEST_P(Engine, NeedsNoCache) {
    run(engine_context(4096, 32), prompts(32, 20), false);
}

// Those that predict tokens one by one, of full size and plain weights.
std::vector<Json> decoders() {
    std::vector<Json> rows;
    for (const char *const name : {"llama", "qwen", "moe", "swa", "recurrent", "hybrid"}) {
        const Json row = fixture(name);
        if (!row.is_null())
            rows.push_back(row);
    }
    return rows;
}

INSTANTIATE_TEST_SUITE_P(Decoders, Engine, testing::ValuesIn(decoders()),
                         [](const auto &row) { return name_of(row.param); });

} // namespace

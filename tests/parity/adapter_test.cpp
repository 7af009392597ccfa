// Adapters change logits as llama.cpp's own do, bit for bit, and as arithmetic wants it: the same
// LoRA merged into the weights by hand gives the same logits within rounding.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "parity/raw_llama.hpp"
#include "support/adapter.hpp"
#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;
using Tokens = std::vector<mullama_token_t>;
using Logits = std::vector<float>;

constexpr std::uint32_t n_ctx = 256;

std::string model_path(const Json &adapter) {
    return path_of(fixture(adapter["model"].get<std::string>()));
}

// llama.cpp by itself.
class Reference {
public:
    explicit Reference(const std::string &path) : model_(load_raw(path)) {}

    void new_context() {
        llama_context_params params = raw_params(n_ctx);
        params.n_batch = n_ctx;
        params.n_ubatch = n_ctx;
        context_.reset(llama_init_from_model(model_.get(), params));
        ASSERT_NE(context_, nullptr);
    }

    llama_adapter_lora *load(const std::string &path) {
        adapters_.emplace_back(llama_adapter_lora_init(model_.get(), path.c_str()));
        EXPECT_NE(adapters_.back(), nullptr);
        return adapters_.back().get();
    }

    void set(std::vector<llama_adapter_lora *> adapters, std::vector<float> scales) {
        llama_set_adapters_lora(context_.get(), adapters.data(), adapters.size(), scales.data());
    }

    // Directions of files times scales.
    void steer(const std::vector<std::pair<std::string, float>> &files, std::int32_t first,
               std::int32_t last) {
        const Logits sum = sum_of_directions(model_.get(), files);
        ASSERT_EQ(llama_set_adapter_cvec(context_.get(), sum.data(), sum.size(),
                                         llama_model_n_embd(model_.get()), first, last),
                  0);
    }
    void steer_no_more() { llama_set_adapter_cvec(context_.get(), nullptr, 0, 0, 0, 0); }

    Logits decode(Tokens tokens, bool first) {
        if (first && llama_model_has_encoder(model_.get())) {
            EXPECT_EQ(llama_encode(context_.get(),
                                   llama_batch_get_one(tokens.data(),
                                                       static_cast<std::int32_t>(tokens.size()))),
                      0);
            tokens = {llama_model_decoder_start_token(model_.get())};
        }
        EXPECT_EQ(llama_decode(
                      context_.get(),
                      llama_batch_get_one(tokens.data(), static_cast<std::int32_t>(tokens.size()))),
                  0);
        const float *const logits = llama_get_logits_ith(context_.get(), -1);
        return {logits, logits + n_vocab_of(model_.get())};
    }

private:
    RawModel model_;
    std::vector<RawLora> adapters_;
    RawContext context_;
};

// The same through the contract.
class Subject {
public:
    explicit Subject(const std::string &path) : model_(load_model(path)) {}

    void new_context(mullama_cache_type_t cache = MULLAMA_CACHE_TYPE_F16) {
        mullama_context_options_t options = one_thread();
        options.type_k = cache;
        options.type_v = cache;
        options.n_ctx = n_ctx;
        options.n_batch = n_ctx;
        options.n_ubatch = n_ctx;
        context_ = mullama::test::new_context(model_.get(), options);
    }

    mullama_adapter_t *load(const std::string &path, std::int32_t first = 0,
                            std::int32_t last = 0) {
        mullama_adapter_options_t options = adapter_options();
        options.layer_first = first;
        options.layer_last = last;
        adapters_.push_back(load_adapter(model_.get(), path, &options));
        return adapters_.back().get();
    }

    void set(const std::vector<mullama_adapter_t *> &adapters, const std::vector<float> &scales) {
        EXPECT_OK(mullama_context_set_adapters(context_.get(), adapters.data(), scales.data(),
                                               adapters.size()));
    }

    Logits decode(Tokens tokens, bool first) {
        mullama_model_info_t info;
        mullama_model_info_init(&info, sizeof info);
        EXPECT_OK(mullama_model_get_info(model_.get(), &info));
        if (first && (info.capabilities & MULLAMA_CAPABILITY_ENCODER) != 0) {
            const BatchHandle batch = new_batch();
            for (std::size_t i = 0; i < tokens.size(); ++i)
                EXPECT_OK(add(batch.get(), tokens[i], static_cast<mullama_pos_t>(i), {0}, true));
            EXPECT_OK(mullama_context_encode(context_.get(), batch.get()));
            tokens = {mullama_model_special_token(model_.get(), MULLAMA_SPECIAL_DECODER_START)};
        }
        EXPECT_OK(mullama_context_prefill(context_.get(), 0, tokens.data(), tokens.size(),
                                          MULLAMA_OUTPUT_LAST));
        const float *logits = nullptr;
        std::size_t count = 0;
        EXPECT_OK(mullama_context_logits(context_.get(), -1, &logits, &count));
        return {logits, logits + count};
    }

private:
    ModelHandle model_;
    std::vector<AdapterHandle> adapters_;
    ContextHandle context_;
};

// How far two rows of logits are apart, as a part of the largest of them.
double distance(const Logits &left, const Logits &right) {
    EXPECT_EQ(left.size(), right.size());
    double largest = 0;
    double difference = 0;
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
        largest = std::max(largest, std::fabs(static_cast<double>(left[i])));
        difference = std::max(
            difference, std::fabs(static_cast<double>(left[i]) - static_cast<double>(right[i])));
    }
    return difference / largest;
}

// What is refused, or gives no logits to compare.
bool compares(const Json &row) {
    const std::string name = name_of(row);
    return row["model"] != "bert_mean" && name != "lora_tied_embedding" && name != "vector_plamo2";
}

std::vector<Json> adapters_of_kind(const std::string &prefix) {
    std::vector<Json> rows;
    for (const Json &row : fixtures("adapter")) {
        if (name_of(row).starts_with(prefix) && compares(row))
            rows.push_back(row);
    }
    return rows;
}

class LoraParity : public testing::TestWithParam<Json> {};
INSTANTIATE_TEST_SUITE_P(Fixtures, LoraParity, testing::ValuesIn(adapters_of_kind("lora_")),
                         [](const auto &row) { return name_of(row.param); });

// Set, scaled anew between decodes, removed.
TEST_P(LoraParity, LogitsAreTheEnginesOwn) {
    const Json &row = GetParam();
    Reference reference(model_path(row));
    Subject subject(model_path(row));
    llama_adapter_lora *const theirs = reference.load(path_of(row));
    mullama_adapter_t *const ours = subject.load(path_of(row));
    reference.new_context();
    subject.new_context();
    const Tokens prompt = prompt_of(40, 256, 5);
    const Logits plain = subject.decode(prompt, true);
    EXPECT_EQ(plain, reference.decode(prompt, true));

    reference.new_context();
    subject.new_context();
    bool first = true;
    std::size_t changes = 0;
    for (const float scale : {1.0F, 0.25F, -2.0F, 0.0F, 1.5F}) {
        SCOPED_TRACE(scale);
        reference.set({theirs}, {scale});
        subject.set({ours}, {scale});
        const Tokens tokens = first ? prompt : Tokens{9};
        const Logits logits = subject.decode(tokens, first);
        EXPECT_EQ(logits, reference.decode(tokens, first));
        changes += first && logits != plain ? 1 : 0;
        first = false;
    }
    EXPECT_EQ(changes, 1U) << "the adapter changes nothing";
    reference.set({}, {});
    subject.set({}, {});
    EXPECT_EQ(subject.decode({11}, false), reference.decode({11}, false));
}

// A context whose adapters are gone computes as one that never had any.
TEST_P(LoraParity, RemovalRestoresThePlainLogits) {
    const Json &row = GetParam();
    Subject subject(model_path(row));
    mullama_adapter_t *const adapter = subject.load(path_of(row));
    const Tokens prompt = prompt_of(30, 256, 6);
    subject.new_context();
    const Logits plain = subject.decode(prompt, true);
    subject.new_context();
    subject.set({adapter}, {1.0F});
    subject.set({}, {});
    EXPECT_EQ(subject.decode(prompt, true), plain);
}

class VectorParity : public testing::TestWithParam<Json> {};
INSTANTIATE_TEST_SUITE_P(Fixtures, VectorParity, testing::ValuesIn(adapters_of_kind("vector_")),
                         [](const auto &row) { return name_of(row.param); });

TEST_P(VectorParity, LogitsAreTheEnginesOwn) {
    const Json &row = GetParam();
    Reference reference(model_path(row));
    Subject subject(model_path(row));
    mullama_adapter_t *const vector = subject.load(path_of(row));
    const Tokens prompt = prompt_of(40, 256, 5);
    subject.new_context();
    const Logits plain = subject.decode(prompt, true);
    reference.new_context();
    subject.new_context();
    bool first = true;
    for (const float scale : {1.0F, -0.5F, 3.0F}) {
        SCOPED_TRACE(scale);
        reference.steer({{path_of(row), scale}}, 1, 100);
        subject.set({vector}, {scale});
        const Tokens tokens = first ? prompt : Tokens{9};
        const Logits logits = subject.decode(tokens, first);
        EXPECT_EQ(logits, reference.decode(tokens, first));
        if (first) {
            EXPECT_NE(logits, plain) << "the control vector changes nothing";
        }
        first = false;
    }
    reference.steer_no_more();
    subject.set({}, {});
    EXPECT_EQ(subject.decode({11}, false), reference.decode({11}, false));
}

TEST(AdapterParity, LayersAreChosenAsTheEngineChoosesThem) {
    const Json row = fixture("vector_deep");
    Reference reference(model_path(row));
    Subject subject(model_path(row));
    const Tokens prompt = prompt_of(20, 256, 8);
    std::vector<Logits> seen;
    for (const auto &[first, last] : {std::pair(1, 4), std::pair(2, 3), std::pair(4, 4)}) {
        SCOPED_TRACE(first);
        reference.new_context();
        subject.new_context();
        reference.steer({{path_of(row), 0.7F}}, first, last);
        subject.set({subject.load(path_of(row), first, last)}, {0.7F});
        seen.push_back(subject.decode(prompt, true));
        EXPECT_EQ(seen.back(), reference.decode(prompt, true));
    }
    EXPECT_NE(seen[0], seen[1]);
    EXPECT_NE(seen[1], seen[2]);
}

// Two LoRAs and two control vectors at once, in one call.
TEST(AdapterParity, SeveralAtOnce) {
    const Json lora = fixture("lora_deep");
    const Json one = fixture("vector_deep");
    const Json other = fixture("vector_deep_other");
    Reference reference(model_path(lora));
    Subject subject(model_path(lora));
    llama_adapter_lora *const first = reference.load(path_of(lora));
    llama_adapter_lora *const second = reference.load(path_of(lora));
    reference.new_context();
    subject.new_context();
    reference.set({first, second}, {0.5F, -1.25F});
    reference.steer({{path_of(one), 0.5F}, {path_of(other), -0.25F}}, 1, 4);
    subject.set({subject.load(path_of(one)), subject.load(path_of(lora)),
                 subject.load(path_of(other)), subject.load(path_of(lora))},
                {0.5F, 0.5F, -0.25F, -1.25F});
    const Tokens prompt = prompt_of(25, 256, 9);
    EXPECT_LT(distance(subject.decode(prompt, true), reference.decode(prompt, true)), 1e-5);
}

// No engine's word for it: the sum of the matrices, worked out in Python.
TEST(AdapterParity, AMergedModelGivesTheSameLogits) {
    int count = 0;
    for (const Json &row : fixtures("model")) {
        if (!row.contains("merged"))
            continue;
        SCOPED_TRACE(name_of(row));
        ++count;
        const Json adapter = fixture(row["merged"].get<std::string>());
        Subject merged(path_of(row));
        Subject applied(model_path(adapter));
        const Tokens prompt = prompt_of(40, 256, 4);
        applied.new_context(MULLAMA_CACHE_TYPE_F32);
        const Logits plain = applied.decode(prompt, true);
        merged.new_context(MULLAMA_CACHE_TYPE_F32);
        applied.new_context(MULLAMA_CACHE_TYPE_F32);
        applied.set({applied.load(path_of(adapter))}, {1.0F});
        const Logits expected = merged.decode(prompt, true);
        EXPECT_LT(distance(applied.decode(prompt, true), expected), 1e-4);
        EXPECT_GT(distance(plain, expected), 0.05);
    }
    EXPECT_EQ(count, 3);
}

} // namespace

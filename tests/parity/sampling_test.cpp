// Seeded chains give llama.cpp's own tokens, one by one: random chains of every stage that both
// have, over random logits with and without ties.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <llama.h>

#include "support/context.hpp"
#include "support/manifest.hpp"

namespace {

using namespace mullama::test;

constexpr float infinity = std::numeric_limits<float>::infinity();

// llama.cpp's chain, applied to logits as llama_sampler_sample() does.
class Reference {
public:
    Reference() : chain_(llama_sampler_chain_init(llama_sampler_chain_default_params())) {}
    ~Reference() { llama_sampler_free(chain_); }
    Reference(const Reference &) = delete;
    Reference &operator=(const Reference &) = delete;

    void add(llama_sampler *stage) { llama_sampler_chain_add(chain_, stage); }

    llama_token sample(const std::vector<float> &logits) {
        candidates_.resize(logits.size());
        for (std::size_t i = 0; i < logits.size(); ++i)
            candidates_[i] = {static_cast<llama_token>(i), logits[i], 0};
        llama_token_data_array array{candidates_.data(), candidates_.size(), -1, false};
        llama_sampler_apply(chain_, &array);
        const llama_token token = array.data[array.selected].id;
        llama_sampler_accept(chain_, token);
        return token;
    }

private:
    llama_sampler *chain_;
    std::vector<llama_token_data> candidates_;
};

class Random {
public:
    explicit Random(std::uint32_t seed) : engine_(seed) {}

    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(engine_()) % bound;
    }
    template <class T>
    T one_of(std::initializer_list<T> values) {
        return values.begin()[below(static_cast<std::uint32_t>(values.size()))];
    }
    float normal() { return normal_(engine_); }

private:
    std::mt19937 engine_;
    std::normal_distribution<float> normal_{0, 4};
};

// The same chain twice.
struct Pair {
    SamplerHandle ours = new_sampler();
    Reference theirs;
    std::string description;
    // Whether a token may have no probability by now.
    bool masks = false;

    std::size_t add(std::string_view name, llama_sampler *stage, const std::string &parameters) {
        theirs.add(stage);
        description += std::string(name) + "(" + parameters + ") ";
        return add_stage(ours.get(), name);
    }

    void add_top_k(Random &random) {
        const auto k = random.one_of({0, 1, 5, 40, 128, 129, 300, 2000});
        set_int(ours.get(), add("top_k", llama_sampler_init_top_k(k), std::to_string(k)), "k", k);
    }

    void add_top_p(Random &random) {
        const auto p = random.one_of({0.0F, 0.1F, 0.5F, 0.95F, 0.999F, 1.0F});
        const auto keep = random.one_of({0, 1, 5, 300});
        const std::size_t stage =
            add("top_p", llama_sampler_init_top_p(p, static_cast<std::size_t>(keep)),
                std::to_string(p) + " " + std::to_string(keep));
        set_float(ours.get(), stage, "p", p);
        set_int(ours.get(), stage, "min_keep", keep);
    }

    void add_min_p(Random &random) {
        const auto p = random.one_of({0.0F, 0.01F, 0.05F, 0.5F, 1.0F});
        const auto keep = random.one_of({0, 1, 5, 300});
        const std::size_t stage =
            add("min_p", llama_sampler_init_min_p(p, static_cast<std::size_t>(keep)),
                std::to_string(p) + " " + std::to_string(keep));
        set_float(ours.get(), stage, "p", p);
        set_int(ours.get(), stage, "min_keep", keep);
    }

    void add_temperature(Random &random) {
        const auto t = random.one_of({0.0F, 0.1F, 0.8F, 1.0F, 3.0F});
        if (random.below(2) == 0) {
            set_float(ours.get(), add("temperature", llama_sampler_init_temp(t), std::to_string(t)),
                      "t", t);
            masks = masks || t < 0.5F;
            return;
        }
        // Temperatures near 0 leave llama.cpp with infinite logits.
        const float range = t * random.one_of({0.0F, 0.3F, 0.8F});
        const auto exponent = random.one_of({1.0F, 0.5F, 2.0F});
        const std::size_t stage =
            add("temperature", llama_sampler_init_temp_ext(t, range, exponent),
                std::to_string(t) + " " + std::to_string(range) + " " + std::to_string(exponent));
        set_float(ours.get(), stage, "t", t);
        set_float(ours.get(), stage, "range", range);
        set_float(ours.get(), stage, "exponent", exponent);
        masks = masks || t - range < 0.5F;
    }

    void add_typical(Random &random) {
        // llama.cpp takes the logarithm of 0 where something is ruled out.
        if (masks)
            return;
        const auto p = random.one_of({0.1F, 0.5F, 0.95F, 1.0F});
        const auto keep = random.one_of({0, 1, 5, 300});
        const std::size_t stage =
            add("typical", llama_sampler_init_typical(p, static_cast<std::size_t>(keep)),
                std::to_string(p) + " " + std::to_string(keep));
        set_float(ours.get(), stage, "p", p);
        set_int(ours.get(), stage, "min_keep", keep);
    }

    void add_top_n_sigma(Random &random) {
        const auto n = random.one_of({0.0F, 0.5F, 1.0F, 3.0F});
        set_float(ours.get(),
                  add("top_n_sigma", llama_sampler_init_top_n_sigma(n), std::to_string(n)), "n", n);
        masks = masks || n > 0;
    }

    void add_xtc(Random &random) {
        // Whether it draws depends on how many there are, which temperature 0 leaves to llama.cpp.
        if (masks)
            return;
        const auto probability = random.one_of({0.0F, 0.3F, 1.0F});
        const auto threshold = random.one_of({0.01F, 0.1F, 0.4F, 0.6F});
        const auto keep = random.one_of({0, 1, 50});
        const std::uint32_t seed = random.below(0x7fffffff);
        const std::size_t stage = add(
            "xtc",
            llama_sampler_init_xtc(probability, threshold, static_cast<std::size_t>(keep), seed),
            std::to_string(probability) + " " + std::to_string(threshold) + " " +
                std::to_string(keep));
        set_float(ours.get(), stage, "probability", probability);
        set_float(ours.get(), stage, "threshold", threshold);
        set_int(ours.get(), stage, "min_keep", keep);
        set_int(ours.get(), stage, "seed", seed);
    }

    void add_penalties(Random &random, std::size_t n_vocab) {
        const auto last_n = random.one_of({0, 1, 5, 64});
        const auto repeat = random.one_of({1.0F, 1.1F, 1.5F});
        const auto frequency = random.one_of({0.0F, 0.1F, -0.3F});
        const auto presence = random.one_of({0.0F, 0.7F});
        const std::size_t stage =
            add("penalties",
                llama_sampler_init_penalties(static_cast<std::int32_t>(n_vocab), last_n, repeat,
                                             frequency, presence),
                std::to_string(last_n) + " " + std::to_string(repeat) + " " +
                    std::to_string(frequency) + " " + std::to_string(presence));
        set_int(ours.get(), stage, "last_n", last_n);
        set_float(ours.get(), stage, "repeat", repeat);
        set_float(ours.get(), stage, "frequency", frequency);
        set_float(ours.get(), stage, "presence", presence);
    }

    void add_logit_bias(Random &random, std::size_t n_vocab) {
        std::vector<llama_logit_bias> theirs_biases;
        std::vector<mullama_token_t> tokens;
        std::vector<float> biases;
        for (std::uint32_t i = random.below(4); i > 0; --i) {
            const auto token =
                static_cast<mullama_token_t>(random.below(static_cast<std::uint32_t>(n_vocab)));
            // llama.cpp adds only the first of several to a token that has moved.
            if (std::find(tokens.begin(), tokens.end(), token) != tokens.end())
                continue;
            tokens.push_back(token);
            biases.push_back(random.normal());
            theirs_biases.push_back({token, biases.back()});
        }
        const std::size_t stage =
            add("logit_bias",
                llama_sampler_init_logit_bias(static_cast<std::int32_t>(n_vocab),
                                              static_cast<std::int32_t>(theirs_biases.size()),
                                              theirs_biases.data()),
                std::to_string(tokens.size()));
        ASSERT_OK(mullama_sampler_set_biases(ours.get(), stage, "biases", 6, tokens.data(),
                                             biases.data(), tokens.size()));
    }

    void add_mirostat(Random &random, std::size_t n_vocab) {
        const auto tau = random.one_of({0.5F, 3.0F, 5.0F});
        const auto eta = random.one_of({0.05F, 0.3F});
        const std::uint32_t seed = random.below(0x7fffffff);
        const std::string numbers = std::to_string(tau) + " " + std::to_string(eta);
        std::size_t stage = 0;
        if (random.below(2) == 0 && !masks) {
            const auto m = random.one_of({2, 20, 100});
            stage = add(
                "mirostat",
                llama_sampler_init_mirostat(static_cast<std::int32_t>(n_vocab), seed, tau, eta, m),
                numbers + " " + std::to_string(m));
            set_int(ours.get(), stage, "m", m);
        } else {
            stage = add("mirostat_v2", llama_sampler_init_mirostat_v2(seed, tau, eta), numbers);
        }
        set_float(ours.get(), stage, "tau", tau);
        set_float(ours.get(), stage, "eta", eta);
        set_int(ours.get(), stage, "seed", seed);
    }

    void add_adaptive_p(Random &random) {
        const auto target = random.one_of({-1.0F, 0.0F, 0.3F, 1.0F});
        const auto decay = random.one_of({0.0F, 0.5F, 0.9F});
        const std::uint32_t seed = random.below(0x7fffffff);
        const std::size_t stage =
            add("adaptive_p", llama_sampler_init_adaptive_p(target, decay, seed),
                std::to_string(target) + " " + std::to_string(decay));
        set_float(ours.get(), stage, "target", target);
        set_float(ours.get(), stage, "decay", decay);
        set_int(ours.get(), stage, "seed", seed);
    }

    void add_selector(Random &random, std::size_t n_vocab) {
        if (random.below(4) == 0) {
            add_mirostat(random, n_vocab);
            return;
        }
        if (random.below(6) == 0) {
            add_adaptive_p(random);
            return;
        }
        if (random.below(5) == 0) {
            add("greedy", llama_sampler_init_greedy(), "");
            return;
        }
        const std::uint32_t seed = random.below(0x7fffffff);
        set_int(ours.get(), add("dist", llama_sampler_init_dist(seed), std::to_string(seed)),
                "seed", seed);
    }
};

void fill(std::vector<float> &logits, Random &random, std::uint32_t style) {
    for (float &logit : logits) {
        logit = random.normal();
        if (style == 1)
            logit = std::round(logit);
        if (style == 2)
            logit = std::round(logit * 4) / 4;
        if (style == 3 && random.below(3) == 0)
            logit = -infinity;
    }
    if (style == 3)
        logits[random.below(static_cast<std::uint32_t>(logits.size()))] = 1;
}

std::uint32_t todays_seed() {
    const char *const seed = std::getenv("MULLAMA_TEST_SEED");
    return seed == nullptr ? 1 : static_cast<std::uint32_t>(std::strtoul(seed, nullptr, 10));
}

TEST(SamplingParity, RandomChainsOverRandomLogits) {
    const std::uint32_t seed = todays_seed();
    RecordProperty("seed", std::to_string(seed));
    Random random(seed);
    const int trials = std::getenv("MULLAMA_SOAK") == nullptr ? 800 : 40000;
    for (int trial = 0; trial < trials; ++trial) {
        const auto n_vocab =
            static_cast<std::size_t>(random.one_of({1, 2, 7, 100, 129, 512, 1025, 3000, 32000}));
        Pair pair;
        const std::uint32_t style = random.below(4);
        pair.masks = style == 3;
        // First, where lists are not yet in an order that llama.cpp would go on believing in.
        if (random.below(4) == 0)
            pair.add_logit_bias(random, n_vocab);
        const std::uint32_t stages = 1 + random.below(6);
        for (std::uint32_t i = 0; i < stages; ++i) {
            switch (random.below(8)) {
            case 0:
                pair.add_top_k(random);
                break;
            case 1:
                pair.add_top_p(random);
                break;
            case 2:
                pair.add_min_p(random);
                break;
            case 3:
                pair.add_temperature(random);
                break;
            case 4:
                pair.add_typical(random);
                break;
            case 5:
                pair.add_top_n_sigma(random);
                break;
            case 6:
                pair.add_xtc(random);
                break;
            default:
                pair.add_penalties(random, n_vocab);
            }
        }
        pair.add_selector(random, n_vocab);
        std::vector<float> logits(n_vocab);
        const int steps = n_vocab > 3000 ? 4 : 60;
        for (int step = 0; step < steps; ++step) {
            fill(logits, random, style);
            const mullama_token_t token = sample(pair.ours.get(), logits);
            ASSERT_EQ(token, pair.theirs.sample(logits))
                << "seed " << seed << ", trial " << trial << ", step " << step << ", " << n_vocab
                << " tokens, style " << style << ": " << pair.description;
        }
    }
}

// The chain that everybody uses, for as long as a long text.
TEST(SamplingParity, TheUsualChainForThousandsOfSteps) {
    constexpr std::uint32_t seed = 4242;
    mullama_sampler_t *sampler = nullptr;
    ASSERT_OK(mullama_sampler_new_default(&sampler));
    const SamplerHandle ours(sampler);
    set_int(sampler, mullama_sampler_count(sampler) - 1, "seed", seed);
    set_float(sampler, 0, "repeat", 1.1);

    Reference theirs;
    theirs.add(llama_sampler_init_penalties(2000, 64, 1.1F, 0, 0));
    theirs.add(llama_sampler_init_top_k(40));
    theirs.add(llama_sampler_init_top_p(0.95F, 0));
    theirs.add(llama_sampler_init_min_p(0.05F, 0));
    theirs.add(llama_sampler_init_temp(0.8F));
    theirs.add(llama_sampler_init_dist(seed));

    Random random(seed);
    std::vector<float> logits(2000);
    for (int step = 0; step < 5000; ++step) {
        fill(logits, random, static_cast<std::uint32_t>(step) % 4);
        ASSERT_EQ(sample(sampler, logits), theirs.sample(logits)) << "step " << step;
    }
}

// The same vocabulary on both sides.
struct Vocabularies {
    explicit Vocabularies(const std::string &path) {
        llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
        llama_model_params params = llama_model_default_params();
        params.vocab_only = true;
        params.n_gpu_layers = 0;
        theirs = llama_model_load_from_file(path.c_str(), params);
        mullama_model_options_t options;
        mullama_model_options_init(&options, sizeof options);
        options.vocab_only = true;
        ours = load_model(path, &options);
    }
    Vocabularies(const Vocabularies &) = delete;
    Vocabularies &operator=(const Vocabularies &) = delete;
    ~Vocabularies() { llama_model_free(theirs); }

    [[nodiscard]] const llama_vocab *vocab() const { return llama_model_get_vocab(theirs); }
    [[nodiscard]] std::size_t size() const {
        return static_cast<std::size_t>(llama_vocab_n_tokens(vocab()));
    }

    llama_model *theirs;
    ModelHandle ours;
};

// The vocabularies whose models have decoders.
class SamplingParityModel : public testing::TestWithParam<const char *> {};

TEST_P(SamplingParityModel, DryPunishesTheSameTokens) {
    const Vocabularies model(path_of(fixture(GetParam())));
    const std::uint32_t seed = todays_seed();
    Random random(seed);
    const int trials = std::getenv("MULLAMA_SOAK") == nullptr ? 60 : 3000;
    for (int trial = 0; trial < trials; ++trial) {
        Pair pair;
        const auto multiplier = random.one_of({0.8F, 3.0F});
        const auto base = random.one_of({1.0F, 1.75F, 3.0F});
        const auto allowed = random.one_of({0, 1, 2, 4});
        const auto last_n = random.one_of({5, 64, 300});
        std::vector<const char *> breakers;
        for (const char *text : {"\n", ":", "the", " a", "ing an", "*"}) {
            if (random.below(2) == 0)
                breakers.push_back(text);
        }
        const std::size_t stage =
            pair.add("dry",
                     llama_sampler_init_dry(model.vocab(), multiplier, base, allowed, last_n,
                                            breakers.data(), breakers.size()),
                     std::to_string(multiplier) + " " + std::to_string(base) + " " +
                         std::to_string(allowed) + " " + std::to_string(last_n));
        set_float(pair.ours.get(), stage, "multiplier", multiplier);
        set_float(pair.ours.get(), stage, "base", base);
        set_int(pair.ours.get(), stage, "allowed_length", allowed);
        set_int(pair.ours.get(), stage, "last_n", last_n);
        ASSERT_OK(mullama_sampler_set_texts(pair.ours.get(), stage, "sequence_breakers", 17,
                                            breakers.data(), nullptr, breakers.size()));
        ASSERT_OK(mullama_sampler_set_model(pair.ours.get(), model.ours.get()));
        if (random.below(3) == 0)
            pair.add_top_k(random);
        pair.add_selector(random, model.size());
        // Few tokens are likely, so that texts repeat themselves.
        std::vector<std::size_t> likely;
        for (int i = 0; i < 6; ++i)
            likely.push_back(random.below(static_cast<std::uint32_t>(model.size())));
        std::vector<float> logits(model.size());
        for (int step = 0; step < 150; ++step) {
            for (float &logit : logits)
                logit = random.normal() / 4;
            for (const std::size_t token : likely)
                logits[token] += 8;
            ASSERT_EQ(sample(pair.ours.get(), logits), pair.theirs.sample(logits))
                << "seed " << seed << ", trial " << trial << ", step " << step << ": "
                << pair.description;
        }
    }
}

TEST_P(SamplingParityModel, InfillLeavesTheSameTokens) {
    const Vocabularies model(path_of(fixture(GetParam())));
    const std::uint32_t seed = todays_seed();
    Random random(seed);
    const int trials = std::getenv("MULLAMA_SOAK") == nullptr ? 200 : 5000;
    for (int trial = 0; trial < trials; ++trial) {
        Pair pair;
        const auto k = random.one_of({5, 40, 200});
        set_int(pair.ours.get(), pair.add("top_k", llama_sampler_init_top_k(k), std::to_string(k)),
                "k", k);
        pair.add_top_p(random);
        pair.add("infill", llama_sampler_init_infill(model.vocab()), "");
        ASSERT_OK(mullama_sampler_set_model(pair.ours.get(), model.ours.get()));
        const std::uint32_t draw = random.below(0x7fffffff);
        set_int(pair.ours.get(), pair.add("dist", llama_sampler_init_dist(draw), ""), "seed", draw);
        const auto sharpness = random.one_of({0.2F, 1.0F, 2.0F});
        std::vector<float> logits(model.size());
        for (int step = 0; step < 20; ++step) {
            for (float &logit : logits)
                logit = random.normal() * sharpness;
            if (random.below(2) == 0)
                logits[random.below(static_cast<std::uint32_t>(model.size()))] += 8;
            ASSERT_EQ(sample(pair.ours.get(), logits), pair.theirs.sample(logits))
                << "seed " << seed << ", trial " << trial << ", step " << step << ": "
                << pair.description;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, SamplingParityModel, testing::Values("llama", "qwen"));

} // namespace

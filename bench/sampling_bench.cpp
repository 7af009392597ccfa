// What a chain of sampler stages costs per token, beside llama.cpp's own chain of the same stages.
//
//     sampling_bench [TEXT]
//
// With TEXT only those of the rows that have it in their name.
//
// Both get the logits of a vocabulary of 128,256 tokens (Llama 3's) and give a token back. What
// llama_sampler_sample() does is timed as it does it: the candidates are made from the logits, the
// chain is applied, the token accepted. Ours is a call of the contract. Both chains start from the
// same seeds and have to select the same tokens, or the comparison ends.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "compare.hpp"
#include "llama.h"
#include "mullama/mullama.hpp"

namespace {

constexpr std::size_t vocabulary = 128256;
constexpr std::size_t rows_each = 8;
constexpr std::size_t rounds = 48;
constexpr std::uint32_t seed = 20240718;

using Row = std::vector<float>;

// Logits of one kind, several rows of them.
struct Shape {
    std::string name;
    std::vector<Row> rows;
};

Row normal_row(std::mt19937 &engine, float mean, float deviation) {
    std::normal_distribution<float> normal(mean, deviation);
    Row row(vocabulary);
    std::generate(row.begin(), row.end(), [&] { return normal(engine); });
    return row;
}

// A model that has an idea of what comes next: most of the vocabulary in a hill around 0, and some
// dozens of tokens that fall from 19 as their rank rises.
Row peaked_row(std::mt19937 &engine) {
    Row row = normal_row(engine, 0, 2);
    for (int rank = 1; rank <= 60; ++rank) {
        row[engine() % vocabulary] = 19 - 2.2F * std::log(static_cast<float>(rank));
    }
    return row;
}

Row rounded(Row row, float step) {
    for (float &logit : row) {
        logit = std::round(logit / step) * step;
    }
    return row;
}

std::vector<Shape> shapes() {
    std::mt19937 engine(seed);
    const std::vector<std::pair<std::string, std::function<Row()>>> kinds = {
        {"peaked", [&] { return peaked_row(engine); }},
        {"flat", [&] { return normal_row(engine, 0, 1); }},
        // What logits in 16 bits look like.
        {"eighths", [&] { return rounded(peaked_row(engine), 0.125F); }},
        {"ties", [&] { return rounded(normal_row(engine, 0, 2), 1); }},
    };
    std::vector<Shape> result;
    for (const auto &[name, make] : kinds) {
        Shape shape{name, {}};
        for (std::size_t i = 0; i < rows_each; ++i) {
            shape.rows.push_back(make());
        }
        result.push_back(std::move(shape));
    }
    return result;
}

class LlamaChain {
public:
    LlamaChain() : chain_(llama_sampler_chain_init(llama_sampler_chain_default_params())) {}
    LlamaChain(const LlamaChain &) = delete;
    LlamaChain &operator=(const LlamaChain &) = delete;
    ~LlamaChain() { llama_sampler_free(chain_); }

    void add(llama_sampler *stage) { llama_sampler_chain_add(chain_, stage); }

    llama_token sample(const Row &logits) {
        candidates_.resize(logits.size());
        for (std::size_t i = 0; i < logits.size(); ++i) {
            candidates_[i] = {static_cast<llama_token>(i), logits[i], 0};
        }
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

// The same chain twice; stages that llama.cpp lacks are left out there.
struct Pair {
    mullama::Sampler ours;
    LlamaChain theirs;

    std::size_t add(const char *name, llama_sampler *stage) {
        if (stage != nullptr) {
            theirs.add(stage);
        }
        return ours.add(name);
    }
    void penalties(float repeat) {
        const auto count = static_cast<std::int32_t>(vocabulary);
        ours.set_float(add("penalties", llama_sampler_init_penalties(count, 64, repeat, 0, 0)),
                       "repeat", repeat);
    }
    void top_k(std::int32_t k) { ours.set_int(add("top_k", llama_sampler_init_top_k(k)), "k", k); }
    void top_p(float p) { ours.set_float(add("top_p", llama_sampler_init_top_p(p, 0)), "p", p); }
    void min_p(float p) { ours.set_float(add("min_p", llama_sampler_init_min_p(p, 0)), "p", p); }
    void typical(float p) {
        ours.set_float(add("typical", llama_sampler_init_typical(p, 0)), "p", p);
    }
    void top_n_sigma(float n) {
        ours.set_float(add("top_n_sigma", llama_sampler_init_top_n_sigma(n)), "n", n);
    }
    void tail_free(float z) { ours.set_float(add("tail_free", nullptr), "z", z); }
    void xtc(float probability, float threshold) {
        const std::size_t stage =
            add("xtc", llama_sampler_init_xtc(probability, threshold, 0, seed));
        ours.set_float(stage, "probability", probability);
        ours.set_float(stage, "threshold", threshold);
        ours.set_int(stage, "seed", seed);
    }
    void temperature(float t) {
        ours.set_float(add("temperature", llama_sampler_init_temp(t)), "t", t);
    }
    void dist() { ours.set_int(add("dist", llama_sampler_init_dist(seed)), "seed", seed); }
    void greedy() { add("greedy", llama_sampler_init_greedy()); }
    void mirostat() {
        const auto count = static_cast<std::int32_t>(vocabulary);
        ours.set_int(add("mirostat", llama_sampler_init_mirostat(count, seed, 5, 0.1F, 100)),
                     "seed", seed);
    }
    void mirostat_v2() {
        ours.set_int(add("mirostat_v2", llama_sampler_init_mirostat_v2(seed, 5, 0.1F)), "seed",
                     seed);
    }
};

struct Case {
    std::string name;
    std::function<void(Pair &)> build;
    bool compared = true;
};

std::vector<Case> cases() {
    return {
        {"greedy", [](Pair &p) { p.greedy(); }},
        {"dist", [](Pair &p) { p.dist(); }},
        {"temperature, dist",
         [](Pair &p) {
             p.temperature(0.8F);
             p.dist();
         }},
        {"top_k, greedy",
         [](Pair &p) {
             p.top_k(40);
             p.greedy();
         }},
        {"top_p, greedy",
         [](Pair &p) {
             p.top_p(0.95F);
             p.greedy();
         }},
        {"top_p, dist",
         [](Pair &p) {
             p.top_p(0.95F);
             p.dist();
         }},
        {"typical, greedy",
         [](Pair &p) {
             p.typical(0.95F);
             p.greedy();
         }},
        {"typical, dist",
         [](Pair &p) {
             p.typical(0.95F);
             p.dist();
         }},
        {"min_p, greedy",
         [](Pair &p) {
             p.min_p(0.05F);
             p.greedy();
         }},
        {"min_p, dist",
         [](Pair &p) {
             p.min_p(0.05F);
             p.dist();
         }},
        {"top_n_sigma, greedy",
         [](Pair &p) {
             p.top_n_sigma(1);
             p.greedy();
         }},
        {"xtc, greedy",
         [](Pair &p) {
             p.xtc(1, 0.1F);
             p.greedy();
         }},
        {"xtc, dist",
         [](Pair &p) {
             p.xtc(0.5F, 0.1F);
             p.dist();
         }},
        {"tail_free, greedy",
         [](Pair &p) {
             p.tail_free(0.95F);
             p.greedy();
         },
         false},
        {"mirostat", [](Pair &p) { p.mirostat(); }},
        {"mirostat_v2", [](Pair &p) { p.mirostat_v2(); }},
        {"top_k, top_p, min_p, temperature, dist",
         [](Pair &p) {
             p.top_k(40);
             p.top_p(0.95F);
             p.min_p(0.05F);
             p.temperature(0.8F);
             p.dist();
         }},
        {"penalties, top_k, top_p, min_p, temp., dist",
         [](Pair &p) {
             p.penalties(1.1F);
             p.top_k(40);
             p.top_p(0.95F);
             p.min_p(0.05F);
             p.temperature(0.8F);
             p.dist();
         }},
    };
}

std::string shown_name(const Case &chain, const Shape &shape) {
    return shape.name + ": " + chain.name;
}

void run(const Case &chain, const Shape &shape) {
    Pair pair;
    chain.build(pair);
    std::vector<llama_token> theirs;
    std::vector<llama_token> ours;
    const auto row = [&](std::size_t round) -> const Row & {
        return shape.rows[round % shape.rows.size()];
    };
    const auto sample_ours = [&](std::size_t round) {
        ours.push_back(pair.ours.sample(row(round)));
    };
    const std::string name = shown_name(chain, shape);
    if (!chain.compared) {
        std::printf("%-52s %12s %12.3f\n", name.c_str(), "",
                    bench::measure(rounds, sample_ours, 1, bench::thread_ns) / 1e6);
        return;
    }
    const bench::Comparison result = bench::compare(
        rounds, [&](std::size_t round) { theirs.push_back(pair.theirs.sample(row(round))); },
        sample_ours, 1, bench::thread_ns);
    if (theirs != ours) {
        throw std::runtime_error(name + ": the tokens are not llama.cpp's");
    }
    std::printf("%-52s %12.3f %12.3f %9.1f x\n", name.c_str(), result.base_ns / 1e6,
                result.ours_ns / 1e6, result.base_ns / result.ours_ns);
}

} // namespace

int main(int argc, char **argv) {
    const std::string wanted = argc > 1 ? argv[1] : "";
    try {
        std::printf("%-52s %12s %12s %11s\n", "median ms for a token of 128,256", "llama.cpp",
                    "mullama", "faster");
        for (const Shape &shape : shapes()) {
            for (const Case &chain : cases()) {
                if (shown_name(chain, shape).find(wanted) != std::string::npos) {
                    run(chain, shape);
                }
            }
        }
    } catch (const std::exception &error) {
        std::fprintf(stderr, "sampling_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}

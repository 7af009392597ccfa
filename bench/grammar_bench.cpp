// What it costs to rule out the tokens that a grammar does not allow, against llama.cpp's own
// grammars: JSON over a vocabulary of 128,256 tokens where the workplace has one, else over a
// fixture's.
//
//     grammar_bench
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "compare.hpp"
#include "llama.h"
#include "mullama/mullama.hpp"

namespace {

constexpr const char *json = R"(root ::= object
value ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
array ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9]+)? ws
ws ::= | " " | "\n" [ \t]{0,20})";

struct Place {
    const char *what;
    const char *text;
};

constexpr Place places[] = {{"at the start", ""},
                            {"in a string", "{\"name\": \"Some text"},
                            {"before a value", "{\"name\": "},
                            {"in a number, four deep", "{\"a\": [{\"b\": [12"}};

std::string vocabulary_path() {
    const std::string large =
        std::string(MULLAMA_BENCH_SHARED_MODELS) + "/vocab/ggml-vocab-llama-bpe.gguf";
    return std::filesystem::exists(large) ? large
                                          : std::string(MULLAMA_BENCH_FIXTURES) + "/vocab_bpe.gguf";
}

// llama.cpp's sampler, applied to all tokens.
class Raw {
public:
    explicit Raw(const std::string &path) {
        llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
        llama_model_params params = llama_model_default_params();
        params.vocab_only = true;
        model_ = llama_model_load_from_file(path.c_str(), params);
        if (model_ == nullptr) {
            throw std::runtime_error("cannot load " + path);
        }
        vocab_ = llama_model_get_vocab(model_);
        list_.resize(static_cast<std::size_t>(llama_vocab_n_tokens(vocab_)));
    }
    Raw(const Raw &) = delete;
    Raw &operator=(const Raw &) = delete;
    ~Raw() {
        llama_sampler_free(sampler_);
        llama_model_free(model_);
    }

    [[nodiscard]] std::size_t size() const { return list_.size(); }

    [[nodiscard]] std::vector<llama_token> tokenize(const std::string &text) const {
        std::vector<llama_token> tokens(text.size() + 1);
        tokens.resize(static_cast<std::size_t>(
            llama_tokenize(vocab_, text.data(), static_cast<std::int32_t>(text.size()),
                           tokens.data(), static_cast<std::int32_t>(tokens.size()), false, false)));
        return tokens;
    }
    void begin(const std::vector<llama_token> &tokens) {
        llama_sampler_free(sampler_);
        sampler_ = llama_sampler_init_grammar(vocab_, json, "root");
        for (const llama_token token : tokens) {
            llama_sampler_accept(sampler_, token);
        }
    }
    // How many are left.
    std::size_t apply() {
        for (std::size_t i = 0; i < list_.size(); ++i) {
            list_[i] = {static_cast<llama_token>(i), 0, 0};
        }
        llama_token_data_array array{list_.data(), list_.size(), -1, false};
        llama_sampler_apply(sampler_, &array);
        std::size_t left = 0;
        for (const llama_token_data &entry : list_) {
            left += entry.logit == 0 ? 1 : 0;
        }
        return left;
    }

private:
    llama_model *model_ = nullptr;
    const llama_vocab *vocab_ = nullptr;
    llama_sampler *sampler_ = nullptr;
    std::vector<llama_token_data> list_;
};

void run() {
    const std::string path = vocabulary_path();
    Raw raw(path);
    auto options = mullama::options<mullama_model_options_t>();
    options.vocab_only = true;
    const mullama::Model model(path, options);
    const std::vector<float> logits(raw.size(), 0);
    std::printf("JSON, %zu tokens: ruling out what may not come next, all tokens as candidates\n",
                raw.size());

    mullama::Sampler empty;
    empty.set_text(empty.add("grammar"), "grammar", json);
    empty.set_model(model);
    for (const Place &place : places) {
        const std::vector<llama_token> tokens = raw.tokenize(place.text);
        raw.begin(tokens);
        // Never asked so far: each copy works its answer out.
        mullama::Sampler asked = empty.clone();
        for (const llama_token token : tokens) {
            asked.accept(token);
        }
        const mullama::Sampler fresh = asked.clone();
        std::size_t theirs = 0;
        std::size_t ours = 0;
        const auto base = [&](std::size_t) { theirs = raw.apply(); };
        const auto apply = [&](mullama::Sampler &sampler) {
            mullama::Candidates candidates = mullama::Candidates::of_logits(logits);
            sampler.apply(candidates);
            ours = candidates.size();
        };
        const bench::Comparison first = bench::compare(10, base, [&](std::size_t) {
            mullama::Sampler sampler = fresh.clone();
            apply(sampler);
        });
        bench::print(std::string(place.what) + ", for the first time", first, "");
        const bench::Comparison again =
            bench::compare(10, base, [&](std::size_t) { apply(asked); });
        bench::print(std::string(place.what) + ", again", again, "");
        std::printf("    %zu tokens left, llama.cpp: %zu; ratio %.0f, again %.0f\n", ours, theirs,
                    first.base_ns / first.ours_ns, again.base_ns / again.ours_ns);
    }
}

} // namespace

int main() {
    try {
        run();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "grammar_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}

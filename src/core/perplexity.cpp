#include "core/perplexity.hpp"

#include "base/error.hpp"
#include "core/logprobs.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace mullama::core {

using backend::SequenceId;
using backend::Token;
using base::Error;

namespace {

// Of logarithms of probabilities.
class Mean {
public:
    void add(float logprob) noexcept {
        const auto value = static_cast<double>(logprob);
        sum_ += value;
        squares_ += value * value;
        ++count_;
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] double mean() const noexcept { return sum_ / static_cast<double>(count_); }
    [[nodiscard]] double perplexity() const noexcept { return std::exp(-mean()); }
    // The standard error of the perplexity, to first order; 0 where one number says nothing of it.
    [[nodiscard]] double error() const noexcept {
        const double variance = squares_ / static_cast<double>(count_) - mean() * mean();
        if (count_ < 2 || !(variance > 0)) {
            return 0;
        }
        return std::sqrt(variance / static_cast<double>(count_ - 1)) * perplexity();
    }

private:
    double sum_ = 0;
    double squares_ = 0;
    std::size_t count_ = 0;
};

SequenceId empty_sequence(const Context &context) {
    for (std::uint32_t i = 0; i < context.n_seq_max(); ++i) {
        const auto sequence = static_cast<SequenceId>(i);
        if (context.sequence_size(sequence) == 0) {
            return sequence;
        }
    }
    throw Error(MULLAMA_ERROR_INVALID_STATE,
                "every sequence of the context holds tokens, and windows need an empty one: clear "
                "one, or make a context with a larger n_seq_max");
}

// The windows of a text, all of the same size.
struct Windows {
    std::size_t size;
    std::size_t step;
    // The first token of each that counts.
    std::size_t first;
    std::size_t count;
};

Windows windows_of(const Context &context, std::size_t n_tokens, const PerplexityOptions &options) {
    const std::size_t most = context.n_ctx_seq();
    const std::size_t size = options.window == 0 ? most : options.window;
    // One token to begin with, one that is read, one that is foreseen.
    constexpr std::size_t least = 3;
    if (size < least || size > most) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "a window of this size does not fit a sequence of the context")
            .parameter("window")
            .expected(std::to_string(least) + " to " + std::to_string(most))
            .actual(size);
    }
    if (options.stride >= size) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "windows that begin so far apart leave nothing to go by")
            .parameter("stride")
            .expected("1 to " + std::to_string(size - 1) + ", or 0 for windows side by side")
            .actual(options.stride);
    }
    // As llama-perplexity cuts them.
    const bool strided = options.stride != 0;
    Windows windows{};
    windows.size = size;
    windows.step = strided ? options.stride : size;
    windows.first = strided ? size - options.stride : size / 2 + 1;
    if (n_tokens < size + (strided ? 1 : 0)) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "the text has " + std::to_string(n_tokens) +
                                                        " tokens, too few for a window of " +
                                                        std::to_string(size) +
                                                        ": give more text, or a smaller window")
            .parameter("tokens")
            .expected("at least " + std::to_string(size + (strided ? 1 : 0)))
            .actual(n_tokens);
    }
    windows.count =
        strided ? (n_tokens - size + options.stride - 1) / options.stride : n_tokens / size;
    if (options.max_windows != 0) {
        windows.count = std::min(windows.count, options.max_windows);
    }
    return windows;
}

void empty(Context &context, SequenceId sequence) {
    context.remove(sequence, 0, MULLAMA_POSITION_END);
}

} // namespace

void require_first(std::size_t first, std::size_t count) {
    if (first > count) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "there are not that many tokens")
            .parameter("first")
            .expected("0 to " + std::to_string(count))
            .actual(first);
    }
}

std::vector<float> prefill_logprobs(Context &context, SequenceId sequence,
                                    std::span<const Token> tokens, std::size_t first) {
    context.require_sequence(sequence, "sequence");
    context.model().vocab().require(tokens, "tokens");
    require_first(first, tokens.size());
    std::vector<float> logprobs;
    logprobs.reserve(tokens.size() - first);
    Logprobs reader;
    // The logits of the token before tells of tokens[index].
    const auto read = [&](std::int32_t before, std::size_t index) {
        reader.read(context.logits(before), 0);
        logprobs.push_back(reader.of(tokens[index]));
    };
    if (first == 0 && !tokens.empty()) {
        const auto end = context.end_of(sequence);
        if (!end) {
            throw Error(MULLAMA_ERROR_INVALID_STATE,
                        "what the sequence ends in was not asked for its logits, so nothing tells "
                        "of the first token: begin at token 1")
                .parameter("first")
                .expected("at least 1")
                .actual(0);
        }
        read(*end, 0);
    }
    std::size_t next = std::max<std::size_t>(first, 1);
    context.prefill(
        sequence, tokens,
        [&](std::size_t index) { return index + 1 >= first || index + 1 == tokens.size(); },
        [&](std::size_t done) {
            for (; next < tokens.size() && next <= done; ++next) {
                read(static_cast<std::int32_t>(next - 1), next);
            }
            return true;
        });
    return logprobs;
}

Perplexity perplexity(Context &context, std::span<const Token> tokens,
                      const PerplexityOptions &options) {
    const Model &model = context.model();
    if (!model.can(MULLAMA_CAPABILITY_DECODER) || model.facts().has_encoder ||
        model.can(MULLAMA_CAPABILITY_DIFFUSION)) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, "a model of architecture \"" +
                                                   model.facts().architecture +
                                                   "\" does not foresee a text token by token");
    }
    model.vocab().require(tokens, "tokens");
    const Windows windows = windows_of(context, tokens.size(), options);
    const SequenceId sequence = empty_sequence(context);
    const bool begins = options.stride == 0 && model.vocab().adds_bos() &&
                        model.vocab().special(MULLAMA_SPECIAL_BOS) != MULLAMA_TOKEN_NONE;
    Mean mean;
    std::vector<Token> window;
    for (std::size_t i = 0; i < windows.count; ++i) {
        const auto part = tokens.subspan(i * windows.step, windows.size);
        window.assign(part.begin(), part.end());
        if (begins) {
            window.front() = model.vocab().special(MULLAMA_SPECIAL_BOS);
        }
        const std::vector<float> logprobs =
            prefill_logprobs(context, sequence, window, windows.first);
        empty(context, sequence);
        for (const float logprob : logprobs) {
            mean.add(logprob);
        }
        if (options.on_window && !options.on_window(i, windows.count, mean.perplexity())) {
            throw Error(MULLAMA_ERROR_CANCELLED, "stopped by its callback after " +
                                                     std::to_string(i + 1) + " of " +
                                                     std::to_string(windows.count) + " windows");
        }
    }
    return {.perplexity = mean.perplexity(),
            .error = mean.error(),
            .mean_logprob = mean.mean(),
            .n_windows = windows.count,
            .n_scored = mean.count()};
}

} // namespace mullama::core

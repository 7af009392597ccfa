#include "core/generate.hpp"

#include "base/error.hpp"
#include "core/logprobs.hpp"
#include "core/text_writer.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

namespace mullama::core {

using backend::Token;
using base::Error;

namespace {

constexpr std::int32_t max_top_logprobs = 1024;

class Stopwatch {
public:
    [[nodiscard]] std::uint64_t nanoseconds() const {
        const auto passed = std::chrono::steady_clock::now() - begin_;
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(passed).count());
    }

private:
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

void check(const Context &context, const GenerateOptions &options) {
    const Model &model = context.model();
    if (!model.can(MULLAMA_CAPABILITY_DECODER) || model.can(MULLAMA_CAPABILITY_DIFFUSION)) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, "a model of architecture \"" +
                                                   model.facts().architecture +
                                                   "\" does not generate text token by token");
    }
    context.require_sequence(options.sequence, "sequence");
    if (options.max_tokens < -1) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "that is no number of tokens to generate")
            .parameter("max_tokens")
            .expected("at least 0, or -1 for no limit")
            .actual(options.max_tokens);
    }
    if (options.top_logprobs < -1 || options.top_logprobs > max_top_logprobs) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "that many likeliest tokens cannot be listed")
            .parameter("top_logprobs")
            .expected("-1 to " + std::to_string(max_top_logprobs))
            .actual(options.top_logprobs);
    }
}

// Whether the first token that is generated begins a text or goes on with one.
Detokenizer::Start text_start(const Context &context, std::span<const Token> prompt,
                              const GenerateOptions &options) {
    if (context.model().facts().has_encoder) {
        return Detokenizer::Start::text;
    }
    const Token bos = context.model().vocab().special(MULLAMA_SPECIAL_BOS);
    const bool empty =
        std::all_of(prompt.begin(), prompt.end(), [bos](Token token) { return token == bos; });
    return empty && context.sequence_size(options.sequence) == 0 ? Detokenizer::Start::text
                                                                 : Detokenizer::Start::middle;
}

// One generation. The loop allocates nothing once its strings have grown.
class Generation {
public:
    Generation(Context &context, sampling::Chain *chain, const GenerateOptions &options,
               Detokenizer::Start start)
        : context_(context), vocab_(context.model().vocab()),
          chain_(chain != nullptr ? *chain : greedy_), options_(options),
          writer_(vocab_, options.stop, options.unparse_special, start) {}

    GenerateResult run(std::span<const Token> prompt, std::uint64_t tokenize_ns) {
        result_.tokenize_ns = tokenize_ns;
        chain_.adopt_model(context_.shared_model());
        const Stopwatch prefill_time;
        prefill(prompt);
        result_.prefill_ns = prefill_time.nanoseconds();
        const Stopwatch generate_time;
        loop();
        result_.generate_ns = generate_time.nanoseconds();
        result_.stop_index = writer_.stop_index();
        return std::move(result_);
    }

private:
    void prefill(std::span<const Token> prompt) {
        const bool encodes = context_.model().facts().has_encoder;
        result_.prompt_tokens = prompt.size();
        if (encodes) {
            encode(prompt);
        } else if (prompt.empty()) {
            require_continuation();
        } else {
            context_.prefill(options_.sequence, prompt, MULLAMA_OUTPUT_LAST,
                             progress(prompt.size()), "prompt");
        }
        for (const Token token : prompt) {
            chain_.accept_prompt(token);
        }
        if (encodes) {
            start_decoder();
        }
        position_ = static_cast<backend::Position>(context_.sequence_size(options_.sequence));
        const std::optional<std::int32_t> end = context_.end_of(options_.sequence);
        logits_index_ = end.value_or(-1);
    }

    [[nodiscard]] Context::PrefillProgress progress(std::size_t total) const {
        if (options_.on_prefill == nullptr) {
            return nullptr;
        }
        return [this, total](std::size_t done) {
            const float part = static_cast<float>(done) / static_cast<float>(total);
            return options_.on_prefill(part, options_.user_data);
        };
    }

    void require_continuation() const {
        if (context_.sequence_size(options_.sequence) == 0) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                        "there is nothing to go on from: the prompt has no tokens, and the "
                        "sequence is empty")
                .parameter("prompt")
                .expected("at least one token")
                .actual("none");
        }
        if (!context_.end_of(options_.sequence)) {
            throw Error(MULLAMA_ERROR_INVALID_STATE,
                        "the prompt is empty, and the last decode did not keep the logits that "
                        "the sequence ends in: give at least one token")
                .parameter("prompt");
        }
    }

    void encode(std::span<const Token> prompt) {
        if (context_.sequence_size(options_.sequence) != 0) {
            throw Error(MULLAMA_ERROR_INVALID_STATE,
                        "an encoder-decoder model starts each generation with an empty sequence: "
                        "clear the context first")
                .parameter("sequence");
        }
        if (prompt.empty()) {
            throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "there is no text to encode")
                .parameter("prompt")
                .expected("at least one token")
                .actual("none");
        }
        if (prompt.size() > context_.n_ubatch()) {
            throw Error(MULLAMA_ERROR_NO_SPACE,
                        "an encoder sees all of its text at once, and this context computes " +
                            std::to_string(context_.n_ubatch()) + " tokens at once (n_ubatch)")
                .parameter("prompt")
                .expected("at most " + std::to_string(context_.n_ubatch()))
                .actual(prompt.size());
        }
        context_.encode(options_.sequence, prompt, "prompt");
        if (options_.on_prefill != nullptr && !options_.on_prefill(1, options_.user_data)) {
            throw Error(MULLAMA_ERROR_CANCELLED, "the generation was stopped by its callback "
                                                 "after the encoder");
        }
    }

    void start_decoder() {
        Token start = vocab_.special(MULLAMA_SPECIAL_DECODER_START);
        if (start == MULLAMA_TOKEN_NONE) {
            start = vocab_.special(MULLAMA_SPECIAL_BOS);
        }
        if (start == MULLAMA_TOKEN_NONE) {
            throw Error(MULLAMA_ERROR_UNSUPPORTED,
                        "the model's file names no token for its decoder to start with");
        }
        context_.prefill(options_.sequence, std::span(&start, 1), MULLAMA_OUTPUT_LAST);
        chain_.accept_prompt(start);
    }

    void loop() {
        const std::uint64_t limit = options_.max_tokens < 0
                                        ? std::numeric_limits<std::uint64_t>::max()
                                        : static_cast<std::uint64_t>(options_.max_tokens);
        if (limit == 0) {
            result_.stop_reason = MULLAMA_STOP_LENGTH;
        }
        while (result_.stop_reason == MULLAMA_STOP_NONE) {
            const Token token = sample();
            ++result_.generated_tokens;
            const bool ends = !options_.ignore_end && vocab_.ends_generation(token);
            mullama_stop_reason_t reason = MULLAMA_STOP_NONE;
            if (ends) {
                reason = MULLAMA_STOP_END;
            } else if (result_.generated_tokens >= limit) {
                reason = MULLAMA_STOP_LENGTH;
            } else if (static_cast<std::uint32_t>(position_) >= context_.n_ctx_seq()) {
                reason = MULLAMA_STOP_CONTEXT;
            }
            result_.stop_reason = writer_.write(token, ends, reason);
            result_.text += writer_.text();
            if (!tell(token)) {
                result_.stop_reason = MULLAMA_STOP_CANCELLED;
            }
            if (result_.stop_reason == MULLAMA_STOP_NONE) {
                decode(token);
            }
        }
    }

    Token sample() {
        const std::span<const float> logits = context_.logits(logits_index_);
        if (options_.top_logprobs >= 0) {
            logprobs_.read(logits, static_cast<std::size_t>(options_.top_logprobs));
        }
        return chain_.sample(logits);
    }

    // False when the callback says stop.
    bool tell(Token token) {
        if (options_.on_token == nullptr) {
            return true;
        }
        mullama_token_event_t event{};
        event.struct_size = sizeof event;
        event.token = token;
        event.index = result_.generated_tokens - 1;
        event.text = writer_.text().c_str();
        event.text_size = writer_.text().size();
        if (options_.top_logprobs >= 0) {
            event.logprob = logprobs_.of(token);
            event.top_count = logprobs_.top_tokens().size();
            if (event.top_count > 0) {
                event.top_tokens = logprobs_.top_tokens().data();
                event.top_logprobs = logprobs_.top_values().data();
            }
        }
        return options_.on_token(&event, options_.user_data);
    }

    void decode(Token token) {
        if (context_.append(options_.sequence, token, position_)) {
            ++position_;
            logits_index_ = -1;
            return;
        }
        // Other sequences filled the memory that all share.
        result_.stop_reason = writer_.finish(MULLAMA_STOP_CONTEXT);
        result_.text += writer_.text();
    }

    Context &context_;
    const Vocab &vocab_;
    // A chain without stages takes the likeliest token.
    sampling::Chain greedy_;
    sampling::Chain &chain_;
    const GenerateOptions &options_;
    TextWriter writer_;
    Logprobs logprobs_;
    GenerateResult result_;
    backend::Position position_ = 0;
    std::int32_t logits_index_ = -1;
};

} // namespace

GenerateResult generate(Context &context, sampling::Chain *chain, std::string_view prompt,
                        const GenerateOptions &options) {
    check(context, options);
    const Stopwatch time;
    const Vocab &vocab = context.model().vocab();
    const bool starts = options.add_special && context.sequence_size(options.sequence) == 0;
    std::vector<Token> tokens;
    vocab.tokenize(prompt, starts, options.parse_special, tokens);
    if (tokens.empty() && starts && vocab.special(MULLAMA_SPECIAL_BOS) != MULLAMA_TOKEN_NONE) {
        tokens.push_back(vocab.special(MULLAMA_SPECIAL_BOS));
    }
    const std::uint64_t tokenize_ns = time.nanoseconds();
    return Generation(context, chain, options, text_start(context, tokens, options))
        .run(tokens, tokenize_ns);
}

GenerateResult generate(Context &context, sampling::Chain *chain, std::span<const Token> prompt,
                        const GenerateOptions &options) {
    check(context, options);
    return Generation(context, chain, options, text_start(context, prompt, options)).run(prompt, 0);
}

} // namespace mullama::core

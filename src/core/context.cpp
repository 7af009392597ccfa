#include "core/context.hpp"

#include "base/error.hpp"
#include "core/context_options.hpp"
#include "core/log.hpp"
#include "core/thread_choice.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace mullama::core {

using backend::DecodeStatus;
using base::Error;

namespace {

std::string describe(const mullama_context_options_t &asked, const backend::ContextParams &params) {
    std::string key = "n_ctx=" + std::to_string(params.n_ctx);
    key += " n_ubatch=" + std::to_string(params.n_ubatch);
    key += " type_k=" + std::to_string(params.type_k);
    key += " type_v=" + std::to_string(params.type_v);
    key += " flash_attention=" + std::to_string(params.flash_attention);
    key += " n_threads=" + std::to_string(asked.n_threads);
    key += " n_threads_batch=" + std::to_string(asked.n_threads_batch);
    return key;
}

bool is_encoder_only(const backend::ModelFacts &facts) {
    return facts.has_encoder && !facts.has_decoder;
}

} // namespace

Context::Context(std::shared_ptr<const Model> model, const mullama_context_options_t &options)
    : model_(std::move(model)) {
    const backend::ModelFacts &facts = model_->facts();
    if (model_->vocab_only()) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "the model was loaded for its vocabulary only and has no weights to compute "
                    "with: load it without vocab_only")
            .parameter("model");
    }
    const std::shared_ptr<Runtime> &runtime = model_->runtime();
    const backend::ContextParams params = resolve(options, facts, runtime->max_threads());
    if (runtime->limits_memory()) {
        memory_ = runtime->reserve(estimate_context_bytes(params, facts, model_->vocab().size()),
                                   "the context");
    }
    engine_ = with_log(runtime->log(), [&] { return model_->engine().new_context(params); });
    shape_ = describe(options, params);
    threads_ = {options.n_threads == 0 ? 0 : params.n_threads,
                options.n_threads_batch == 0 ? 0 : params.n_threads_batch};
    // Without weights there is nothing to measure.
    const bool nothing_to_choose = runtime->max_threads() == 1 || facts.n_params == 0;
    if (nothing_to_choose) {
        threads_ = {params.n_threads, params.n_threads_batch};
    } else if (const auto known = runtime->remembered(model_->fingerprint(), shape_)) {
        threads_ = *known;
        engine_->set_threads(threads_.n_threads, threads_.n_threads_batch);
    }
}

ThreadChoice Context::threads() const noexcept {
    return threads_;
}

void Context::choose_threads() {
    if (threads_.n_threads != 0 && threads_.n_threads_batch != 0) [[likely]] {
        return;
    }
    Runtime &runtime = *model_->runtime();
    const ThreadChoice choice = with_log(runtime.log(), [&] {
        return measure_threads(*engine_, model_->facts(), model_->vocab().size(), threads_,
                               runtime.max_threads());
    });
    runtime.remember(model_->fingerprint(), shape_, choice);
    threads_ = choice;
}

void Context::warm_up() {
    for (std::uint32_t i = 0; i < engine_->n_seq_max(); ++i) {
        if (engine_->last_position(static_cast<backend::SequenceId>(i)) >= 0) {
            throw Error(MULLAMA_ERROR_INVALID_STATE,
                        "measuring empties the context, and sequence " + std::to_string(i) +
                            " holds tokens: warm up before the first decode, or clear it");
        }
    }
    choose_threads();
}

void Context::require_sequence(backend::SequenceId sequence, const char *parameter) const {
    const auto n_seq_max = static_cast<backend::SequenceId>(engine_->n_seq_max());
    if (sequence < 0 || sequence >= n_seq_max) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "this context does not have such a sequence: n_seq_max says how many it has")
            .parameter(parameter)
            .expected("0 to " + std::to_string(n_seq_max - 1))
            .actual(sequence);
    }
}

void Context::require_decoder() const {
    if (is_encoder_only(model_->facts())) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "a model of architecture \"" + model_->facts().architecture +
                        "\" is an encoder: it keeps no sequences and predicts no tokens");
    }
}

void Context::decode(const backend::Batch &batch) {
    choose_threads();
    run(batch, Part::decoder, 0);
}

void Context::encode(const backend::Batch &batch) {
    if (!model_->facts().has_encoder) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, "a model of architecture \"" +
                                                   model_->facts().architecture +
                                                   "\" has no encoder: decode the batch instead");
    }
    choose_threads();
    run(batch, Part::encoder, 0);
}

void Context::encode(backend::SequenceId sequence, std::span<const backend::Token> tokens) {
    require_sequence(sequence, "sequence");
    model_->vocab().require(tokens, "tokens");
    scratch_.clear();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        scratch_.add(tokens[i], static_cast<backend::Position>(i), std::span(&sequence, 1), true);
    }
    encode(scratch_);
}

DecodeStatus Context::compute(const backend::Batch &batch, Part part, std::size_t index_base) {
    forget_outputs();
    // Before the engine: when memory runs out here, nothing is decoded yet.
    if (part == Part::decoder) {
        note_outputs(batch, index_base);
    }
    try {
        const DecodeStatus status = with_log(model_->runtime()->log(), [&] {
            return part == Part::encoder ? engine_->encode(batch) : engine_->decode(batch);
        });
        if (status != DecodeStatus::ok) {
            forget_outputs();
        }
        return status;
    } catch (...) {
        forget_outputs();
        throw;
    }
}

void Context::run(const backend::Batch &batch, Part part, std::size_t index_base) {
    switch (compute(batch, part, index_base)) {
    case DecodeStatus::ok:
        break;
    case DecodeStatus::no_space:
        throw Error(MULLAMA_ERROR_NO_SPACE,
                    "the context has no room for " + std::to_string(batch.size()) +
                        " more tokens: it holds " + std::to_string(engine_->n_ctx()) +
                        " in all; clear it, or make one with a larger n_ctx")
            .parameter("batch")
            .actual(batch.size());
    case DecodeStatus::aborted:
        throw Error(MULLAMA_ERROR_CANCELLED, "the decode was stopped");
    }
}

void Context::forget_outputs() noexcept {
    outputs_.clear();
    output_sequences_.clear();
    last_size_ = 0;
}

void Context::note_outputs(const backend::Batch &batch, std::size_t index_base) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (batch.outputs[i] == 0) {
            continue;
        }
        const auto begin = static_cast<std::uint32_t>(output_sequences_.size());
        const auto first = batch.sequence_ids.begin();
        output_sequences_.insert(output_sequences_.end(), first + batch.sequence_begin[i],
                                 first + batch.sequence_begin[i + 1]);
        outputs_.push_back({index_base + i, static_cast<std::int32_t>(i), batch.positions[i], begin,
                            static_cast<std::uint32_t>(output_sequences_.size())});
    }
    last_size_ = index_base + batch.size();
}

void Context::prefill(backend::SequenceId sequence, std::span<const backend::Token> tokens,
                      mullama_output_t output, const PrefillProgress &progress) {
    require_decoder();
    require_sequence(sequence, "sequence");
    model_->vocab().require(tokens, "tokens");
    if (tokens.empty()) {
        return;
    }
    choose_threads();
    const std::size_t held = sequence_size(sequence);
    const std::size_t room = engine_->n_ctx_seq() - std::min<std::size_t>(held, n_ctx_seq());
    if (tokens.size() > room) {
        throw Error(MULLAMA_ERROR_NO_SPACE,
                    std::to_string(tokens.size()) +
                        " tokens do not fit into the sequence, which has "
                        "room for " +
                        std::to_string(room) + " more of " + std::to_string(n_ctx_seq()) +
                        ": shorten the text, or make a context with a larger n_ctx")
            .parameter("tokens")
            .expected("at most " + std::to_string(room))
            .actual(tokens.size());
    }
    const std::size_t n_batch = engine_->n_batch();
    if (output == MULLAMA_OUTPUT_ALL && tokens.size() > n_batch) {
        throw Error(MULLAMA_ERROR_NO_SPACE,
                    "the logits of every token can be kept only within one batch, and this context "
                    "takes " +
                        std::to_string(n_batch) + " tokens at a time (n_batch)")
            .parameter("tokens")
            .expected("at most " + std::to_string(n_batch))
            .actual(tokens.size());
    }
    try {
        for (std::size_t begin = 0; begin < tokens.size(); begin += n_batch) {
            const std::size_t end = std::min(begin + n_batch, tokens.size());
            scratch_.clear();
            for (std::size_t i = begin; i < end; ++i) {
                const bool wanted = output == MULLAMA_OUTPUT_ALL ||
                                    (output == MULLAMA_OUTPUT_LAST && i + 1 == tokens.size());
                scratch_.add(tokens[i], static_cast<backend::Position>(held + i),
                             std::span(&sequence, 1), wanted);
            }
            run(scratch_, Part::decoder, begin);
            if (progress && !progress(end)) {
                throw Error(MULLAMA_ERROR_CANCELLED,
                            "the prefill was stopped by its callback after " + std::to_string(end) +
                                " of " + std::to_string(tokens.size()) + " tokens");
            }
        }
    } catch (...) {
        forget_outputs();
        if (!engine_->truncate(sequence, static_cast<backend::Position>(held))) {
            engine_->truncate(sequence, 0);
        }
        throw;
    }
}

bool Context::append(backend::SequenceId sequence, backend::Token token,
                     backend::Position position) {
    choose_threads();
    scratch_.clear();
    scratch_.add(token, position, std::span(&sequence, 1), true);
    switch (compute(scratch_, Part::decoder, 0)) {
    case DecodeStatus::ok:
        return true;
    case DecodeStatus::no_space:
        return false;
    case DecodeStatus::aborted:
        break;
    }
    throw Error(MULLAMA_ERROR_CANCELLED, "the decode was stopped");
}

std::span<const float> Context::logits(std::int32_t index) {
    require_decoder();
    if (outputs_.empty()) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    last_size_ == 0 ? "there are no logits: nothing was decoded since the context "
                                      "was made, cleared or failed to decode"
                                    : "there are no logits: the last decode was not asked to keep "
                                      "any token's")
            .parameter("index");
    }
    const auto count = static_cast<std::int32_t>(outputs_.size());
    const Output *found = nullptr;
    if (index < 0 && index >= -count) {
        found = &outputs_[static_cast<std::size_t>(count + index)];
    } else if (index >= 0) {
        const auto wanted = static_cast<std::size_t>(index);
        const auto place = std::lower_bound(
            outputs_.begin(), outputs_.end(), wanted,
            [](const Output &output, std::size_t value) { return output.index < value; });
        if (place != outputs_.end() && place->index == wanted) {
            found = &*place;
        }
    }
    if (found == nullptr) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "the last decode, of " + std::to_string(last_size_) +
                        " tokens, did not keep the logits of a token with this index")
            .parameter("index")
            .expected(std::to_string(-count) + " to -1, or the index of a token whose logits were "
                                               "asked for")
            .actual(index);
    }
    return {engine_->logits(found->engine_index), static_cast<std::size_t>(model_->vocab().size())};
}

std::optional<std::int32_t> Context::end_of(backend::SequenceId sequence) const {
    const backend::Position last = engine_->last_position(sequence);
    for (std::size_t i = outputs_.size(); i-- > 0;) {
        const Output &output = outputs_[i];
        const auto first = output_sequences_.begin();
        if (output.position == last &&
            std::find(first + output.sequences_begin, first + output.sequences_end, sequence) !=
                first + output.sequences_end) {
            return static_cast<std::int32_t>(i) - static_cast<std::int32_t>(outputs_.size());
        }
    }
    return std::nullopt;
}

std::size_t Context::sequence_size(backend::SequenceId sequence) const {
    require_sequence(sequence, "sequence");
    const backend::Position size = engine_->last_position(sequence) + 1;
    return static_cast<std::size_t>(size);
}

void Context::clear() {
    engine_->clear();
    forget_outputs();
}

} // namespace mullama::core

#include "core/context.hpp"

#include "base/error.hpp"
#include "core/context_options.hpp"
#include "core/log.hpp"
#include "core/thread_choice.hpp"
#include "platform/clock.hpp"

#include <algorithm>
#include <array>
#include <limits>
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

// The end of a range that has none.
constexpr backend::Position last_of_all = std::numeric_limits<backend::Position>::max();
// Positions beyond this could not be counted on.
constexpr std::int64_t most_positions = std::int64_t{1} << 30U;

bool is_encoder_only(const backend::ModelFacts &facts) {
    return facts.has_encoder && !facts.has_decoder;
}

} // namespace

Context::Context(std::shared_ptr<const Model> model, const mullama_context_options_t &options)
    : model_(std::move(model)), history_(0) {
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
    history_ = SequenceHistory(params.n_seq_max);
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

std::uint32_t Context::n_ctx_seq() const noexcept {
    const std::int32_t n_positions = model_->facts().n_positions;
    const std::uint32_t room = engine_->n_ctx_seq();
    return n_positions == 0 ? room : std::min(room, static_cast<std::uint32_t>(n_positions));
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

void Context::require_empty() const {
    for (std::uint32_t i = 0; i < engine_->n_seq_max(); ++i) {
        if (engine_->last_position(static_cast<backend::SequenceId>(i)) >= 0) {
            throw Error(MULLAMA_ERROR_INVALID_STATE,
                        "measuring empties the context, and sequence " + std::to_string(i) +
                            " holds tokens: warm up before the first decode, or clear it");
        }
    }
}

void Context::warm_up() {
    require_empty();
    choose_threads();
}

void Context::set_threads(std::int32_t n_threads, std::int32_t n_threads_batch) {
    const std::int32_t most = model_->runtime()->max_threads();
    const ThreadChoice asked{resolve_threads(n_threads, most, "n_threads"),
                             resolve_threads(n_threads_batch, most, "n_threads_batch")};
    if (n_threads == 0 || n_threads_batch == 0) {
        require_empty();
    }
    engine_->set_threads(asked.n_threads, asked.n_threads_batch);
    threads_ = {n_threads == 0 ? 0 : asked.n_threads,
                n_threads_batch == 0 ? 0 : asked.n_threads_batch};
    if (most == 1 || model_->facts().n_params == 0) {
        threads_ = asked;
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

void Context::encode(backend::SequenceId sequence, std::span<const backend::Token> tokens,
                     const char *parameter) {
    require_sequence(sequence, "sequence");
    model_->vocab().require(tokens, parameter);
    scratch_.clear();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        scratch_.add(tokens[i], static_cast<backend::Position>(i), std::span(&sequence, 1), true);
    }
    encode(scratch_);
}

DecodeStatus Context::compute(const backend::Batch &batch, Part part, std::size_t index_base) {
    forget_outputs();
    // Before the engine: when memory runs out here, nothing is decoded yet. What is wrong with the
    // batch is the engine's to say.
    const bool encodes = part == Part::encoder || is_encoder_only(model_->facts());
    const bool remembers =
        part == Part::decoder && (engine_->abilities() & MULLAMA_CONTEXT_CAN_REMEMBER) != 0;
    const bool known = std::ranges::all_of(batch.sequence_ids, [this](backend::SequenceId id) {
        return id >= 0 && static_cast<std::uint32_t>(id) < engine_->n_seq_max();
    });
    if (remembers && known) {
        history_.reserve(batch);
    }
    try {
        note_outputs(batch, index_base, encodes || engine_->embeddings());
        const std::uint64_t begin = platform::monotonic_nanoseconds();
        const DecodeStatus status = with_log(model_->runtime()->log(), [&] {
            return part == Part::encoder ? engine_->encode(batch) : engine_->decode(batch);
        });
        if (status == DecodeStatus::ok) {
            count(batch.size(), platform::monotonic_nanoseconds() - begin);
            if (remembers) {
                history_.append(batch);
            }
            return status;
        }
        forget_outputs();
        if (remembers) {
            reconcile(batch);
        }
        return status;
    } catch (...) {
        forget_outputs();
        if (remembers && known) {
            reconcile(batch);
        }
        throw;
    }
}

void Context::reconcile(const backend::Batch &batch) noexcept {
    for (const backend::SequenceId sequence : batch.sequence_ids) {
        history_.remove(sequence, engine_->last_position(sequence) + 1, last_of_all);
    }
}

void Context::count(std::size_t n_tokens, std::uint64_t nanoseconds) noexcept {
    if (n_tokens == 1) {
        ++counters_.single_calls;
        counters_.single_ns += nanoseconds;
    } else {
        ++counters_.batch_calls;
        counters_.batch_tokens += n_tokens;
        counters_.batch_ns += nanoseconds;
    }
}

Context::Counters Context::counters() const noexcept {
    Counters result = counters_;
    result.graph_reuses = engine_->graph_reuses() - graph_reuses_before_;
    return result;
}

void Context::reset_counters() noexcept {
    counters_ = {};
    graph_reuses_before_ = engine_->graph_reuses();
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
    loaded_logits_.clear();
    last_size_ = 0;
}

void Context::note_outputs(const backend::Batch &batch, std::size_t index_base, bool all) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (batch.outputs[i] == 0 && !all) {
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
                      mullama_output_t output, const PrefillProgress &progress,
                      const char *parameter) {
    const std::size_t n_batch = engine_->n_batch();
    if (output == MULLAMA_OUTPUT_ALL && tokens.size() > n_batch) {
        require_decoder();
        require_sequence(sequence, "sequence");
        model_->vocab().require(tokens, parameter);
        throw Error(MULLAMA_ERROR_NO_SPACE,
                    "the logits of every token can be kept only within one batch, and this context "
                    "takes " +
                        std::to_string(n_batch) + " tokens at a time (n_batch)")
            .parameter(parameter)
            .expected("at most " + std::to_string(n_batch))
            .actual(tokens.size());
    }
    prefill(
        sequence, tokens,
        [&](std::size_t index) {
            return output == MULLAMA_OUTPUT_ALL ||
                   (output == MULLAMA_OUTPUT_LAST && index + 1 == tokens.size());
        },
        progress, parameter);
}

void Context::prefill(backend::SequenceId sequence, std::span<const backend::Token> tokens,
                      const std::function<bool(std::size_t)> &wanted,
                      const PrefillProgress &progress, const char *parameter) {
    require_decoder();
    require_sequence(sequence, "sequence");
    model_->vocab().require(tokens, parameter);
    if (tokens.empty()) {
        return;
    }
    choose_threads();
    const std::size_t held = sequence_size(sequence);
    // Where a part was removed, positions say more than there is.
    const std::size_t taken = history_.entries(sequence).size();
    const std::size_t room = n_ctx_seq() - std::min<std::size_t>(taken, n_ctx_seq());
    if (tokens.size() > room) {
        throw Error(MULLAMA_ERROR_NO_SPACE,
                    std::to_string(tokens.size()) +
                        " tokens do not fit into the sequence, which has "
                        "room for " +
                        std::to_string(room) + " more of " + std::to_string(n_ctx_seq()) +
                        ": shorten the text, or make a context with a larger n_ctx")
            .parameter(parameter)
            .expected("at most " + std::to_string(room))
            .actual(tokens.size());
    }
    const std::size_t n_batch = engine_->n_batch();
    try {
        for (std::size_t begin = 0; begin < tokens.size(); begin += n_batch) {
            const std::size_t end = std::min(begin + n_batch, tokens.size());
            scratch_.clear();
            for (std::size_t i = begin; i < end; ++i) {
                scratch_.add(tokens[i], static_cast<backend::Position>(held + i),
                             std::span(&sequence, 1), wanted(i));
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
        const auto begin = static_cast<backend::Position>(held);
        const bool shortened = engine_->truncate(sequence, begin);
        if (!shortened) {
            engine_->truncate(sequence, 0);
        }
        history_.remove(sequence, shortened ? begin : 0, last_of_all);
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

const Context::Output &Context::output(std::int32_t index, const char *what) const {
    if (outputs_.empty()) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    std::string("there are no ") + what +
                        (last_size_ == 0 ? ": nothing was decoded since the context was made, "
                                           "cleared or failed to decode"
                                         : ": the last decode was not asked to keep any token's"))
            .parameter("index");
    }
    const auto count = static_cast<std::int32_t>(outputs_.size());
    if (index < 0 && index >= -count) {
        return outputs_[outputs_.size() - static_cast<std::size_t>(-index)];
    }
    if (index >= 0) {
        const auto wanted = static_cast<std::size_t>(index);
        const auto place = std::lower_bound(
            outputs_.begin(), outputs_.end(), wanted,
            [](const Output &output, std::size_t value) { return output.index < value; });
        if (place != outputs_.end() && place->index == wanted) {
            return *place;
        }
    }
    throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "the last decode, of " + std::to_string(last_size_) +
                                                " tokens, did not keep the " + what +
                                                " of a token with this index")
        .parameter("index")
        .expected(std::to_string(-count) + " to -1, or the index of a token whose " + what +
                  " were asked for")
        .actual(index);
}

std::span<const float> Context::logits(std::int32_t index) {
    require_decoder();
    const Output &found = output(index, "logits");
    const auto n_vocab = static_cast<std::size_t>(model_->vocab().size());
    if (found.engine_index < 0) {
        const auto row = static_cast<std::size_t>(-1 - found.engine_index);
        return {loaded_logits_.data() + row * n_vocab, n_vocab};
    }
    return {engine_->logits(found.engine_index), n_vocab};
}

std::span<const float> Context::embedding(std::int32_t index) {
    if (engine_->pooling() != MULLAMA_POOLING_NONE) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the embeddings of this context are pooled: read them by sequence, or make it "
                    "with pooling \"none\"")
            .parameter("index");
    }
    const Output &found = output(index, "embeddings");
    const std::span<const float> row = engine_->embedding(found.engine_index);
    if (row.empty()) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the last decode was not asked for embeddings: switch them on before it")
            .parameter("index");
    }
    return row;
}

std::span<const float> Context::sequence_embedding(backend::SequenceId sequence) {
    require_sequence(sequence, "sequence");
    if (engine_->pooling() == MULLAMA_POOLING_NONE) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "this context does not pool embeddings: read them by token, or make it with a "
                    "pooling")
            .parameter("sequence");
    }
    const std::span<const float> row =
        outputs_.empty() ? std::span<const float>() : engine_->sequence_embedding(sequence);
    if (row.empty()) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the last decode gave no embedding of sequence " + std::to_string(sequence) +
                        ": it was not part of it, or embeddings were not switched on")
            .parameter("sequence");
    }
    return row;
}

std::int32_t Context::n_embd_sequence() const noexcept {
    switch (engine_->pooling()) {
    case MULLAMA_POOLING_NONE:
        return 0;
    case MULLAMA_POOLING_RANK:
        return model_->facts().n_cls_out;
    default:
        return model_->facts().n_embd_out;
    }
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

Context::Positions Context::sequence_positions(backend::SequenceId sequence) const {
    require_sequence(sequence, "sequence");
    return {engine_->first_position(sequence), engine_->last_position(sequence)};
}

std::span<const SequenceHistory::Entry>
Context::sequence_entries(backend::SequenceId sequence) const {
    require_sequence(sequence, "sequence");
    return history_.entries(sequence);
}

void Context::require_ability(mullama_context_ability_t ability, const char *what) const {
    if ((engine_->abilities() & static_cast<std::uint64_t>(ability)) == 0) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    std::string(what) + ": " + engine_->why_not(ability));
    }
}

void Context::require_range(backend::SequenceId sequence, backend::Position begin,
                            backend::Position &end, const char *parameter) const {
    require_sequence(sequence, parameter);
    if (begin < 0) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "positions are counted from 0")
            .parameter("begin")
            .expected("at least 0")
            .actual(begin);
    }
    if (end == MULLAMA_POSITION_END) {
        end = last_of_all;
    } else if (end < 0) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "that is no end of a range of positions")
            .parameter("end")
            .expected("at least begin, or MULLAMA_POSITION_END")
            .actual(end);
    }
    if (end < begin) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "the range ends before it begins")
            .parameter("end")
            .expected("at least " + std::to_string(begin))
            .actual(end);
    }
}

void Context::copy(backend::SequenceId from, backend::SequenceId to, backend::Position begin,
                   backend::Position end) {
    require_range(from, begin, end, "from");
    require_sequence(to, "to");
    if (from == to) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT, "a sequence cannot be copied to itself")
            .parameter("to");
    }
    require_ability(MULLAMA_CONTEXT_CAN_COPY, "sequences cannot be copied here");
    const Positions held = sequence_positions(from);
    // By what was decoded: layers with a window or a state hold less, and know no beginning.
    const std::span<const SequenceHistory::Entry> all = history_.entries(from);
    const bool whole = all.empty() || (begin <= all.front().position && end > held.last);
    if (whole) {
        begin = 0;
        end = last_of_all;
    } else {
        require_ability(MULLAMA_CONTEXT_CAN_SHARE, "a part of a sequence cannot be copied here");
        // What follows the part would look at the window before its end.
        const backend::Position n_swa = model_->facts().n_swa;
        if (n_swa > 0 && end <= held.last && held.first > std::max(0, end - n_swa)) {
            throw Error(MULLAMA_ERROR_UNSUPPORTED,
                        "a part that ends at " + std::to_string(end) +
                            " cannot be copied: the sliding window before that is gone")
                .parameter("end")
                .actual(end);
        }
    }
    if (engine_->last_position(to) >= 0) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "sequence " + std::to_string(to) + " holds tokens: remove them first")
            .parameter("to");
    }
    if (!history_.holds(from, begin, end)) {
        return;
    }
    history_.copy(from, to, begin, end);
    try {
        engine_->copy(from, to, begin, end);
    } catch (...) {
        history_.remove(to, 0, last_of_all);
        throw;
    }
}

void Context::remove(backend::SequenceId sequence, backend::Position begin, backend::Position end) {
    require_range(sequence, begin, end, "sequence");
    const Positions held = sequence_positions(sequence);
    if (!history_.holds(sequence, begin, end)) {
        return;
    }
    if (end <= held.last) {
        require_ability(MULLAMA_CONTEXT_CAN_REMOVE, "only the end of a sequence can be removed");
        engine_->remove(sequence, begin, end);
    } else if (!engine_->truncate(sequence, begin)) {
        require_ability(MULLAMA_CONTEXT_CAN_TRUNCATE, "a sequence cannot be shortened here");
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "the sequence cannot be shortened to " + std::to_string(begin) +
                        " tokens: the sliding window before that is gone")
            .parameter("begin")
            .actual(begin);
    }
    history_.remove(sequence, begin, end);
    forget_outputs();
}

void Context::keep(backend::SequenceId sequence) {
    require_sequence(sequence, "sequence");
    // llama.cpp's own call forgets those that have memory of their own.
    for (std::uint32_t i = 0; i < engine_->n_seq_max(); ++i) {
        const auto other = static_cast<backend::SequenceId>(i);
        if (other != sequence && engine_->last_position(other) >= 0) {
            engine_->truncate(other, 0);
            history_.remove(other, 0, last_of_all);
        }
    }
}

void Context::require_own(backend::SequenceId sequence, backend::Position begin,
                          backend::Position end) const {
    require_ability(MULLAMA_CONTEXT_CAN_SHIFT, "positions cannot be moved here");
    if (history_.shares(sequence, begin, end)) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the sequence shares tokens of this range with another one, whose positions "
                    "would move too")
            .parameter("sequence");
    }
}

void Context::require_free(backend::SequenceId sequence, backend::Position begin,
                           backend::Position end, const char *parameter) const {
    if (begin < end && history_.holds(sequence, begin, end)) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the sequence holds tokens at positions " + std::to_string(begin) + " to " +
                        std::to_string(end - 1) + ", where others would be moved to")
            .parameter(parameter);
    }
}

void Context::shift(backend::SequenceId sequence, backend::Position begin, backend::Position end,
                    backend::Position delta) {
    require_range(sequence, begin, end, "sequence");
    require_own(sequence, begin, end);
    if (delta == 0 || !history_.holds(sequence, begin, end)) {
        return;
    }
    // What really moves: the range may be wider than the sequence.
    const std::span<const SequenceHistory::Entry> all = history_.entries(sequence);
    const auto in_range = [&](const SequenceHistory::Entry &entry) {
        return entry.position >= begin && entry.position < end;
    };
    const auto first = std::ranges::find_if(all, in_range);
    auto last = first;
    while (last != all.end() && in_range(*last)) {
        ++last;
    }
    const std::int64_t least = std::int64_t{first->position} + delta;
    const std::int64_t most = std::int64_t{(last - 1)->position} + delta;
    if (least < 0 || most > most_positions) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    "positions would leave the range that they can have")
            .parameter("delta")
            .expected(std::to_string(-first->position) + " to " +
                      std::to_string(most_positions - (last - 1)->position))
            .actual(delta);
    }
    // Places that are in the way, beside the range itself, which moves along.
    const auto lower = static_cast<backend::Position>(least);
    const auto upper = static_cast<backend::Position>(most) + 1;
    require_free(sequence, lower, std::min(upper, begin), "delta");
    require_free(sequence, std::max(lower, end), upper, "delta");
    engine_->shift(sequence, begin, end, delta);
    history_.shift(sequence, begin, end, delta);
    forget_outputs();
}

void Context::divide(backend::SequenceId sequence, backend::Position begin, backend::Position end,
                     std::int32_t divisor) {
    require_range(sequence, begin, end, "sequence");
    if (divisor < 1) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "positions are divided by 1 or more")
            .parameter("divisor")
            .expected("at least 1")
            .actual(divisor);
    }
    require_own(sequence, begin, end);
    if (divisor == 1 || !history_.holds(sequence, begin, end)) {
        return;
    }
    require_free(sequence, begin / divisor, begin, "divisor");
    engine_->divide(sequence, begin, end, divisor);
    history_.divide(sequence, begin, end, divisor);
    forget_outputs();
}

void Context::clear() {
    engine_->clear();
    history_.clear();
    forget_outputs();
}

} // namespace mullama::core

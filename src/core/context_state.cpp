// Saved states of a context.
#include "core/context.hpp"

#include "base/error.hpp"
#include "base/number_text.hpp"
#include "base/version.generated.hpp"
#include "core/log.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace mullama::core {

using base::Error;

namespace {

// What a field of an identity is, where its name alone says too little.
const char *in_words(std::string_view name) noexcept {
    if (name == "engine") {
        return "the version of the engine";
    }
    if (name == "architecture") {
        return "the model's architecture";
    }
    if (name == "model") {
        return "the model (its fingerprint)";
    }
    if (name == "adapters") {
        return "the adapters in effect (fingerprint * scale)";
    }
    if (name == "type_k") {
        return "how keys are stored (type_k)";
    }
    if (name == "type_v") {
        return "how values are stored (type_v)";
    }
    if (name == "flash_attention") {
        return "flash attention, which decides how values lie in memory";
    }
    if (name == "memories") {
        return "the number of memories (kv_unified, or n_seq_max without it)";
    }
    if (name == "sliding_window") {
        return "whether layers with a sliding window keep all tokens (swa_full)";
    }
    if (name == "rope_factors") {
        return "which of its two sets of RoPE factors the model used, by n_ctx";
    }
    if (name == "rope") {
        return "how positions went into the keys (rope_scaling, rope_freq_base, rope_freq_scale "
               "and yarn_*)";
    }
    return "";
}

[[noreturn]] void refuse_identity(std::string_view name, std::string_view expected,
                                  std::string_view actual) {
    const std::string words = in_words(name);
    const auto shown = [](std::string_view value) {
        return value.empty() ? std::string("none") : '"' + std::string(value) + '"';
    };
    throw Error(
        MULLAMA_ERROR_INVALID_ARGUMENT,
        "the state does not fit this context: " + (words.empty() ? std::string(name) : words) +
            " differs: " + shown(actual) + " in the state, " + shown(expected) + " here")
        .parameter(name)
        .expected(expected)
        .actual(actual);
}

// Models with two sets of RoPE factors take one for sequences with little room and one for those
// with more, and keys that were made with one are wrong beside those of the other. "" for all
// others. As llama.cpp has it.
std::string rope_factors_of(const Model &model, std::uint32_t n_ctx_seq) {
    const auto found = std::ranges::lower_bound(model.tensors(), "rope_factors_long.weight", {},
                                                &gguf::TensorInfo::name);
    if (found == model.tensors().end() || found->name != "rope_factors_long.weight") {
        return {};
    }
    std::int64_t most = model.facts().n_ctx_train;
    if (const auto index = model.metadata().find(model.facts().architecture +
                                                 ".rope.scaling.original_context_length")) {
        most = model.metadata().int_at(*index, 0);
    }
    return n_ctx_seq > most ? "long" : "short";
}

} // namespace

StateFields Context::state_identity() const {
    std::string adapters;
    for (const AppliedAdapter &applied : adapters_) {
        if (applied.scale == 0.0F) {
            continue; // changes nothing
        }
        adapters += adapters.empty() ? "" : ", ";
        adapters += applied.adapter->fingerprint() + " * " + base::exact_text(applied.scale);
    }
    StateFields identity{{"engine", std::string(model_->backend().version())},
                         {"architecture", model_->facts().architecture},
                         {"model", model_->fingerprint()},
                         {"adapters", adapters}};
    if (std::string factors = rope_factors_of(*model_, n_ctx_seq()); !factors.empty()) {
        identity.emplace_back("rope_factors", std::move(factors));
    }
    for (auto &field : engine_->state_layout()) {
        identity.push_back(std::move(field));
    }
    return identity;
}

StateHeader Context::describe_state(backend::SequenceId sequence) {
    StateHeader header;
    header.identity = state_identity();
    header.origin = {{"library", MULLAMA_VERSION_STRING}};
    header.whole = sequence == backend::all_sequences;
    header.n_seq = header.whole ? engine_->n_seq_max() : 1;
    const auto n_seq_max = static_cast<backend::SequenceId>(engine_->n_seq_max());
    for (backend::SequenceId id = 0; id < n_seq_max; ++id) {
        if (!header.whole && id != sequence) {
            continue;
        }
        StateSequence its;
        its.id = id;
        // Of what was decoded: layers with a state or a window know only its end.
        its.last = engine_->last_position(id);
        if (its.last < 0) {
            continue;
        }
        for (const SequenceHistory::Entry &entry : history_.entries(id)) {
            its.entries.push_back({entry.position, entry.token, entry.cell});
        }
        its.first = its.entries.empty() ? its.last : its.entries.front().position;
        if (const auto index = end_of(id)) {
            const std::span<const float> row = logits(*index);
            its.logits.assign(row.begin(), row.end());
        }
        header.n_ctx = std::max(header.n_ctx, static_cast<std::uint32_t>(its.last) + 1);
        header.sequences.push_back(std::move(its));
    }
    return header;
}

std::string Context::save_state(backend::SequenceId sequence) {
    if (sequence != backend::all_sequences) {
        require_sequence(sequence, "sequence");
    }
    StateWriter writer(describe_state(sequence));
    with_log(model_->runtime()->log(), [&] { engine_->save_state(sequence, writer.bytes()); });
    return std::move(writer).finish();
}

void Context::require_fit(backend::SequenceId sequence, const StateHeader &header) const {
    const bool whole = sequence == backend::all_sequences;
    if (header.whole != whole) {
        throw Error(MULLAMA_ERROR_INVALID_ARGUMENT,
                    header.whole
                        ? "the state is of a whole context and cannot be loaded into one sequence"
                        : "the state is of one sequence: say into which one it is to be loaded")
            .parameter("sequence")
            .expected(header.whole ? "MULLAMA_SEQUENCE_ALL" : "a sequence")
            .actual(sequence);
    }
    const StateFields identity = state_identity();
    for (const auto &[name, expected] : identity) {
        if (const std::string_view actual = field(header.identity, name); actual != expected) {
            refuse_identity(name, expected, actual);
        }
    }
    if (header.identity.size() != identity.size()) {
        throw Error(MULLAMA_ERROR_BAD_STATE, "the state names more than a context can be")
            .parameter("data");
    }
    if (header.whole && !header.sequences.empty() &&
        static_cast<std::uint32_t>(header.sequences.back().id) >= engine_->n_seq_max()) {
        throw Error(MULLAMA_ERROR_NO_SPACE, "the state holds sequence " +
                                                std::to_string(header.sequences.back().id) +
                                                ", and this context has sequences 0 to " +
                                                std::to_string(engine_->n_seq_max() - 1))
            .parameter("n_seq_max")
            .expected("at least " + std::to_string(header.sequences.back().id + 1))
            .actual(engine_->n_seq_max());
    }
    const std::int32_t n_vocab = model_->vocab().size();
    for (const StateSequence &its : header.sequences) {
        if (its.entries.empty()) {
            throw Error(MULLAMA_ERROR_BAD_STATE, "the state does not say which tokens sequence " +
                                                     std::to_string(its.id) + " holds")
                .parameter("data");
        }
        const bool sized =
            its.logits.empty() || its.logits.size() == static_cast<std::size_t>(n_vocab);
        const bool known = std::ranges::all_of(
            its.entries, [n_vocab](const StateEntry &entry) { return entry.token < n_vocab; });
        if (!sized || !known) {
            throw Error(MULLAMA_ERROR_BAD_STATE,
                        "the state has tokens or logits of another vocabulary")
                .parameter("data")
                .expected(std::to_string(n_vocab))
                .actual(its.logits.size());
        }
    }
}

void Context::load_state(backend::SequenceId sequence, std::span<const std::byte> bytes) {
    const bool whole = sequence == backend::all_sequences;
    if (!whole) {
        require_sequence(sequence, "sequence");
    }
    const State state = read_state(bytes);
    require_fit(sequence, state.header);
    // Measuring empties the context: before it holds something, or never.
    choose_threads();
    std::vector<backend::StateExtent> extents;
    extents.reserve(state.header.sequences.size());
    for (const StateSequence &its : state.header.sequences) {
        extents.push_back({its.id, its.last});
    }
    SequenceHistory history = history_after(sequence, state.header);
    // Rows that are to be kept need memory that is there before anything changes.
    std::size_t n_logits = loaded_logits_.size();
    for (const StateSequence &its : state.header.sequences) {
        n_logits += its.logits.size();
    }
    loaded_logits_.reserve(n_logits);
    outputs_.reserve(outputs_.size() + extents.size());
    output_sequences_.reserve(output_sequences_.size() + extents.size());

    const auto n_seq_max = static_cast<backend::SequenceId>(engine_->n_seq_max());
    bool empty = true;
    for (backend::SequenceId id = 0; id < n_seq_max; ++id) {
        empty = empty && engine_->last_position(id) < 0;
    }
    if (empty) {
        // No sequence ends in them, and the engine may decode to learn its own layout.
        forget_outputs();
    }
    try {
        with_log(model_->runtime()->log(),
                 [&] { engine_->load_state(sequence, state.engine, extents); });
    } catch (const Error &error) {
        const std::int64_t offset = error.parts().offset;
        if (error.code() != MULLAMA_ERROR_BAD_STATE || offset < 0) {
            throw;
        }
        Error moved = error;
        throw moved.offset(offset + (state.engine.data() - bytes.data()));
    }
    history_ = std::move(history);
    take_logits(sequence, state.header.sequences);
}

SequenceHistory Context::history_after(backend::SequenceId sequence,
                                       const StateHeader &header) const {
    SequenceHistory history = history_;
    if (header.whole) {
        history.clear();
    } else {
        history.remove(sequence, 0, std::numeric_limits<backend::Position>::max());
    }
    std::vector<backend::SequenceId> sequences;
    std::vector<std::vector<SequenceHistory::Entry>> entries;
    for (const StateSequence &its : header.sequences) {
        sequences.push_back(header.whole ? its.id : sequence);
        auto &to = entries.emplace_back();
        for (const StateEntry &entry : its.entries) {
            to.push_back({entry.position, entry.token, entry.cell});
        }
    }
    history.restore(sequences, entries);
    return history;
}

void Context::forget_outputs_of(backend::SequenceId sequence) noexcept {
    std::ranges::replace(output_sequences_, sequence, backend::SequenceId{-1});
}

void Context::take_logits(backend::SequenceId sequence, std::span<const StateSequence> loaded) {
    const bool whole = sequence == backend::all_sequences;
    if (whole) {
        forget_outputs();
    } else {
        forget_outputs_of(sequence);
    }
    const auto n_vocab = static_cast<std::size_t>(model_->vocab().size());
    for (const StateSequence &its : loaded) {
        if (its.logits.empty()) {
            continue;
        }
        const auto row = static_cast<std::int32_t>(loaded_logits_.size() / n_vocab);
        loaded_logits_.insert(loaded_logits_.end(), its.logits.begin(), its.logits.end());
        const auto begin = static_cast<std::uint32_t>(output_sequences_.size());
        output_sequences_.push_back(whole ? its.id : sequence);
        outputs_.push_back({last_size_, -1 - row, its.last, begin, begin + 1});
        ++last_size_;
    }
}

} // namespace mullama::core

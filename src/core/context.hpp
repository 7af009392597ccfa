// A model's working memory, and the low road through it: decode tokens, read logits.
#pragma once

#include "backend/port.hpp"
#include "core/adapter.hpp"
#include "core/model.hpp"
#include "core/runtime.hpp"
#include "core/sequence_history.hpp"
#include "core/state.hpp"
#include "mullama/context.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mullama::core {

struct AppliedAdapter {
    std::shared_ptr<const Adapter> adapter;
    float scale = 0.0F;
};

// Throws where they do not fit the model, or their scales are no numbers to work with.
void check_adapters(const std::vector<AppliedAdapter> &adapters, const Model &model);

// Thread safety: one thread at a time, save abort().
class Context {
public:
    // Hears after each batch how many tokens of a prefill are done; false stops it.
    using PrefillProgress = std::function<bool(std::size_t done)>;

    // The enums of the options are known to be within their range.
    Context(std::shared_ptr<const Model> model, const mullama_context_options_t &options);
    Context(const Context &) = delete;
    Context &operator=(const Context &) = delete;

    [[nodiscard]] const Model &model() const noexcept { return *model_; }
    [[nodiscard]] const std::shared_ptr<const Model> &shared_model() const noexcept {
        return model_;
    }
    [[nodiscard]] std::uint32_t n_ctx() const noexcept { return engine_->n_ctx(); }
    // No more than the positions that the model knows.
    [[nodiscard]] std::uint32_t n_ctx_seq() const noexcept;
    [[nodiscard]] std::uint32_t n_batch() const noexcept { return engine_->n_batch(); }
    [[nodiscard]] std::uint32_t n_ubatch() const noexcept { return engine_->n_ubatch(); }
    [[nodiscard]] std::uint32_t n_seq_max() const noexcept { return engine_->n_seq_max(); }
    // 0 for what is still to be measured.
    [[nodiscard]] ThreadChoice threads() const noexcept;

    // Measures how many threads are fastest, where that is left to us and not known yet. Throws
    // MULLAMA_ERROR_INVALID_STATE when a sequence holds tokens.
    void warm_up();

    // All of the batch or none of it.
    void decode(const backend::Batch &batch);
    void encode(const backend::Batch &batch);

    // Appends tokens to a sequence. On failure, and when `progress` says stop
    // (MULLAMA_ERROR_CANCELLED), the sequence is as it was, or empty where the model's memory
    // cannot go back. `parameter`: what the caller knows the tokens as.
    void prefill(backend::SequenceId sequence, std::span<const backend::Token> tokens,
                 mullama_output_t output, const PrefillProgress &progress = nullptr,
                 const char *parameter = "tokens");
    // The same, keeping the logits of the tokens for which `wanted` says so; `progress` can read
    // those of its batch, by their index among all tokens.
    void prefill(backend::SequenceId sequence, std::span<const backend::Token> tokens,
                 const std::function<bool(std::size_t index)> &wanted,
                 const PrefillProgress &progress, const char *parameter = "tokens");

    // Appends one token whose logits are wanted: what generation does all the time. False, with
    // nothing changed, where there is no room. The token is in the vocabulary, the sequence exists.
    [[nodiscard]] bool append(backend::SequenceId sequence, backend::Token token,
                              backend::Position position);

    // Runs the encoder over tokens that are all of its text.
    void encode(backend::SequenceId sequence, std::span<const backend::Token> tokens,
                const char *parameter);

    // The logits of a token of the last decode; negative: counted from the last that were kept.
    [[nodiscard]] std::span<const float> logits(std::int32_t index);
    // The index of the logits that the sequence ends in, if the last decode kept those.
    [[nodiscard]] std::optional<std::int32_t> end_of(backend::SequenceId sequence) const;

    // An embedding of the last decode: of a token, as logits(), or of a sequence.
    [[nodiscard]] std::span<const float> embedding(std::int32_t index);
    [[nodiscard]] std::span<const float> sequence_embedding(backend::SequenceId sequence);
    [[nodiscard]] bool embeddings() const noexcept { return engine_->embeddings(); }
    void set_embeddings(bool embeddings) { engine_->set_embeddings(embeddings); }
    [[nodiscard]] bool causal() const noexcept { return engine_->causal(); }
    void set_causal(bool causal) { engine_->set_causal(causal); }
    [[nodiscard]] mullama_pooling_t pooling() const noexcept { return engine_->pooling(); }
    // The length of sequence_embedding(); 0 without pooling.
    [[nodiscard]] std::int32_t n_embd_sequence() const noexcept;

    [[nodiscard]] std::uint64_t abilities() const noexcept { return engine_->abilities(); }
    // Cells in use, those that sequences share once.
    [[nodiscard]] std::size_t n_used() const noexcept { return history_.used_cells(); }

    // Replaces all adapters; on failure those of before are set.
    void set_adapters(std::vector<AppliedAdapter> adapters);

    [[nodiscard]] std::size_t sequence_size(backend::SequenceId sequence) const;
    struct Positions {
        backend::Position first;
        backend::Position last;
    };
    // -1 and -1 when empty.
    [[nodiscard]] Positions sequence_positions(backend::SequenceId sequence) const;
    // What the sequence was made of.
    [[nodiscard]] std::span<const SequenceHistory::Entry>
    sequence_entries(backend::SequenceId sequence) const;

    // Ranges are [begin, end), with MULLAMA_POSITION_END for "all that follow".
    void copy(backend::SequenceId from, backend::SequenceId to, backend::Position begin,
              backend::Position end);
    void remove(backend::SequenceId sequence, backend::Position begin, backend::Position end);
    void keep(backend::SequenceId sequence);
    void shift(backend::SequenceId sequence, backend::Position begin, backend::Position end,
               backend::Position delta);
    void divide(backend::SequenceId sequence, backend::Position begin, backend::Position end,
                std::int32_t divisor);
    void clear();

    // 0: measured now.
    void set_threads(std::int32_t n_threads, std::int32_t n_threads_batch);
    // Any thread.
    void abort() noexcept { engine_->request_abort(); }

    struct Counters {
        std::uint64_t single_calls = 0;
        std::uint64_t single_ns = 0;
        std::uint64_t batch_calls = 0;
        std::uint64_t batch_tokens = 0;
        std::uint64_t batch_ns = 0;
        std::uint64_t graph_reuses = 0;
    };
    [[nodiscard]] Counters counters() const noexcept;
    void reset_counters() noexcept;
    // context_state.cpp
    // A saved state (core/state.hpp) of a sequence, or of backend::all_sequences.
    [[nodiscard]] std::string save_state(backend::SequenceId sequence);
    // Puts a saved state in place of what a sequence, or all of the context, holds. A state of one
    // sequence fits any sequence. On failure the context is as it was.
    void load_state(backend::SequenceId sequence, std::span<const std::byte> bytes);

    // Throws MULLAMA_ERROR_OUT_OF_RANGE, naming the parameter, for a sequence there is not.
    void require_sequence(backend::SequenceId sequence, const char *parameter) const;

private:
    // One row of logits that the last decode kept.
    struct Output {
        // The token's index as the caller counts.
        std::size_t index;
        // Its index in the engine's batch; -1 - i: in loaded_logits_, its i-th row.
        std::int32_t engine_index;
        backend::Position position;
        // Its sequences: [begin, end) of output_sequences_.
        std::uint32_t sequences_begin;
        std::uint32_t sequences_end;
    };

    void choose_threads();
    enum class Part { decoder, encoder };
    // Decodes or encodes; `index_base`: the first token's index as the caller counts.
    [[nodiscard]] backend::DecodeStatus compute(const backend::Batch &batch, Part part,
                                                std::size_t index_base);
    // The same, with the status as an error.
    void run(const backend::Batch &batch, Part part, std::size_t index_base);
    void forget_outputs() noexcept;
    // `all`: every token is an output, whatever the batch says.
    void note_outputs(const backend::Batch &batch, std::size_t index_base, bool all);
    [[nodiscard]] const Output &output(std::int32_t index, const char *what) const;
    void count(std::size_t n_tokens, std::uint64_t nanoseconds) noexcept;
    // After a failure the history is what the engine still holds.
    void reconcile(const backend::Batch &batch) noexcept;
    // Throws MULLAMA_ERROR_UNSUPPORTED with the engine's reason.
    void require_ability(mullama_context_ability_t ability, const char *what) const;
    // Checks a sequence and a range of it, and gives the range an end.
    void require_range(backend::SequenceId sequence, backend::Position begin,
                       backend::Position &end, const char *parameter) const;
    // Checks that the positions of a range may move.
    void require_own(backend::SequenceId sequence, backend::Position begin,
                     backend::Position end) const;
    void require_free(backend::SequenceId sequence, backend::Position begin, backend::Position end,
                      const char *parameter) const;
    void require_empty() const;
    void require_decoder() const;

    [[nodiscard]] StateHeader describe_state(backend::SequenceId sequence);
    [[nodiscard]] StateFields state_identity() const;
    void require_fit(backend::SequenceId sequence, const StateHeader &header) const;
    // What the sequences hold once the state is loaded.
    [[nodiscard]] SequenceHistory history_after(backend::SequenceId sequence,
                                                const StateHeader &header) const;
    // No row of the last decode is any more what this sequence ends in.
    void forget_outputs_of(backend::SequenceId sequence) noexcept;
    // Keeps the rows that a loaded state ends in, beside those of the last decode.
    void take_logits(backend::SequenceId sequence, std::span<const StateSequence> loaded);

    std::shared_ptr<const Model> model_;
    MemoryReservation memory_;
    // Before the engine's context, which uses them to its end.
    std::vector<AppliedAdapter> adapters_;
    // Those of a call that failed, of which the engine may still hold some.
    std::vector<AppliedAdapter> attempted_;
    std::unique_ptr<backend::Context> engine_;
    // What thread numbers were measured for, besides the model.
    std::string shape_;
    // 0: to be measured.
    ThreadChoice threads_;
    std::size_t last_size_ = 0;
    SequenceHistory history_;
    Counters counters_;
    std::uint64_t graph_reuses_before_ = 0;

    // For prefill() and append(); kept for its memory.
    backend::Batch scratch_;
    std::vector<Output> outputs_;
    std::vector<backend::SequenceId> output_sequences_;
    // Rows that came with a state, until the next decode.
    std::vector<float> loaded_logits_;
};

} // namespace mullama::core

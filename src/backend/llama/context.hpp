// llama.cpp's context behind the port.
#pragma once

#include <atomic>
#include <bitset>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <llama.h>

#include "backend/common/batch_check.hpp"
#include "backend/llama/context_abilities.hpp"
#include "backend/llama/log.hpp"
#include "backend/llama/state_check.hpp"
#include "backend/llama/threadpool.hpp"
#include "backend/port.hpp"

namespace mullama::backend::llama {

struct FreeContext {
    void operator()(llama_context *context) const noexcept { llama_free(context); }
};
using ContextHandle = std::unique_ptr<llama_context, FreeContext>;

// Throws what llama.cpp had against it.
[[nodiscard]] ContextHandle make_context(llama_model &model, const llama_context_params &params);

class LlamaContext final : public Context {
public:
    // The model, the facts and the guard of the model's adapters outlive the context.
    LlamaContext(llama_model &model, const ModelFacts &facts, std::mutex &registry,
                 const ContextParams &params);

    [[nodiscard]] std::uint32_t n_ctx() const noexcept override;
    [[nodiscard]] std::uint32_t n_ctx_seq() const noexcept override;
    [[nodiscard]] std::uint32_t n_batch() const noexcept override;
    [[nodiscard]] std::uint32_t n_ubatch() const noexcept override;
    [[nodiscard]] std::uint32_t n_seq_max() const noexcept override;

    DecodeStatus decode(const Batch &batch) override;
    DecodeStatus encode(const Batch &batch) override;
    const float *logits(std::int32_t index) override;
    [[nodiscard]] std::span<const float> embedding(std::int32_t index) override;
    [[nodiscard]] std::span<const float> sequence_embedding(SequenceId sequence) override;
    void set_embeddings(bool embeddings) override;
    [[nodiscard]] bool embeddings() const noexcept override { return embeddings_; }
    void set_causal(bool causal) override;
    [[nodiscard]] bool causal() const noexcept override;
    [[nodiscard]] mullama_pooling_t pooling() const noexcept override;
    void set_threads(std::int32_t n_threads, std::int32_t n_threads_batch) override;

    [[nodiscard]] std::uint64_t abilities() const noexcept override { return abilities_.bits(); }
    [[nodiscard]] std::string why_not(mullama_context_ability_t ability) const override {
        return abilities_.why_not(ability);
    }
    [[nodiscard]] std::uint64_t graph_reuses() const noexcept override;

    void set_adapters(std::span<const ScaledAdapter> adapters,
                      const ControlVector *vector) override;

    void clear() override;
    void copy(SequenceId from, SequenceId to, Position begin, Position end) override;
    void remove(SequenceId sequence, Position begin, Position end) override;
    void shift(SequenceId sequence, Position begin, Position end, Position delta) override;
    void divide(SequenceId sequence, Position begin, Position end, std::int32_t divisor) override;
    bool truncate(SequenceId sequence, Position begin) override;
    [[nodiscard]] Position first_position(SequenceId sequence) const override;
    [[nodiscard]] Position last_position(SequenceId sequence) const override;

    // context_state.cpp
    [[nodiscard]] StateLayout state_layout() const override { return state_layout_; }
    void save_state(SequenceId sequence, std::string &to) override;
    void load_state(SequenceId sequence, std::span<const std::byte> state,
                    std::span<const StateExtent> extents) override;

    void request_abort() noexcept override { abort_.store(true, std::memory_order_relaxed); }

private:
    enum class Work { decode, encode };

    DecodeStatus run(Work work, const Batch &batch);
    [[nodiscard]] std::int32_t compute(Work work, const Batch &batch);
    [[nodiscard]] bool take_abort() noexcept;
    // Another text is for an empty decoder: what it holds has looked at the old one.
    void require_empty_decoder() const;
    // llama.cpp asserts that the decoder of an encoder-decoder model has something to look at.
    void require_encoded() const;
    void remember_encoded() noexcept;
    void require_sequence(SequenceId sequence) const;
    // Takes out of memory what a batch that failed left there.
    void undo() noexcept;
    // Whether a sequence can be cut at a position: a window that has moved on does not come back.
    [[nodiscard]] bool can_truncate(SequenceId sequence, Position begin) const;
    // A sequence that is pooled must be computed in one piece.
    void require_pooled_whole() const;
    // How many tokens one decode may have at the moment, and what limits them.
    struct Limit {
        std::uint32_t n_tokens;
        const char *name;
    };
    [[nodiscard]] Limit limit() const noexcept;
    [[nodiscard]] bool is_pooled() const noexcept { return pooling() != MULLAMA_POOLING_NONE; }
    static bool on_abort_check(void *self) noexcept;
    void apply(const ControlVector *vector);
    void apply(std::span<const ScaledAdapter> adapters);
    // Sets again what is remembered.
    void restore();

    void require_savable() const;
    [[nodiscard]] StateShape state_shape() const;
    [[nodiscard]] bool is_empty() const;
    // The engine's own bytes, appended.
    void write_state(SequenceId sequence, std::string &to);
    // False where llama.cpp refused them, which can leave the target empty.
    [[nodiscard]] bool read_state(SequenceId sequence, std::span<const std::byte> state);
    // What states of this context look like, known from then on. `state`: one of them, of a
    // sequence that is not empty, or of all.
    const StateParts &learn_state(SequenceId sequence, std::span<const std::byte> state);
    const StateParts &known_state();
    // Learns from one token, decoded and forgotten again.
    const StateParts &probe_state();
    // Throws unless the context is empty; then nothing is left to be copied.
    void finish_copies();
    void decode_one();
    [[noreturn]] static void refuse_pending();
    void require_state_room(SequenceId sequence, std::span<const PartContent> contents);

    const ModelFacts &facts_;
    std::mutex &registry_;
    // Before the context, which uses them to its end. A single thread has a pool of its own: those
    // of the other one would be woken for each token only to sleep again.
    Threadpool single_thread_{1};
    std::unique_ptr<Threadpool> threads_;
    // Threads that have computed stay until others have: llama.cpp pauses them only then.
    std::vector<std::unique_ptr<Threadpool>> retired_threads_;
    bool threads_have_computed_ = false;
    ContextHandle context_;
    // NULL for models that keep no memory between decodes.
    llama_memory_t memory_;
    ContextAbilities abilities_;
    BatchCheck check_;
    bool embeddings_;
    // Whether the last decode gave embeddings.
    bool has_embeddings_ = false;
    // What the decoder of an encoder-decoder model may look at.
    std::bitset<max_sequences> encoded_;
    bool kv_unified_;

    // llama_batch wants arrays of its own kind.
    std::vector<std::int32_t> sequence_counts_;
    std::vector<SequenceId *> sequence_lists_;
    // Which tokens of the last batch have logits.
    std::vector<std::uint8_t> outputs_;
    std::atomic<bool> abort_{false};

    // What is set, to go back to.
    std::vector<ScaledAdapter> adapters_;
    std::optional<ControlVector> vector_;
    // llama.cpp makes room for a control vector once; where that failed, it would take it for there
    // the next time.
    enum class Room { none, made, failed } vector_room_ = Room::none;
    // Memory ran out between two sets, and what is remembered is not what is set.
    bool lost_ = false;
    // The next batch makes llama.cpp plan anew, by all adapters that the model has.
    bool plans_anew_ = false;

    StateLayout state_layout_;
    // Positions were moved, or memories copied, and llama.cpp does so at the next decode: until
    // then a state would not hold it.
    bool moves_pending_ = false;
    // Memories were copied: llama.cpp does that at the next decode even if they were emptied since,
    // over whatever was loaded meanwhile.
    bool copies_pending_ = false;
    // What this context's states consist of; nothing while it has not been needed.
    std::optional<StateParts> state_parts_;
};

} // namespace mullama::backend::llama

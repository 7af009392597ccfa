// The pretend engine's working memory: real sequences in a real number of cells, shared between
// sequences as llama.cpp's unified memory is.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "backend/common/batch_check.hpp"
#include "backend/echo/embeddings.hpp"
#include "backend/echo/options.hpp"
#include "backend/echo/rule.hpp"
#include "backend/port.hpp"

namespace mullama::backend::echo {

class EchoContext final : public Context {
public:
    // The options and the logits belong to the model, which outlives the context.
    EchoContext(const Options &options, const Logits &logits, const ContextParams &params);

    [[nodiscard]] std::uint32_t n_ctx() const noexcept override { return n_ctx_; }
    [[nodiscard]] std::uint32_t n_ctx_seq() const noexcept override { return n_ctx_seq_; }
    [[nodiscard]] std::uint32_t n_batch() const noexcept override { return n_batch_; }
    [[nodiscard]] std::uint32_t n_ubatch() const noexcept override { return n_ubatch_; }
    [[nodiscard]] std::uint32_t n_seq_max() const noexcept override {
        return static_cast<std::uint32_t>(sequences_.size());
    }

    DecodeStatus decode(const Batch &batch) override;
    DecodeStatus encode(const Batch &batch) override;
    const float *logits(std::int32_t index) override;
    [[nodiscard]] std::span<const float> embedding(std::int32_t index) override;
    [[nodiscard]] std::span<const float> sequence_embedding(SequenceId sequence) override;
    void set_embeddings(bool embeddings) override { embeddings_ = embeddings; }
    [[nodiscard]] bool embeddings() const noexcept override { return embeddings_; }
    void set_causal(bool causal) override;
    [[nodiscard]] bool causal() const noexcept override { return true; }
    [[nodiscard]] mullama_pooling_t pooling() const noexcept override { return pooling_; }
    void set_threads(std::int32_t n_threads, std::int32_t n_threads_batch) override;

    [[nodiscard]] std::uint64_t abilities() const noexcept override;
    [[nodiscard]] std::string why_not(mullama_context_ability_t ability) const override;
    [[nodiscard]] std::uint64_t graph_reuses() const noexcept override { return 0; }

    // There are none: its models load no adapters.
    void set_adapters(std::span<const ScaledAdapter> /*adapters*/,
                      const ControlVector * /*vector*/) override {}

    void clear() override;
    void copy(SequenceId from, SequenceId to, Position begin, Position end) override;
    void remove(SequenceId sequence, Position begin, Position end) override;
    void shift(SequenceId sequence, Position begin, Position end, Position delta) override;
    void divide(SequenceId sequence, Position begin, Position end, std::int32_t divisor) override;
    bool truncate(SequenceId sequence, Position begin) override;
    [[nodiscard]] Position first_position(SequenceId sequence) const override;
    [[nodiscard]] Position last_position(SequenceId sequence) const override;

    // context_state.cpp
    [[nodiscard]] StateLayout state_layout() const override;
    void save_state(SequenceId sequence, std::string &to) override;
    void load_state(SequenceId sequence, std::span<const std::byte> state,
                    std::span<const StateExtent> extents) override;

    void request_abort() noexcept override { abort_.store(true, std::memory_order_relaxed); }

private:
    using Sequence = std::vector<Entry>;

    [[nodiscard]] Sequence &sequence(SequenceId id);
    [[nodiscard]] const Sequence &sequence(SequenceId id) const;
    [[nodiscard]] bool has_room(std::size_t n_tokens) const noexcept;
    [[nodiscard]] bool take_abort() noexcept;
    // Lets the time of `n_tokens` pass; false when told to abort meanwhile.
    [[nodiscard]] bool pass_time(std::size_t n_tokens);
    // Memory runs out here or not at all: what follows cannot fail half-way.
    void reserve_rows(const Batch &batch);
    void reserve_entries();
    void put(const Batch &batch, std::size_t index);
    void undo();
    void shorten(Sequence &sequence, std::size_t size) noexcept;

    const Options &options_;
    const Logits &logits_;
    std::uint32_t n_ctx_;
    std::uint32_t n_ctx_seq_;
    std::uint32_t n_batch_;
    std::uint32_t n_ubatch_;
    bool kv_unified_;
    bool embeddings_;
    mullama_pooling_t pooling_;

    BatchCheck check_;
    std::vector<Sequence> sequences_;
    // How many sequences hold a cell, and the cells that none does.
    std::vector<std::uint16_t> holders_;
    std::vector<std::uint32_t> free_cells_;

    // Rows of logits, and the row of each token of the last batch, -1 without.
    std::unique_ptr<float[]> rows_;
    std::size_t rows_capacity_ = 0;
    std::vector<std::int32_t> row_of_;
    // The last batch, where it gave embeddings, and the one that was asked for.
    Batch embedded_;
    std::array<float, embedding_size> embedding_{};
    std::int64_t n_decodes_ = 0;
    std::atomic<bool> abort_{false};
};

} // namespace mullama::backend::echo

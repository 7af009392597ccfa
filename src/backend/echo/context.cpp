#include "backend/echo/context.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

namespace mullama::backend::echo {

using base::Error;

namespace {

// As llama.cpp rounds, so that what is written against this engine holds for the real one.
constexpr std::uint32_t round_up(std::uint32_t number) noexcept {
    return (number + 255) / 256 * 256;
}

std::uint32_t sequence_room(const ContextParams &params) noexcept {
    const std::uint32_t whole = round_up(params.n_ctx);
    return params.kv_unified ? whole : round_up(whole / params.n_seq_max);
}

void require(bool within, const char *parameter, const std::string &expected, std::int64_t actual) {
    if (!within) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE,
                    std::string("the echo engine cannot make a context with this ") + parameter)
            .parameter(parameter)
            .expected(expected)
            .actual(actual);
    }
}

ContextParams checked(const ContextParams &params) {
    constexpr std::uint32_t most = 1U << 24U;
    require(params.n_ctx >= 1 && params.n_ctx <= most, "n_ctx", "1 to 16777216", params.n_ctx);
    require(params.n_batch >= 1, "n_batch", "at least 1", params.n_batch);
    require(params.n_ubatch >= 1, "n_ubatch", "at least 1", params.n_ubatch);
    require(params.n_seq_max >= 1 && params.n_seq_max <= max_sequences, "n_seq_max", "1 to 256",
            params.n_seq_max);
    return params;
}

mullama_pooling_t pooling_of(mullama_pooling_t asked) {
    if (asked == MULLAMA_POOLING_RANK) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, "the echo engine has no classifier to score with")
            .parameter("pooling");
    }
    return asked == MULLAMA_POOLING_DEFAULT ? MULLAMA_POOLING_NONE : asked;
}

} // namespace

EchoContext::EchoContext(const Options &options, const Logits &logits, const ContextParams &params)
    : options_(options), logits_(logits), n_ctx_seq_(sequence_room(checked(params))),
      kv_unified_(params.kv_unified), embeddings_(params.embeddings),
      pooling_(pooling_of(params.pooling)),
      check_(options.vocab_size, params.n_seq_max,
             params.kv_unified ? nullptr : "which needs a context with kv_unified"),
      sequences_(params.n_seq_max) {
    n_ctx_ = params.kv_unified ? n_ctx_seq_ : n_ctx_seq_ * params.n_seq_max;
    n_batch_ = std::min(n_ctx_, params.n_batch);
    n_ubatch_ = std::min(n_batch_, params.n_ubatch);
    holders_.resize(n_ctx_);
    free_cells_.resize(n_ctx_);
    clear();
}

DecodeStatus EchoContext::decode(const Batch &batch) {
    check_.check(batch, this, n_batch_, "n_batch");
    row_of_.clear();
    embedded_.clear();
    if (++n_decodes_ == options_.fail_decode_at) {
        throw Error(MULLAMA_ERROR_ENGINE, "the echo engine failed, as it was asked to")
            .log("echo: decode " + std::to_string(n_decodes_) +
                 " fails: echo.fail_decode_at says so");
    }
    if (!has_room(batch.size())) {
        return DecodeStatus::no_space;
    }
    reserve_entries();
    reserve_rows(batch);
    if (embeddings_) {
        embedded_ = batch;
    }
    for (std::size_t begin = 0; begin < batch.size(); begin += n_ubatch_) {
        const std::size_t end = std::min<std::size_t>(begin + n_ubatch_, batch.size());
        if (!pass_time(end - begin)) {
            undo();
            return DecodeStatus::aborted;
        }
        for (std::size_t i = begin; i < end; ++i) {
            put(batch, i);
        }
    }
    return DecodeStatus::ok;
}

DecodeStatus EchoContext::encode(const Batch & /*batch*/) {
    throw Error(MULLAMA_ERROR_UNSUPPORTED, "the echo engine's model has no encoder");
}

bool EchoContext::has_room(std::size_t n_tokens) const noexcept {
    if (kv_unified_) {
        return n_tokens <= free_cells_.size();
    }
    return std::ranges::all_of(check_.extents(), [this](const BatchCheck::Extent &extent) {
        return static_cast<std::uint32_t>(extent.after) < n_ctx_seq_;
    });
}

bool EchoContext::take_abort() noexcept {
    // A plain load first: an exchange on every decode would cost as much as the rest of it.
    return abort_.load(std::memory_order_relaxed) &&
           abort_.exchange(false, std::memory_order_relaxed);
}

bool EchoContext::pass_time(std::size_t n_tokens) {
    using std::chrono::microseconds;
    constexpr microseconds longest_nap{1000};
    microseconds left{static_cast<std::int64_t>(n_tokens) * options_.microseconds_per_token};
    while (!take_abort()) {
        if (left.count() == 0) {
            return true;
        }
        const microseconds nap = std::min(left, longest_nap);
        std::this_thread::sleep_for(nap);
        left -= nap;
    }
    return false;
}

void EchoContext::reserve_rows(const Batch &batch) {
    row_of_.reserve(batch.size());
    const auto needed = static_cast<std::size_t>(
        std::ranges::count_if(batch.outputs, [](std::uint8_t output) { return output != 0; }));
    if (needed > rows_capacity_) {
        rows_ = std::make_unique_for_overwrite<float[]>(
            needed * static_cast<std::size_t>(options_.vocab_size));
        rows_capacity_ = needed;
    }
    std::int32_t n_rows = 0;
    for (const std::uint8_t output : batch.outputs) {
        row_of_.push_back(output != 0 ? n_rows++ : -1);
    }
}

void EchoContext::reserve_entries() {
    for (const BatchCheck::Extent &extent : check_.extents()) {
        Sequence &its = sequence(extent.sequence);
        const auto needed = static_cast<std::size_t>(extent.after) + 1;
        if (its.capacity() < needed) {
            its.reserve(std::max(needed, 2 * its.capacity()));
        }
    }
}

void EchoContext::put(const Batch &batch, std::size_t index) {
    const std::uint32_t cell = free_cells_.back();
    free_cells_.pop_back();
    const std::uint32_t begin = batch.sequence_begin[index];
    const std::uint32_t end = batch.sequence_begin[index + 1];
    const Token token = batch.tokens[index];
    for (std::uint32_t i = begin; i < end; ++i) {
        Sequence &its = sequences_[static_cast<std::size_t>(batch.sequence_ids[i])];
        const Progress before = its.empty() ? Progress{} : its.back().progress;
        its.push_back({token, cell, advance(before, token, batch.positions[index])});
    }
    holders_[cell] = static_cast<std::uint16_t>(end - begin);

    if (row_of_[index] >= 0) {
        const auto n_vocab = static_cast<std::size_t>(options_.vocab_size);
        const std::size_t row = static_cast<std::size_t>(row_of_[index]) * n_vocab;
        logits_.write(sequences_[static_cast<std::size_t>(batch.sequence_ids[begin])],
                      std::span(rows_.get() + row, n_vocab));
    }
}

void EchoContext::undo() {
    for (const BatchCheck::Extent &extent : check_.extents()) {
        const Position size = extent.before + 1;
        shorten(sequences_[static_cast<std::size_t>(extent.sequence)],
                static_cast<std::size_t>(size));
    }
    row_of_.clear();
    embedded_.clear();
}

std::span<const float> EchoContext::embedding(std::int32_t index) {
    if (pooling_ != MULLAMA_POOLING_NONE || index < 0 ||
        static_cast<std::size_t>(index) >= embedded_.size()) {
        return {};
    }
    embed(embedded_.tokens[static_cast<std::size_t>(index)], embedding_);
    return embedding_;
}

std::span<const float> EchoContext::sequence_embedding(SequenceId id) {
    static_cast<void>(sequence(id));
    if (pooling_ == MULLAMA_POOLING_NONE || !contains(embedded_, id)) {
        return {};
    }
    pool(embedded_, id, pooling_, embedding_);
    return embedding_;
}

void EchoContext::set_causal(bool causal) {
    if (!causal) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, "the echo engine's tokens look back only")
            .parameter("causal");
    }
}

std::uint64_t EchoContext::abilities() const noexcept {
    std::uint64_t bits =
        MULLAMA_CONTEXT_CAN_REMEMBER | MULLAMA_CONTEXT_CAN_PREDICT | MULLAMA_CONTEXT_CAN_TRUNCATE;
    if (kv_unified_) {
        bits |= MULLAMA_CONTEXT_CAN_COPY | MULLAMA_CONTEXT_CAN_SHARE;
    }
    return bits;
}

std::string EchoContext::why_not(mullama_context_ability_t ability) const {
    if (ability == MULLAMA_CONTEXT_CAN_COPY || ability == MULLAMA_CONTEXT_CAN_SHARE) {
        return "sequences share tokens only in a context with kv_unified";
    }
    return "the echo engine keeps sequences without gaps";
}

void EchoContext::copy(SequenceId from, SequenceId to, Position begin, Position end) {
    if (begin > 0) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, why_not(MULLAMA_CONTEXT_CAN_REMOVE))
            .parameter("begin")
            .expected("0")
            .actual(begin);
    }
    const Sequence &source = sequence(from);
    const std::size_t size = std::min(source.size(), static_cast<std::size_t>(end));
    const auto last = source.begin() + static_cast<std::ptrdiff_t>(size);
    sequence(to).assign(source.begin(), last);
    for (auto entry = source.begin(); entry != last; ++entry) {
        ++holders_[entry->cell];
    }
}

void EchoContext::remove(SequenceId id, Position begin, Position end) {
    if (static_cast<std::size_t>(end) < sequence(id).size()) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, why_not(MULLAMA_CONTEXT_CAN_REMOVE));
    }
    truncate(id, begin);
}

void EchoContext::shift(SequenceId /*sequence*/, Position /*begin*/, Position /*end*/,
                        Position /*delta*/) {
    throw Error(MULLAMA_ERROR_UNSUPPORTED, why_not(MULLAMA_CONTEXT_CAN_SHIFT));
}

void EchoContext::divide(SequenceId /*sequence*/, Position /*begin*/, Position /*end*/,
                         std::int32_t /*divisor*/) {
    throw Error(MULLAMA_ERROR_UNSUPPORTED, why_not(MULLAMA_CONTEXT_CAN_SHIFT));
}

const float *EchoContext::logits(std::int32_t index) {
    if (index < 0 || static_cast<std::size_t>(index) >= row_of_.size() ||
        row_of_[static_cast<std::size_t>(index)] < 0) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the last decode kept no logits of token " + std::to_string(index));
    }
    const auto row = static_cast<std::size_t>(row_of_[static_cast<std::size_t>(index)]);
    return rows_.get() + row * static_cast<std::size_t>(options_.vocab_size);
}

void EchoContext::set_threads(std::int32_t n_threads, std::int32_t n_threads_batch) {
    require(n_threads >= 1, "n_threads", "at least 1", n_threads);
    require(n_threads_batch >= 1, "n_threads_batch", "at least 1", n_threads_batch);
}

void EchoContext::clear() {
    for (Sequence &its : sequences_) {
        its.clear();
    }
    std::ranges::fill(holders_, std::uint16_t{0});
    free_cells_.resize(n_ctx_);
    for (std::uint32_t i = 0; i < n_ctx_; ++i) {
        free_cells_[i] = n_ctx_ - 1 - i;
    }
    row_of_.clear();
    embedded_.clear();
}

bool EchoContext::truncate(SequenceId id, Position begin) {
    Sequence &its = sequence(id);
    shorten(its, static_cast<std::size_t>(std::max<Position>(begin, 0)));
    return true;
}

void EchoContext::shorten(Sequence &its, std::size_t size) noexcept {
    while (its.size() > size) {
        const std::uint32_t cell = its.back().cell;
        its.pop_back();
        if (--holders_[cell] == 0) {
            // Never grows: its capacity is that of all cells.
            free_cells_.push_back(cell);
        }
    }
}

Position EchoContext::first_position(SequenceId id) const {
    return sequence(id).empty() ? -1 : 0;
}

Position EchoContext::last_position(SequenceId id) const {
    return static_cast<Position>(sequence(id).size()) - 1;
}

EchoContext::Sequence &EchoContext::sequence(SequenceId id) {
    require(id >= 0 && static_cast<std::size_t>(id) < sequences_.size(), "sequence",
            "0 to " + std::to_string(sequences_.size() - 1), id);
    return sequences_[static_cast<std::size_t>(id)];
}

const EchoContext::Sequence &EchoContext::sequence(SequenceId id) const {
    return const_cast<EchoContext *>(this)->sequence(id);
}

} // namespace mullama::backend::echo

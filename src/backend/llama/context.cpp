#include "backend/llama/context.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "backend/llama/adapter.hpp"
#include "backend/llama/context_params.hpp"
#include "backend/llama/facts.hpp"
#include "backend/llama/failure.hpp"
#include "base/number_text.hpp"

namespace mullama::backend::llama {

using base::Error;

namespace {

constexpr std::int32_t status_ok = 0;
constexpr std::int32_t status_no_space = 1;
constexpr std::int32_t status_aborted = 2;

// A recurrent memory drops the states of all but the first sequence that a token belongs to.
const char *why_not_shared(const ModelFacts &facts, const ContextParams &params) {
    if (facts.is_recurrent || facts.is_hybrid) {
        return "which a model with recurrent layers cannot do";
    }
    return params.kv_unified ? nullptr : "which needs a context with kv_unified";
}

// How positions went into the keys.
std::string rope_of(const llama_context_params &params) {
    std::string text = std::to_string(params.rope_scaling_type);
    for (const float number :
         {params.rope_freq_base, params.rope_freq_scale, params.yarn_ext_factor,
          params.yarn_attn_factor, params.yarn_beta_fast, params.yarn_beta_slow}) {
        text += " " + base::exact_text(number);
    }
    return text + " " + std::to_string(params.yarn_orig_ctx);
}

// What llama.cpp's states depend on besides the model.
StateLayout layout_of(const ModelFacts &facts, const llama_context_params &params) {
    if (facts.is_recurrent) {
        return {};
    }
    const bool transposed = params.flash_attn_type == LLAMA_FLASH_ATTN_TYPE_DISABLED;
    const std::uint32_t n_streams = params.kv_unified ? 1 : params.n_seq_max;
    return {{"type_k", ggml_type_name(params.type_k)},
            {"type_v", ggml_type_name(params.type_v)},
            {"flash_attention", transposed ? "off" : "on or auto"},
            {"memories", std::to_string(n_streams)},
            {"sliding_window", params.swa_full ? "whole" : "cut"},
            {"rope", rope_of(params)}};
}

} // namespace

ContextHandle make_context(llama_model &model, const llama_context_params &params) {
    const LogCapture capture;
    ContextHandle context(
        guarded("make a context", capture, [&] { return llama_init_from_model(&model, params); }));
    if (context) {
        return context;
    }
    const std::string_view why = capture.after("failed to initialize the context: ");
    const bool memory = capture.mentions("failed to allocate") ||
                        capture.mentions("unable to allocate") || capture.mentions("bad_alloc");
    throw Error(memory ? MULLAMA_ERROR_OUT_OF_MEMORY : MULLAMA_ERROR_ENGINE,
                "llama.cpp cannot make this context: " +
                    std::string(why.empty() ? std::string_view(capture.text()) : why))
        .log(capture.text());
}

LlamaContext::LlamaContext(llama_model &model, const ModelFacts &facts, std::mutex &registry,
                           const ContextParams &params)
    : facts_(facts), registry_(registry),
      context_(make_context(model, context_params(model, facts, params))),
      memory_(llama_get_memory(context_.get())), abilities_(model, facts, params, memory_),
      check_(llama_vocab_n_tokens(llama_model_get_vocab(&model)), params.n_seq_max,
             why_not_shared(facts, params), facts.n_positions),
      embeddings_(params.embeddings), kv_unified_(params.kv_unified) {
    if (memory_ == nullptr && params.attention == MULLAMA_ATTENTION_CAUSAL) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, "a model of architecture \"" + facts.architecture +
                                                   "\" always looks at all of its text")
            .parameter("attention");
    }
    check_.accept_embeddings(facts.n_embd_inp);
    llama_set_abort_callback(context_.get(), on_abort_check, this);
    set_threads(params.n_threads, params.n_threads_batch);
    state_layout_ = layout_of(facts, context_params(model, facts, params));
}

std::uint32_t LlamaContext::n_ctx() const noexcept {
    return llama_n_ctx(context_.get());
}
std::uint32_t LlamaContext::n_ctx_seq() const noexcept {
    return llama_n_ctx_seq(context_.get());
}
std::uint32_t LlamaContext::n_batch() const noexcept {
    return llama_n_batch(context_.get());
}
std::uint32_t LlamaContext::n_ubatch() const noexcept {
    return llama_n_ubatch(context_.get());
}
std::uint32_t LlamaContext::n_seq_max() const noexcept {
    return llama_n_seq_max(context_.get());
}

DecodeStatus LlamaContext::decode(const Batch &batch) {
    // Encoding is all that a model without a decoder does.
    return run(facts_.has_decoder ? Work::decode : Work::encode, batch);
}

DecodeStatus LlamaContext::encode(const Batch &batch) {
    if (!facts_.has_encoder) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "this model (" + facts_.architecture + ") has no encoder: decode instead");
    }
    return run(Work::encode, batch);
}

DecodeStatus LlamaContext::run(Work work, const Batch &batch) {
    const bool encodes = work == Work::encode;
    if (encodes) {
        // An encoder starts anew each time and keeps its tokens out of the memory.
        check_.check(batch, nullptr, n_ubatch(), "n_ubatch, since an encoder looks at all at once");
        require_empty_decoder();
    } else {
        const Limit most = limit();
        check_.check(batch, memory_ == nullptr ? nullptr : this, most.n_tokens, most.name);
        require_encoded();
    }
    require_pooled_whole();
    if (lost_) {
        restore();
    }
    outputs_.clear();
    has_embeddings_ = false;
    if (take_abort()) {
        return DecodeStatus::aborted;
    }

    const LogCapture capture;
    threads_have_computed_ = true;
    std::int32_t status = 0;
    std::unique_lock<std::mutex> planning;
    if (plans_anew_) {
        planning = std::unique_lock(registry_);
    }
    try {
        status =
            guarded(encodes ? "encode" : "decode", capture, [&] { return compute(work, batch); });
    } catch (...) {
        undo();
        throw;
    }
    outputs_.clear();
    switch (status) {
    case status_ok:
        plans_anew_ = false;
        retired_threads_.clear();
        moves_pending_ = moves_pending_ && encodes;
        copies_pending_ = copies_pending_ && encodes;
        if (encodes) {
            remember_encoded();
            // An encoder gives all of its tokens' embeddings.
            outputs_.assign(batch.size(), 1);
            has_embeddings_ = true;
        } else {
            outputs_.assign(batch.outputs.begin(), batch.outputs.end());
            has_embeddings_ = embeddings_;
        }
        return DecodeStatus::ok;
    case status_no_space:
        return DecodeStatus::no_space;
    case status_aborted:
        undo();
        abort_.store(false, std::memory_order_relaxed);
        return DecodeStatus::aborted;
    default:
        undo();
        throw Error(MULLAMA_ERROR_ENGINE, std::string("llama.cpp failed to ") +
                                              (encodes ? "encode" : "decode") +
                                              " the batch (status " + std::to_string(status) + ")")
            .log(capture.text());
    }
}

std::int32_t LlamaContext::compute(Work work, const Batch &batch) {
    const std::size_t size = batch.size();
    sequence_counts_.resize(size);
    sequence_lists_.resize(size);
    // llama.cpp reads these arrays only, whatever its types say.
    auto *sequences = const_cast<SequenceId *>(batch.sequence_ids.data());
    for (std::size_t i = 0; i < size; ++i) {
        const std::uint32_t begin = batch.sequence_begin[i];
        sequence_counts_[i] = static_cast<std::int32_t>(batch.sequence_begin[i + 1] - begin);
        sequence_lists_[i] = sequences + begin;
    }
    llama_batch to{};
    to.n_tokens = static_cast<std::int32_t>(size);
    if (batch.n_embd == 0) {
        to.token = const_cast<Token *>(batch.tokens.data());
    } else {
        to.embd = const_cast<float *>(batch.embeddings.data());
    }
    to.pos = const_cast<Position *>(batch.positions.data());
    to.n_seq_id = sequence_counts_.data();
    to.seq_id = sequence_lists_.data();
    if (work == Work::decode && !embeddings_) {
        to.logits =
            reinterpret_cast<std::int8_t *>(const_cast<std::uint8_t *>(batch.outputs.data()));
        return llama_decode(context_.get(), to);
    }
    // An encoder always gives all, and so does a decoder that gives embeddings; asked for fewer,
    // they warn.
    outputs_.assign(size, 1);
    if (work == Work::decode) {
        to.logits = reinterpret_cast<std::int8_t *>(outputs_.data());
        return llama_decode(context_.get(), to);
    }
    to.logits = reinterpret_cast<std::int8_t *>(outputs_.data());
    // It switches to looking both ways, and forgets to switch back when something throws.
    const bool causal = llama_get_causal_attn(context_.get());
    try {
        return llama_encode(context_.get(), to);
    } catch (...) {
        llama_set_causal_attn(context_.get(), causal);
        throw;
    }
}

LlamaContext::Limit LlamaContext::limit() const noexcept {
    // Where tokens look ahead, all of them must be computed at once; llama.cpp asserts that they
    // are. Embeddings are pooled over what is computed at once, too.
    const std::uint32_t most = n_batch();
    const std::uint32_t at_once = n_ubatch();
    if (at_once >= most) {
        return {most, "n_batch"};
    }
    if (memory_ == nullptr || !causal()) {
        return {at_once, "n_ubatch, since this model looks at all at once"};
    }
    if (embeddings_ && is_pooled()) {
        return {at_once, "n_ubatch, since pooled embeddings are of what is computed at once"};
    }
    return {most, "n_batch"};
}

void LlamaContext::require_pooled_whole() const {
    // llama.cpp cuts sequences of different lengths that have memory of their own into pieces.
    if (memory_ == nullptr || !embeddings_ || !is_pooled() || kv_unified_ ||
        check_.extents().size() <= 1 || facts_.is_recurrent || facts_.is_hybrid) {
        return;
    }
    throw Error(MULLAMA_ERROR_UNSUPPORTED,
                "pooled embeddings of several sequences at once need a context with kv_unified")
        .parameter("batch");
}

bool LlamaContext::take_abort() noexcept {
    return abort_.load(std::memory_order_relaxed) &&
           abort_.exchange(false, std::memory_order_relaxed);
}

bool LlamaContext::on_abort_check(void *self) noexcept {
    return static_cast<LlamaContext *>(self)->abort_.load(std::memory_order_relaxed);
}

void LlamaContext::remember_encoded() noexcept {
    encoded_.reset();
    for (const BatchCheck::Extent &extent : check_.extents()) {
        encoded_.set(static_cast<std::size_t>(extent.sequence));
    }
}

void LlamaContext::require_empty_decoder() const {
    for (const BatchCheck::Extent &extent : check_.extents()) {
        if (last_position(extent.sequence) >= 0) {
            throw Error(MULLAMA_ERROR_INVALID_STATE,
                        "sequence " + std::to_string(extent.sequence) +
                            " holds tokens that look at what was encoded before: clear it first");
        }
    }
}

void LlamaContext::require_encoded() const {
    if (!facts_.has_encoder) {
        return;
    }
    for (const BatchCheck::Extent &extent : check_.extents()) {
        if (!encoded_.test(static_cast<std::size_t>(extent.sequence))) {
            throw Error(MULLAMA_ERROR_INVALID_STATE,
                        "the encoder must run before the decoder: nothing was encoded for "
                        "sequence " +
                            std::to_string(extent.sequence));
        }
    }
}

void LlamaContext::undo() noexcept {
    outputs_.clear();
    if (memory_ == nullptr) {
        return;
    }
    for (const BatchCheck::Extent &extent : check_.extents()) {
        try {
            // A recurrent state has moved on and cannot go back.
            const Position begin =
                can_truncate(extent.sequence, extent.before + 1) ? extent.before + 1 : -1;
            llama_memory_seq_rm(memory_, extent.sequence, begin, -1);
        } catch (...) {
            log_line(MULLAMA_LOG_ERROR, "a failed batch could not be taken out of memory");
        }
    }
}

std::span<const float> LlamaContext::embedding(std::int32_t index) {
    if (!has_embeddings_ || is_pooled() || index < 0 ||
        static_cast<std::size_t>(index) >= outputs_.size() ||
        outputs_[static_cast<std::size_t>(index)] == 0) {
        return {};
    }
    const LogCapture capture;
    const float *row = guarded("read embeddings", capture,
                               [&] { return llama_get_embeddings_ith(context_.get(), index); });
    if (row == nullptr) {
        throw Error(MULLAMA_ERROR_ENGINE, "llama.cpp has no embedding of token " +
                                              std::to_string(index) + " of the last batch")
            .log(capture.text());
    }
    return {row, static_cast<std::size_t>(facts_.n_embd_out)};
}

std::span<const float> LlamaContext::sequence_embedding(SequenceId sequence) {
    require_sequence(sequence);
    if (!has_embeddings_ || !is_pooled()) {
        return {};
    }
    const LogCapture capture;
    // A failed or aborted decode leaves what the one before it gave.
    const float *row = guarded("read embeddings", capture, [&] {
        llama_synchronize(context_.get());
        return llama_get_embeddings_seq(context_.get(), sequence);
    });
    if (row == nullptr) {
        return {};
    }
    const bool scores = pooling() == MULLAMA_POOLING_RANK;
    return {row, static_cast<std::size_t>(scores ? facts_.n_cls_out : facts_.n_embd_out)};
}

void LlamaContext::set_embeddings(bool embeddings) {
    if (!embeddings && !facts_.has_decoder) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED, "a model of architecture \"" + facts_.architecture +
                                                   "\" gives nothing but embeddings");
    }
    llama_set_embeddings(context_.get(), embeddings);
    embeddings_ = embeddings;
}

void LlamaContext::set_causal(bool causal) {
    if (causal == this->causal()) {
        return;
    }
    if (memory_ == nullptr || facts_.has_encoder) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "which tokens look at which is fixed in a model of architecture \"" +
                        facts_.architecture + "\"")
            .parameter("causal");
    }
    llama_set_causal_attn(context_.get(), causal);
}

bool LlamaContext::causal() const noexcept {
    // What keeps no memory is computed as an encoder is: llama.cpp looks both ways then, whatever
    // it says.
    return memory_ != nullptr && llama_get_causal_attn(context_.get());
}

mullama_pooling_t LlamaContext::pooling() const noexcept {
    return pooling_of(llama_pooling_type(context_.get()));
}

std::uint64_t LlamaContext::graph_reuses() const noexcept {
    return static_cast<std::uint64_t>(llama_perf_context(context_.get()).n_reused);
}

const float *LlamaContext::logits(std::int32_t index) {
    if (!facts_.has_decoder) {
        throw Error(MULLAMA_ERROR_UNSUPPORTED,
                    "this model (" + facts_.architecture + ") gives embeddings, no logits");
    }
    if (index < 0 || static_cast<std::size_t>(index) >= outputs_.size() ||
        outputs_[static_cast<std::size_t>(index)] == 0) {
        throw Error(MULLAMA_ERROR_INVALID_STATE,
                    "the last decode kept no logits of token " + std::to_string(index));
    }
    const LogCapture capture;
    const float *row = guarded("read logits", capture,
                               [&] { return llama_get_logits_ith(context_.get(), index); });
    if (row == nullptr) {
        throw Error(MULLAMA_ERROR_ENGINE, "llama.cpp has no logits of token " +
                                              std::to_string(index) + " of the last batch")
            .log(capture.text());
    }
    return row;
}

void LlamaContext::set_threads(std::int32_t n_threads, std::int32_t n_threads_batch) {
    require_thread_count("n_threads", n_threads);
    require_thread_count("n_threads_batch", n_threads_batch);
    const std::int32_t largest = std::max(n_threads, n_threads_batch);
    if (largest != (threads_ ? threads_->size() : 1)) {
        auto threads = largest > 1 ? std::make_unique<Threadpool>(largest) : nullptr;
        if (threads_ && threads_have_computed_) {
            retired_threads_.push_back(std::move(threads_));
        }
        threads_ = std::move(threads);
        threads_have_computed_ = false;
    }
    const auto pool_of = [this](std::int32_t count) {
        return count > 1 ? threads_->get() : single_thread_.get();
    };
    llama_attach_threadpool(context_.get(), pool_of(n_threads), pool_of(n_threads_batch));
    llama_set_n_threads(context_.get(), n_threads, n_threads_batch);
}

void LlamaContext::apply(const ControlVector *vector) {
    const LogCapture capture;
    if (vector == nullptr) {
        llama_set_adapter_cvec(context_.get(), nullptr, 0, 0, 0, 0);
        return;
    }
    const auto refuse = [&] {
        return Error(MULLAMA_ERROR_OUT_OF_MEMORY,
                     "there was no memory for a control vector in this context: make another one")
            .log(capture.text());
    };
    if (vector_room_ == Room::failed) {
        throw refuse();
    }
    if (vector_room_ == Room::none) {
        vector_room_ = Room::failed;
    }
    const std::int32_t status = guarded("set the control vector", capture, [&] {
        return llama_set_adapter_cvec(context_.get(), vector->directions.data(),
                                      vector->directions.size(), facts_.n_embd, vector->layer_first,
                                      vector->layer_last);
    });
    if (status != 0) {
        throw refuse();
    }
    vector_room_ = Room::made;
}

void LlamaContext::apply(std::span<const ScaledAdapter> adapters) {
    std::vector<llama_adapter_lora *> list;
    std::vector<float> scales;
    for (const ScaledAdapter &scaled : adapters) {
        list.push_back(static_cast<const LlamaAdapter &>(*scaled.adapter).get());
        scales.push_back(scaled.scale);
    }
    const LogCapture capture;
    guarded("set the adapters", capture, [&] {
        return llama_set_adapters_lora(context_.get(), list.data(), list.size(), scales.data());
    });
}

void LlamaContext::set_adapters(std::span<const ScaledAdapter> adapters,
                                const ControlVector *vector) {
    require_room(adapters, facts_);
    // Copies first: with them made, what is remembered cannot fail to follow what is set.
    std::vector<ScaledAdapter> new_adapters(adapters.begin(), adapters.end());
    std::optional<ControlVector> new_vector;
    if (vector != nullptr) {
        new_vector = *vector;
    }
    // Setting a control vector makes llama.cpp plan anew even where it is the same.
    const bool other_vector = new_vector != vector_;
    if (!lost_ && !other_vector && new_adapters == adapters_) {
        return;
    }
    // Until all is set, nobody knows what is.
    lost_ = true;
    plans_anew_ = true;
    try {
        if (other_vector) {
            apply(vector);
        }
        apply(adapters);
    } catch (...) {
        try {
            restore();
        } catch (...) {
            log_line(MULLAMA_LOG_ERROR, "the adapters of before will be set at the next decode");
        }
        throw;
    }
    lost_ = false;
    adapters_ = std::move(new_adapters);
    vector_ = std::move(new_vector);
}

void LlamaContext::restore() {
    plans_anew_ = true;
    apply(vector_ ? &*vector_ : nullptr);
    apply(adapters_);
    lost_ = false;
}

void LlamaContext::clear() {
    if (memory_ != nullptr) {
        llama_memory_clear(memory_, false);
        moves_pending_ = false;
    }
    outputs_.clear();
}

void LlamaContext::copy(SequenceId from, SequenceId to, Position begin, Position end) {
    require_sequence(from);
    require_sequence(to);
    const bool whole = begin <= 0 && end > last_position(from);
    const LogCapture capture;
    moves_pending_ = moves_pending_ || !kv_unified_;
    copies_pending_ = copies_pending_ || !kv_unified_;
    // Between memories of their own it copies whole sequences only, and asserts that it is one.
    guarded("copy a sequence", capture,
            [&] { llama_memory_seq_cp(memory_, from, to, whole ? -1 : begin, whole ? -1 : end); });
}

void LlamaContext::remove(SequenceId sequence, Position begin, Position end) {
    require_sequence(sequence);
    const LogCapture capture;
    const bool removed = guarded("shorten a sequence", capture, [&] {
        return llama_memory_seq_rm(memory_, sequence, begin, end);
    });
    if (!removed) {
        throw Error(MULLAMA_ERROR_ENGINE, "llama.cpp could not take tokens out of the sequence")
            .log(capture.text());
    }
}

void LlamaContext::shift(SequenceId sequence, Position begin, Position end, Position delta) {
    require_sequence(sequence);
    moves_pending_ = true;
    const LogCapture capture;
    guarded("move positions", capture,
            [&] { llama_memory_seq_add(memory_, sequence, begin, end, delta); });
}

void LlamaContext::divide(SequenceId sequence, Position begin, Position end, std::int32_t divisor) {
    require_sequence(sequence);
    moves_pending_ = true;
    const LogCapture capture;
    guarded("divide positions", capture,
            [&] { llama_memory_seq_div(memory_, sequence, begin, end, divisor); });
}

void LlamaContext::require_sequence(SequenceId sequence) const {
    if (sequence < 0 || static_cast<std::uint32_t>(sequence) >= n_seq_max()) {
        throw Error(MULLAMA_ERROR_OUT_OF_RANGE, "this context has no such sequence")
            .parameter("sequence")
            .expected("0 to " + std::to_string(n_seq_max() - 1))
            .actual(sequence);
    }
}

bool LlamaContext::can_truncate(SequenceId sequence, Position begin) const {
    if (begin <= 0) {
        return true;
    }
    if ((abilities_.bits() & MULLAMA_CONTEXT_CAN_TRUNCATE) == 0) {
        return false;
    }
    // What follows would look at the window before it, whose cells llama.cpp uses again once they
    // are behind the window, with swa_full too.
    const Position needed = std::max(0, begin - facts_.n_swa);
    return facts_.n_swa == 0 || first_position(sequence) <= needed;
}

bool LlamaContext::truncate(SequenceId sequence, Position begin) {
    require_sequence(sequence);
    if (memory_ == nullptr || begin > last_position(sequence)) {
        return true;
    }
    if (!can_truncate(sequence, begin)) {
        return false;
    }
    const LogCapture capture;
    return guarded("shorten a sequence", capture, [&] {
        return llama_memory_seq_rm(memory_, sequence, begin <= 0 ? -1 : begin, -1);
    });
}

Position LlamaContext::first_position(SequenceId sequence) const {
    require_sequence(sequence);
    return memory_ == nullptr ? -1 : llama_memory_seq_pos_min(memory_, sequence);
}

Position LlamaContext::last_position(SequenceId sequence) const {
    require_sequence(sequence);
    return memory_ == nullptr ? -1 : llama_memory_seq_pos_max(memory_, sequence);
}

} // namespace mullama::backend::llama
